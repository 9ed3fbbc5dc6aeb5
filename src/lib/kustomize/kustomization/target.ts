import { parseOld } from './parse-config.ts'
import { mapNode } from '../../yaml/make-nodes.ts'
import { type DuplicateKey, type Source, type YamlDocument, type YamlNode } from '../../yaml/nodes.ts'
import { positionOf, type Place } from '../../yaml/position.ts'
import { resolveScalar } from '../../yaml/resolve.ts'
import { SluiceError } from '../../error/sluice-error.ts'
import { decodeStruct, type Decoded, type Unknown } from './decode.ts'
import { failure } from '../failure.ts'
import { findingAt, linesNotRead, type Finding } from '../findings.ts'
import { entriesOf, structsOf, textMapOf, textOf, type TextEntry } from './decoded-fields.ts'
import { kustomizationShape } from './kustomization.ts'
import { fileName, loadBytes, loadText, type Loader } from '../files/loader.ts'

/** A kustomization file that was read. */
export type Target = {
  readonly loader: Loader
  readonly fileName: string
  readonly file: Decoded
  readonly kind: string
}

export const FILE_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'] as const

/** What a reader of kustomization files may want to know. */
export type Notices = {
  readonly unknownFields: Unknown
  readonly warn: (line: string) => void
  /** Takes what is probably a mistake, though kustomize says nothing. */
  readonly find: (finding: Finding) => void
  /** Whether a file that asks for nothing is taken. */
  readonly allowEmpty?: boolean
}

/** Reads the kustomization file of a folder. @throws SluiceError KUSTOMIZE_INVALID with the place */
export function loadTarget(loader: Loader, notices: Notices): Target {
  const name = findFile(loader)
  const text = loadText(loader, name)
  const document = parseFile(text, fileName(loader, name))
  const root = document?.root
  if (root && /\.(inf|nan)\b/i.test(text)) refuseInfinity(root)
  if (document) findInDocument(document, notices)
  const file = root
    ? decodeStruct(root, kustomizationShape(loader.rules), notices.unknownFields, 'invalid Kustomization')
    : { node: mapNode() }
  warnDeprecated(file, notices)
  if (isEmpty(file) && notices.allowEmpty !== true)
    throw failure(
      'KUSTOMIZE_INVALID',
      'kustomization.yaml is empty',
      root ?? startOf(text, fileName(loader, name)),
      'list resources, or remove the file',
    )
  const kind = textOf(file, 'kind') || 'Kustomization'
  enforce(loader, file, kind, root)
  return { loader, fileName: name, file, kind }
}

function findInDocument(document: YamlDocument, { find }: Notices): void {
  for (const one of document.duplicates) find(duplicateKey(document.source, one))
  const notRead = linesNotRead(document)
  if (notRead) find(notRead)
}

function duplicateKey(source: Source, { key, first, second }: DuplicateKey): Finding {
  const place = { source, start: first, keyStart: first }
  const { line } = positionOf(source, second)
  return findingAt(
    'DUPLICATE_KEY',
    `"${key}" stands here, and again in line ${line}, which is the one that counts`,
    place,
    'merge the two',
  )
}

function startOf(text: string, file: string): Place {
  return { source: { file, text }, start: 0, keyStart: -1 }
}

function findFile(loader: Loader): string {
  const found = FILE_NAMES.filter((name) => canLoad(loader, name))
  const [first] = found
  if (found.length === 1 && first !== undefined) return first
  if (found.length > 1)
    throw failure(
      'KUSTOMIZE_INVALID',
      `Found multiple kustomization files under: ${loader.root}\n`,
      undefined,
      'keep one of them',
    )
  throw failure(
    'KUSTOMIZE_INVALID',
    `unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '${loader.root}'`,
  )
}

function canLoad(loader: Loader, name: string): boolean {
  try {
    loadBytes(loader, name)
    return true
  } catch (error) {
    if (error instanceof SluiceError) return false
    throw error
  }
}

function parseFile(text: string, file: string): YamlDocument | undefined {
  const lines = text.replaceAll('\r\n', '\n')
  try {
    return parseOld(lines, file, 'invalid Kustomization')
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'YAML_SYNTAX') throw error
    throw new SluiceError('KUSTOMIZE_INVALID', error.message, {
      ...(error.where ? { where: error.where } : {}),
      ...(error.hint ? { hint: error.hint } : {}),
    })
  }
}

/** The file goes through JSON, which has no such numbers. */
function refuseInfinity(node: YamlNode): void {
  if (node.kind === 'seq') node.items.forEach(refuseInfinity)
  if (node.kind === 'map')
    for (const [, value] of [...node.fields].sort(([a], [b]) => (a < b ? -1 : 1))) refuseInfinity(value)
  const value = node.kind === 'scalar' ? resolveScalar(node, 'v2') : undefined
  if (typeof value !== 'number' || Number.isFinite(value)) return
  const name = Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
  throw failure(
    'KUSTOMIZE_INVALID',
    `invalid Kustomization: json: unsupported value: ${name}`,
    node,
    'put it in quotes',
  )
}

function isEmpty(file: Decoded): boolean {
  return Object.entries(file).every(
    ([name, value]) => name === 'node' || name === 'apiVersion' || name === 'kind' || isNothing(value),
  )
}

function isNothing(value: unknown): boolean {
  if (value === '' || value === undefined) return true
  return false
}

function enforce(loader: Loader, file: Decoded, kind: string, root: YamlNode | undefined): void {
  const faults: string[] = []
  if (kind !== 'Kustomization' && kind !== 'Component') faults.push('kind should be Kustomization or Component')
  const wanted = kind === 'Component' ? 'kustomize.config.k8s.io/v1alpha1' : 'kustomize.config.k8s.io/v1beta1'
  const apiVersion = textOf(file, 'apiVersion')
  if (apiVersion !== '' && apiVersion !== wanted) faults.push(`apiVersion for ${kind} should be ${wanted}`)
  if (faults.length === 0) return
  const text = `Failed to read kustomization file under ${loader.root}:\n${faults.join('\n')}`
  throw failure('KUSTOMIZE_INVALID', text, root?.kind === 'map' ? root.fields.get('kind') : root)
}

const DEPRECATED: readonly (readonly [field: string, instead: string, note: string])[] = [
  ['bases', 'resources', ''],
  ['commonLabels', 'labels', ''],
  ['imageTags', 'images', ''],
  ['patchesJson6902', 'patches', ''],
  ['patchesStrategicMerge', 'patches', ''],
  ['vars', 'replacements', '[EXPERIMENTAL] '],
]

function warnDeprecated(file: Decoded, { warn }: Notices): void {
  for (const [field, instead, note] of DEPRECATED) {
    if (file[field] === undefined) continue
    warn(
      `# Warning: '${field}' is deprecated. Please use '${instead}' instead. ${note}Run 'kustomize edit fix' to update your Kustomization automatically.`,
    )
  }
}

/** `resources` with the old `bases` behind them. */
export function resourcePaths(target: Target): readonly TextEntry[] {
  return [...entriesOf(target.file, 'resources'), ...entriesOf(target.file, 'bases')]
}

/** `images` with the old `imageTags` behind them. */
export function imageEntries(target: Target): readonly Decoded[] {
  return [...structsOf(target.file, 'images'), ...structsOf(target.file, 'imageTags')]
}

/** What `openapi` asks for; a schema of one's own is read. */
export type OpenApi = {
  readonly own: { readonly text: string; readonly file: string } | undefined
  readonly version: string | undefined
}

/** Reads `openapi`, with the file that it names. */
export function openApiOf({ file, loader }: Target): OpenApi {
  const { path, version } = textMapOf(file, 'openapi') ?? {}
  return {
    own: path === undefined ? undefined : { text: loadText(loader, path), file: fileName(loader, path) },
    version,
  }
}
