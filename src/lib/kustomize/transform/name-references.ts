import type { YamlMap, YamlNode } from '../../yaml/nodes.ts'
import { writeYaml } from '../../yaml/write/write.ts'
import { valueWithNotes } from '../objects/build-notes.ts'
import type { NameReference } from './config.ts'
import { buildError, prefixed } from '../failure.ts'
import { visitField, type FieldSpec } from '../fields/field-spec.ts'
import { isNull } from '../objects/null.ts'
import { effectiveNamespace, formatId, isCluster, isSelectedGvk, NOT_A_NAMESPACE, type Gvk } from '../objects/ids.ts'
import { placeLike } from '../objects/provenance.ts'
import { currentId, fieldMap, fieldText, originalId, scalarLike, type Resource } from '../objects/resource.ts'

/** Everything that was renamed, by each name it had. */
type Renamed = ReadonlyMap<string, readonly Resource[]>

/** The namespaces that objects came from, by the one that they are in. */
type Origins = ReadonlyMap<string, ReadonlySet<string>>

type Reference = {
  readonly referrer: Resource
  readonly target: Gvk
  readonly path: string
  readonly renamed: Renamed
  readonly origins: Origins
  /** Namespaces of service accounts that a RoleBinding names. */
  readonly bindingNamespaces: ReadonlySet<string>
}

/**
 * Makes every reference follow the names that changed.
 *
 * Candidates are found by name, so the work grows with the references and not with their square.
 * @see https://github.com/kubernetes-sigs/kustomize/blob/master/api/filters/nameref/nameref.go
 */
export function fixNameReferences(resources: readonly Resource[], references: readonly NameReference[]): void {
  const renamed = renamedByName(resources)
  const origins = originsByNamespace(resources)
  const byKind = new Map<string, [Gvk, FieldSpec][]>()
  for (const referrer of resources) {
    const id = originalId(referrer)
    const kind = `${id.group}/${id.version}/${id.kind}`
    let mine = byKind.get(kind)
    if (mine === undefined) {
      mine = references.flatMap((target) =>
        target.referrers.filter((spec) => isSelectedGvk(id, spec)).map((spec): [Gvk, FieldSpec] => [target, spec]),
      )
      byKind.set(kind, mine)
    }
    if (mine.length === 0) continue
    const bindingNamespaces = namespacesOfBinding(referrer)
    for (const [target, spec] of mine)
      fixField({ referrer, target, path: spec.path, renamed, origins, bindingNamespaces }, spec)
  }
}

function originsByNamespace(resources: readonly Resource[]): Origins {
  const origins = new Map<string, Set<string>>()
  for (const resource of resources) {
    const namespace = effectiveNamespace(currentId(resource))
    const known = origins.get(namespace) ?? new Set<string>()
    origins.set(namespace, known.add(effectiveNamespace(originalId(resource))))
  }
  return origins
}

function renamedByName(resources: readonly Resource[]): Renamed {
  const renamed = new Map<string, Resource[]>()
  for (const resource of resources) {
    for (const name of new Set(resource.previousIds.map((id) => id.name))) {
      const list = renamed.get(name)
      if (list) list.push(resource)
      else renamed.set(name, [resource])
    }
  }
  return renamed
}

function namespacesOfBinding(referrer: Resource): ReadonlySet<string> {
  const namespaces = new Set<string>()
  const { node } = referrer
  if (fieldText(node, 'kind') !== 'RoleBinding') return namespaces
  const subjects = node.fields.get('subjects')
  for (const subject of subjects?.kind === 'seq' ? subjects.items : [])
    if (fieldText(subject, 'kind') === 'ServiceAccount') addNamespace(namespaces, subject, referrer)
  return namespaces
}

function addNamespace(namespaces: Set<string>, subject: YamlNode, referrer: Resource): void {
  const namespace = subject.kind === 'map' ? subject.fields.get('namespace') : undefined
  if (namespace === undefined) return
  if (isNull(namespace))
    throw buildError(`Invalid Input: namespace is blank for resource "${formatId(currentId(referrer))}"\n`, namespace)
  if (namespace.kind === 'scalar') namespaces.add(namespace.value)
}

function fixField(reference: Reference, spec: FieldSpec): void {
  const anyKind = { ...spec, group: '', version: '', kind: '', create: false }
  try {
    visitField(reference.referrer.node, anyKind, undefined, (node, replace) => fixNode(reference, node, replace))
  } catch (error) {
    throw prefixed(
      `updating name reference in '${spec.path}' field of '${formatId(currentId(reference.referrer))}'`,
      error,
    )
  }
}

function fixNode(reference: Reference, node: YamlNode, replace: (node: YamlNode) => void): void {
  if (isNull(node)) return
  if (node.kind === 'scalar') return fixScalar(reference, node, replace)
  if (node.kind === 'map') return fixMap(reference, node)
  node.items.forEach((item, index) => {
    if (item.kind === 'scalar') fixScalar(reference, item, (fresh) => (node.items[index] = fresh))
    else if (item.kind === 'map') fixMap(reference, item)
    else throw buildError(`${GO_NODE} is expected to be either a string or a map of string`, item)
  })
}

/** As Go's `%#v` prints a node, but for its address. */
const GO_NODE = '&yaml.RNode{fieldPath:[]string(nil), value:(*yaml.Node)(0x0), ShouldKeep:false, Match:[]string(nil)}'

function fixScalar(reference: Reference, node: YamlNode, replace: (node: YamlNode) => void): void {
  if (node.kind !== 'scalar') return
  const referral = selectReferral(reference, node.value, () => true, sameNames)
  if (!referral) return
  const { name } = currentId(referral)
  if (name !== node.value) replace(takenFrom(referral, 'name', node, name))
}

function fixMap(reference: Reference, map: YamlMap): void {
  const nameNode = map.fields.get('name')
  if (nameNode === undefined) throw buildError("path config error; no 'name' field in node", map)
  const old = nameNode.kind === 'scalar' ? nameNode.value : ''
  const namespaceNode = map.fields.get('namespace')
  const inNamespace = namespaceNode?.kind === 'scalar' ? namespaceTest(reference, namespaceNode.value) : () => true
  const referral = selectReferral(reference, old, inNamespace, sameNamesAndNamespaces)
  if (!referral) return
  const { name, namespace } = currentId(referral)
  if (name === old && namespace === '') return
  map.fields.set('name', takenFrom(referral, 'name', nameNode, name))
  if (namespace === '') return
  const fresh = takenFrom(referral, 'namespace', namespaceNode, namespace)
  // a new field is a text, whatever it looks like; one that was there keeps its type
  if (namespaceNode === undefined && fresh.kind === 'scalar') fresh.tag = '!!str'
  map.fields.set('namespace', fresh)
}

/** A new name or namespace stands where the object has it, one that stays is where it was. */
function takenFrom(
  referral: Resource,
  field: 'name' | 'namespace',
  old: YamlNode | undefined,
  value: string,
): YamlNode {
  const fresh = scalarLike(old, value, '')
  const isSame = old?.kind === 'scalar' && old.value === value
  const place = isSame ? old : fieldMap(referral.node, 'metadata')?.fields.get(field)
  if (place) placeLike(fresh, place)
  return fresh
}

/** Candidates by their original namespace; when nothing at all that can be reached came from there, by their current one. */
function namespaceTest(reference: Reference, namespace: string): (resource: Resource) => boolean {
  const from = currentId(reference.referrer)
  const { origins, bindingNamespaces } = reference
  const reachable = isCluster(from)
    ? [...origins.keys()]
    : [effectiveNamespace(from), NOT_A_NAMESPACE, ...bindingNamespaces]
  if (reachable.some((one) => origins.get(one)?.has(namespace)))
    return (resource) => effectiveNamespace(originalId(resource)) === namespace
  return (resource) => effectiveNamespace(currentId(resource)) === namespace
}

function selectReferral(
  reference: Reference,
  oldName: string,
  accept: (resource: Resource) => boolean,
  areSame: (resources: readonly Resource[]) => boolean,
): Resource | undefined {
  const known = reference.renamed.get(oldName)
  if (!known) return undefined
  const { referrer } = reference
  const roleRef = roleRefGvk(reference)
  let candidates = known.filter(
    (one) =>
      isReachable(reference, one) &&
      accept(one) &&
      one.previousIds.some((id) => isSelectedGvk(id, reference.target)) &&
      (roleRef === undefined || one.previousIds.some((id) => isSelectedGvk(id, roleRef))) &&
      isNear(referrer, one),
  )
  if (candidates.length === 1) return candidates[0]
  candidates = candidates.filter((one) => sameAffixes(one, referrer, true))
  if (candidates.length > 1) candidates = candidates.filter((one) => sameAffixes(one, referrer, false))
  if (candidates.length <= 1 || areSame(candidates)) return candidates[0]
  throw ambiguous(referrer, candidates)
}

function isReachable({ referrer, bindingNamespaces }: Reference, candidate: Resource): boolean {
  const from = currentId(referrer)
  if (isCluster(from)) return true
  const to = currentId(candidate)
  return isCluster(to) || effectiveNamespace(from) === effectiveNamespace(to) || bindingNamespaces.has(to.namespace)
}

function isNear(referrer: Resource, candidate: Resource): boolean {
  const from = currentId(referrer)
  const to = currentId(candidate)
  if (isCluster(from) || isCluster(to) || to.kind === 'ServiceAccount') return true
  return effectiveNamespace(from) === effectiveNamespace(to)
}

function roleRefGvk({ path, referrer }: Reference): Partial<Gvk> | undefined {
  if (!path.endsWith('roleRef/name')) return undefined
  const roleRef = referrer.node.fields.get('roleRef')
  if (roleRef?.kind !== 'map' || !roleRef.fields.has('apiGroup') || !roleRef.fields.has('kind')) return undefined
  return { group: fieldText(roleRef, 'apiGroup'), kind: fieldText(roleRef, 'kind') }
}

function sameAffixes(a: Resource, b: Resource, allowEmpty: boolean): boolean {
  return sameEnd(a.prefixes, b.prefixes, allowEmpty) && sameEnd(a.suffixes, b.suffixes, allowEmpty)
}

/** Whether the shorter list is the end of the longer one. */
function sameEnd(a: readonly string[], b: readonly string[], allowEmpty: boolean): boolean {
  if (a.length === 0 || b.length === 0) return allowEmpty || a.length === b.length
  const shared = Math.min(a.length, b.length)
  for (let i = 1; i <= shared; i++) if (a[a.length - i] !== b[b.length - i]) return false
  return true
}

function sameNames(resources: readonly Resource[]): boolean {
  return new Set(resources.map((one) => currentId(one).name)).size === 1
}

function sameNamesAndNamespaces(resources: readonly Resource[]): boolean {
  return new Set(resources.map((one) => `${currentId(one).name}\n${currentId(one).namespace}`)).size === 1
}

function ambiguous(referrer: Resource, candidates: readonly Resource[]): Error {
  const ids = candidates.map((one) => formatId(currentId(one))).join(', ')
  const print = (one: Resource): string => writeYaml(valueWithNotes(one))
  const listed = candidates.map((one, index) => `--- possible referral ${index}:\n${print(one)}\n`).join('')
  const text = `found multiple possible referrals: ${ids}\n\n**** Too many possible referral targets to referrer:\n${print(referrer)}\n${listed}`
  return buildError(text, referrer.node, 'give the objects different names')
}
