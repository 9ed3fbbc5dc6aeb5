import { mapNode, stringNode, putField } from '../../yaml/make-nodes.ts'
import { type YamlMap, type YamlNode, type YamlScalar } from '../../yaml/nodes.ts'
import type { Rules } from '../compat.ts'
import { SluiceError } from '../../error/sluice-error.ts'
import { buildError, during, prefixed, wrongKind } from '../failure.ts'
import { visitField, type FieldSpec, type Visit } from '../fields/field-spec.ts'
import { formatGvk, isCluster, isSelectedGvk, type ResId } from '../objects/ids.ts'
import { isNull } from '../objects/null.ts'
import {
  currentId,
  earlierIds,
  hasNotes,
  metadataOf,
  originalId,
  overwriteScalar,
  scalarLike,
  storePreviousId,
  textMap,
  type Resource,
} from '../objects/resource.ts'
import { visitFields } from '../fields/specs-by-kind.ts'
import { countIds } from '../objects/unique-ids.ts'
import { placeLike } from '../objects/provenance.ts'

const METADATA_NAME = 'metadata/name'

const NOT_RENAMED = [
  { kind: 'CustomResourceDefinition' },
  { group: 'apiregistration.k8s.io', kind: 'APIService' },
  { kind: 'Namespace' },
]

/** Puts a prefix and a suffix around names; kinds whose names are fixed are left alone. */
export function transformNames(
  resources: readonly Resource[],
  affix: { readonly prefix: string; readonly suffix: string },
  specs: readonly FieldSpec[],
): void {
  for (const resource of resources) {
    if (resource.isDeleted) continue
    const id = originalId(resource)
    if (NOT_RENAMED.some((selector) => isSelectedGvk(id, selector))) continue
    for (const spec of specs) {
      if (!isSelectedGvk(id, spec)) continue
      if (spec.path === METADATA_NAME) noteAffix(resource, affix)
      visitField(resource.node, spec, 'scalar', (node, replace) => {
        if (node.kind !== 'scalar') throw wrongKind('scalar', node)
        const fresh = scalarLike(node, affix.prefix + node.value + affix.suffix, '')
        placeLike(fresh, node)
        replace(fresh)
      })
    }
  }
}

function noteAffix(resource: Resource, { prefix, suffix }: { readonly prefix: string; readonly suffix: string }): void {
  if (prefix !== '') resource.prefixes.push(prefix)
  if (suffix !== '') resource.suffixes.push(suffix)
  if (prefix !== '' || suffix !== '') storePreviousId(resource)
}

/** Options of the NamespaceTransformer. */
export type NamespaceOptions = {
  readonly namespace: string
  readonly unsetOnly: boolean
  readonly subjects: string
  readonly rules?: Rules
}

/** Moves every namespaced object to a namespace. */
export function transformNamespace(
  resources: readonly Resource[],
  options: NamespaceOptions,
  specs: readonly FieldSpec[],
): void {
  if (options.namespace === '') return
  const set: Visit = (node, replace) => {
    if (node.kind !== 'scalar') throw wrongKind('scalar', node)
    if (options.unsetOnly && node.value !== '') return
    replace(scalarLike(node, options.namespace, '!!str'))
  }
  const own = specs.filter((spec) => spec.path !== 'metadata/namespace')
  const ids = countIds(resources)
  for (const resource of resources) {
    if (resource.isDeleted || resource.isFromHelm) continue
    ids.leave(resource)
    storePreviousId(resource)
    const id = currentId(resource)
    if (!isCluster(id) && !isClusterPolicy(id, options.rules)) visitField(resource.node, NAMESPACE_SPEC, 'scalar', set)
    const isBinding = id.kind === 'RoleBinding' || id.kind === 'ClusterRoleBinding'
    if (isBinding) setSubjects(resource, options, set)
    for (const spec of own) if (isWanted(spec, id, isBinding)) setNamespaceField(resource, spec, set)
    ids.enter(resource)
  }
}

function setNamespaceField(resource: Resource, spec: FieldSpec, set: Visit): void {
  try {
    visitField(resource.node, spec, 'scalar', set)
  } catch (error) {
    const isWrongKind = error instanceof SluiceError && error.message.includes('wrong node kind')
    throw prefixed(
      isWrongKind ? 'namespace field specs must target scalar nodes' : 'namespace transformation failed',
      error,
    )
  }
}

/** Kinds that a later release knows to have no namespace. */
function isClusterPolicy(id: ResId, rules: Rules | undefined): boolean {
  if (rules?.policiesAreCluster !== true || id.group !== 'admissionregistration.k8s.io') return false
  return id.kind === 'ValidatingAdmissionPolicy' || id.kind === 'ValidatingAdmissionPolicyBinding'
}

const NAMESPACE_SPEC: FieldSpec = { path: 'metadata/namespace', group: '', version: '', kind: '', create: true }

function isWanted(spec: FieldSpec, id: ResId, isBinding: boolean): boolean {
  const isCore = id.group === '' && id.version === 'v1'
  if (spec.path === METADATA_NAME && !isCore) return false
  return !(isBinding && spec.path === 'subjects/namespace' && spec.kind === id.kind)
}

function setSubjects(resource: Resource, options: NamespaceOptions, set: Visit): void {
  if (options.subjects === 'none') return
  const subjects = resource.node.fields.get('subjects')
  if (subjects === undefined || isNull(subjects)) return
  const step = 'setting namespace on (cluster)role binding subjects'
  if (subjects.kind !== 'seq') throw prefixed(step, wrongKind('seq', subjects))
  const isAll = options.subjects === 'allServiceAccounts'
  const looking = `looking up ${isAll ? 'kind' : 'name'} on (cluster)role binding subject`
  for (const subject of subjects.items) {
    if (isNull(subject)) continue
    if (subject.kind !== 'map') throw prefixed(`${step}: ${looking}`, wrongKind('map', subject))
    const field = subject.fields.get(isAll ? 'kind' : 'name')
    if (field && field.kind !== 'scalar') throw prefixed(`${step}: ${looking}`, wrongKind('scalar', field))
    if (field?.kind !== 'scalar' || field.value !== (isAll ? 'ServiceAccount' : 'default')) continue
    const old = subject.fields.get('namespace') ?? scalarLike(undefined, '', '')
    during(step, () => set(old, (fresh) => subject.fields.set('namespace', fresh)))
  }
}

/** Sets labels or annotations in the fields of the specs. */
export function transformPairs(
  resources: readonly Resource[],
  pairs: Readonly<Record<string, string>>,
  specs: readonly FieldSpec[],
): void {
  const keys = Object.keys(pairs).sort()
  if (keys.length === 0) return
  if (specs.some((spec) => spec.path === 'metadata/annotations' && !spec.create)) openAnnotations(resources)
  visitFields(resources, specs, 'map', () => {
    const shared = new Map<string, YamlScalar>()
    return (node) => {
      if (node.kind !== 'map') throw wrongKind('map', node)
      for (const key of keys) setPair(node, key, pairs[key] ?? '', shared)
    }
  })
}

/** Where kustomize keeps notes of an object, it has annotations; what is empty in the end is left out. */
function openAnnotations(resources: readonly Resource[]): void {
  for (const resource of resources) {
    if (resource.isDeleted || !hasNotes(resource)) continue
    const metadata = metadataOf(resource)
    if (metadata.fields.get('annotations') === undefined) metadata.fields.set('annotations', mapNode())
  }
}

function setPair(map: YamlMap, key: string, value: string, shared: Map<string, YamlScalar>): void {
  const mine = shared.get(key) ?? stringNode(value)
  shared.set(key, mine)
  const old = map.fields.get(key)
  if (old === undefined) putField(map, key, mine)
  else if (old.kind !== 'scalar') map.fields.set(key, stringNode(value))
  else {
    mine.style = old.style
    overwriteScalar(old, value, '!!str', old.style, mine)
  }
}

/** Sets `replicas` of everything that is or was called by the name; answers these objects. */
export function transformReplicas(
  resources: readonly Resource[],
  name: string,
  count: number,
  specs: readonly FieldSpec[],
  from?: YamlNode,
): readonly Resource[] {
  const touched: Resource[] = []
  for (const spec of specs) {
    for (const resource of resources) {
      if (resource.isDeleted) continue
      const ids = [...earlierIds(resource), currentId(resource)]
      if (!ids.some((id) => id.name === name && isSelectedGvk(id, spec))) continue
      touched.push(resource)
      visitField(resource.node, spec, 'scalar', (node, replace) => {
        if (node.kind !== 'scalar') throw wrongKind('scalar', node)
        const fresh = scalarLike(node, String(count), '!!int')
        if (from) placeLike(fresh, from)
        replace(fresh)
      })
    }
  }
  if (touched.length > 0) return touched
  const kinds = specs.map(formatGvk).join(' ')
  throw buildError(`resource with name ${name} does not match a config with the following GVK [${kinds}]`)
}

/** Whether an object is local configuration that never reaches a cluster. */
export function isLocalConfig(resource: Resource): boolean {
  const value = textMap(resource, 'annotations').get('config.kubernetes.io/local-config')
  return value !== undefined && value !== 'false'
}
