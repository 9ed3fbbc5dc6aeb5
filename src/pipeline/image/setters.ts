import { SluiceError } from '../../lib/error/sluice-error.ts'
import { isRecord } from '../../lib/value/is-record.ts'
import { plainNode } from '../../lib/yaml/make-nodes.ts'
import { keepFirst, type YamlDocument, type YamlNode, type YamlScalar, type YamlSeq } from '../../lib/yaml/nodes.ts'
import { duplicateKeyError, parseDocuments } from '../../lib/yaml/parse-documents.ts'
import { tagOf } from '../../lib/yaml/resolve.ts'
import { toValue } from '../../lib/yaml/to-value.ts'
import { listedIn, partsOf, printAnew, printItems } from './print-anew.ts'
import { type Marker, MARKER_KEY, parseMarker, renderMarker } from './marker.ts'
import { findSites, type Site } from './scalar-sites.ts'

/** An image as a policy resolved it: `status.latestRef`. */
export type ImageRef = { readonly name: string; readonly tag: string; readonly digest?: string | undefined }

/** A policy that markers may name; `latest` is undefined while it has selected nothing. */
export type SetterPolicy = { readonly namespace: string; readonly name: string; readonly latest: ImageRef | undefined }

/** Which object of a file a change belongs to. */
export type ChangedObject = {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly namespace: string
}

/** One scalar set to a new value. */
export type SetterChange = {
  readonly file: string
  readonly line: number
  readonly object: ChangedObject
  readonly policy: { readonly namespace: string; readonly name: string }
  readonly image: ImageRef
  /** The marker's text, `namespace:policy:tag`. */
  readonly setter: string
  readonly oldValue: string
  readonly newValue: string
}

/** A marker that could not be followed. `where` is `file:line`. */
export type MarkerProblem = { readonly where: string; readonly problem: string }

/** What became of a file. `text` is the same string when nothing changed. */
export type SetterResult = {
  readonly text: string
  readonly changes: readonly SetterChange[]
  readonly problems: readonly MarkerProblem[]
  /** Names of the policies whose tag or digest a marker of the file carries, whether it changed or not. */
  readonly marked: readonly string[]
  /** The objects of a file that is one List: as Flux has it they become files of their own, and this one stays as it is. */
  readonly listed: readonly ListedObject[]
}

/** An object of a List, printed; `path` is where Flux puts it, below the path of the update. */
export type ListedObject = { readonly path: string; readonly text: string; readonly isChanged: boolean }

/** How to follow markers. */
export type SetterOptions = {
  readonly policies: readonly SetterPolicy[]
  /** The namespace of the automation; only its policies count. */
  readonly namespace: string
  /**
   * `flux`: a digest marker of a policy without digest empties the value, and a changed file is printed anew. `safe` leaves the value,
   * and reports it; nothing but values changes.
   */
  readonly traps: 'safe' | 'flux'
}

const LARGEST = 10 * 1024 * 1024

/** Whether a file is one that markers are looked for in: `.yaml`, `.yml` or `Kustomization`. */
export function mayHaveMarkers(path: string): boolean {
  return /\.ya?ml$/.test(path) || path === 'Kustomization' || path.endsWith('/Kustomization')
}

/**
 * Sets what the markers of a YAML file ask for, in place: every byte outside a changed scalar stays, except as Flux's traps have it.
 *
 * A file that is no YAML, or is above 10 MiB, is left alone and reported.
 */
export function applySetters(file: string, text: string, options: SetterOptions): SetterResult {
  const untouched: SetterResult = { text, changes: [], problems: [], marked: [], listed: [] }
  if (!text.includes(MARKER_KEY)) return untouched
  if (text.length > LARGEST) return { ...untouched, problems: [{ where: file, problem: 'the file is above 10 MiB' }] }
  const documents = readDocuments(file, text, options.traps)
  if ('problem' in documents) return { ...untouched, problems: [documents] }
  const isFlux = options.traps === 'flux'
  // Flux notes the file in the annotations of what it reads, and leaves a file alone where there can be none
  if (isFlux && documents.some(({ root }) => hasNoAnnotations(root))) return untouched
  const changes: Found[] = []
  const problems: MarkerProblem[] = []
  const marked = new Set<string>()
  for (const site of findSites(documents)) {
    const marker = parseMarker(site.comment)
    const answer = typeof marker === 'string' ? marker : planSite(site, marker, options)
    if (typeof answer === 'string') problems.push({ where: `${file}:${site.line}`, problem: answer })
    else if (answer)
      changes.push({ ...answer, file, line: site.line, object: nameObject(documents[site.document]?.root), site })
    if (typeof marker !== 'string' && typeof answer !== 'string' && marker.part !== 'name') marked.add(marker.policy)
  }
  const result = { problems, marked: [...marked] }
  const list = isFlux && partsOf(text).length === 1 ? listedIn(documents[0]?.root) : undefined
  const listed = list && takeOut(list, text, changes)
  if (listed) return { ...result, text, ...listed }
  const edited = splice(text, changes, options.traps)
  const printed = isFlux && changes.length > 0 ? printAnew(edited) : undefined
  return { ...result, text: printed ?? edited, changes: changes.map(tell), listed: [] }
}

type Found = SetterChange & { readonly site: Site }

function tell({ site: _site, ...change }: Found): SetterChange {
  return change
}

/** What Flux makes of a file that is a List; undefined where it is not known how it prints that. */
function takeOut(
  { items }: YamlSeq,
  text: string,
  changes: readonly Found[],
): Pick<SetterResult, 'changes' | 'listed'> | undefined {
  const printed = printItems(splice(text, changes, 'flux'))
  if (printed === undefined) return undefined
  const told: SetterChange[] = []
  const listed = items.map((item, index) => {
    const object = nameObject(item)
    const inside = changes.filter(({ site }) => site.scalar && isWithin(site.scalar, item))
    told.push(...inside.map((change) => ({ ...tell(change), file: '', object })))
    return { path: pathOf(object), text: printed[index] ?? '', isChanged: inside.length > 0 }
  })
  return { changes: told, listed }
}

function isWithin(inner: YamlNode, { start, end }: YamlNode): boolean {
  return inner.start >= start && inner.end <= end
}

function pathOf({ kind, name, namespace }: ChangedObject): string {
  return `${namespace === '' ? '' : `${namespace}/`}${kind.toLowerCase()}_${name}.yaml`
}

type Planned = Omit<SetterChange, 'file' | 'line' | 'object'>

/** A change, what is wrong, or nothing to do. */
function planSite(site: Site, marker: Marker, options: SetterOptions): Planned | string | undefined {
  const setter = renderMarker(marker)
  if (marker.namespace !== options.namespace)
    return `"${setter}" names a policy of another namespace; only those of ${options.namespace} count`
  const policy = options.policies.find((one) => one.namespace === marker.namespace && one.name === marker.policy)
  if (!policy) return `"${setter}" names no ImagePolicy (known here: ${knownPolicies(options)})`
  if (!site.scalar) return `"${setter}" stands behind no value on its line`
  if (!policy.latest) return undefined
  const newValue = valueFor(marker, policy.latest)
  if (newValue === '' && options.traps === 'safe')
    return `"${setter}" asks for a digest, but the policy reflects none (set spec.digestReflectionPolicy); the value was left`
  if (newValue === site.scalar.value) return undefined
  const { namespace, name, latest } = policy
  return { policy: { namespace, name }, image: latest, setter, oldValue: site.scalar.value, newValue }
}

function knownPolicies({ policies }: SetterOptions): string {
  return policies.length === 0
    ? 'none'
    : policies
        .map(({ name }) => name)
        .sort()
        .slice(0, 10)
        .join(', ')
}

function valueFor({ part }: Marker, { name, tag, digest }: ImageRef): string {
  if (part === 'tag') return tag
  if (part === 'name') return name
  if (part === 'digest') return digest ?? ''
  return renderImage({ name, tag, digest })
}

/** `name:tag`, with its digest where it has one. */
export function renderImage({ name, tag, digest = '' }: ImageRef): string {
  return digest === '' ? `${name}:${tag}` : `${name}:${tag}@${digest}`
}

type Splice = { readonly site: Site; readonly newValue: string }

function splice(text: string, changes: readonly Splice[], traps: SetterOptions['traps']): string {
  let out = ''
  let at = 0
  for (const { site, newValue } of changes) {
    if (!site.scalar) continue
    const { start, end } = site.scalar
    out += text.slice(at, start) + renderScalar(newValue, site.scalar, text.slice(start, end), traps)
    at = end
  }
  return out + text.slice(at)
}

/**
 * Keeps the style; a value that YAML would read as something else than text is quoted. Flux takes blocks for plain there, and where it does not
 * quote it keeps the type: `!!int 1.1.0`, `!!null 20250102`.
 */
function renderScalar(value: string, old: YamlScalar, written: string, traps: SetterOptions['traps']): string {
  const isText = isPlainText(value)
  if (old.style === 'literal' || old.style === 'folded')
    return isText || traps === 'safe' ? renderBlock(value, written) : quoteBlock(value, written)
  if (old.style === 'single') return `'${value.replaceAll("'", "''")}'`
  const isTyped = traps === 'flux' && old.style === 'plain' && !old.isTagged
  const tag = isTyped ? tagOf(plainNode(old.value)) : '!!str'
  if (tag === '!!null') return `${tag} ${value}`
  if (old.style === 'double' || !isText) return JSON.stringify(value)
  return tag === '!!str' ? value : `${tag} ${value}`
}

/** What stands behind the head of the block stays there. */
function quoteBlock(value: string, written: string): string {
  return (written.split('\n')[0] ?? '').replace(/^[|>][-+0-9]*/, JSON.stringify(value))
}

/** A block of one line that ends with the value, whatever the old one ended with. */
function renderBlock(value: string, written: string): string {
  const [header = '', ...lines] = written.split('\n')
  const indent = /^ */.exec(lines.find((line) => line.trim() !== '') ?? '')?.[0] ?? ''
  const lineEnd = written.endsWith('\r') ? '\r' : ''
  return `${header.replace(/^([|>])[-+]?(\d?)[-+]?/, '$1$2-')}\n${indent}${value}${lineEnd}`
}

function isPlainText(value: string): boolean {
  if (!/^[A-Za-z0-9][\w./:@+-]*$/.test(value) || value.endsWith(':')) return false
  if (/^(?:true|false|yes|no|on|off|null|y|n)$/i.test(value)) return false
  return !/^\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?$|^0[xob][\da-f_]+$|^\d{1,3}(?::\d{1,2})+$|^\d{4}-\d\d?-\d\d?(?:$|[T ])/i.test(
    value,
  )
}

function readDocuments(
  file: string,
  text: string,
  traps: SetterOptions['traps'],
): readonly YamlDocument[] | MarkerProblem {
  try {
    const documents = parseDocuments(text, file)
    for (const document of documents) {
      const twice = duplicateKeyError(document)
      // Flux sets the first of them
      if (twice && traps === 'safe') throw twice
      if (twice && document.root) keepFirst(document.root)
    }
    return documents
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    return {
      where: error.where ?? file,
      problem: `the file is not YAML, its markers were not followed: ${error.message}`,
    }
  }
}

function nameObject(root: YamlNode | undefined): ChangedObject {
  const { apiVersion, kind, metadata } = fieldsOf(root && toValue(root))
  const { name, namespace } = fieldsOf(metadata)
  return { apiVersion: textOf(apiVersion), kind: textOf(kind), name: textOf(name), namespace: textOf(namespace) }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {}
}

function hasNoAnnotations(root: YamlNode | undefined): boolean {
  return isOther(root) || (root?.kind === 'map' && isOther(root.fields.get('metadata')))
}

/** Whether it is there, and no mapping. */
function isOther(node: YamlNode | undefined): boolean {
  return node !== undefined && node.kind !== 'map' && !(node.kind === 'scalar' && tagOf(node) === '!!null')
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
