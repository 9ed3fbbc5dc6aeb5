import { posix } from 'node:path'
import { plainNode, mapNode, stringNode, putField } from '../../yaml/make-nodes.ts'
import { type YamlMap, type YamlScalar } from '../../yaml/nodes.ts'
import type { Place } from '../../yaml/position.ts'
import { buildError, during, placed } from '../failure.ts'
import type { TextEntry } from '../kustomization/decoded-fields.ts'
import type { GeneratorArgs, GeneratorOptions } from '../kustomization/kustomization.ts'
import { fileName, loadBytes, type Loader } from '../files/loader.ts'
import { placeLike } from '../objects/provenance.ts'
import { newResource, type Behavior, type Resource } from '../objects/resource.ts'

type Pair = readonly [key: string, value: Uint8Array | string, place: Place | undefined]

/** Makes the ConfigMap of a generator entry. */
export function generateConfigMap(loader: Loader, args: GeneratorArgs, global: GeneratorOptions | undefined): Resource {
  const node = baseNode('ConfigMap', args)
  const data = mapNode()
  const binary = mapNode()
  for (const [key, value, place] of loadPairs(loader, args)) {
    const text = asText(value)
    if (text === undefined) putField(binary, key, textAt(wrapBase64(value), place))
    else putField(data, key, textAt(text, place))
  }
  if (data.fields.size > 0) node.fields.set('data', data)
  if (binary.fields.size > 0) node.fields.set('binaryData', binary)
  return finish(node, args, global)
}

/** Makes the Secret of a generator entry. */
export function generateSecret(loader: Loader, args: GeneratorArgs, global: GeneratorOptions | undefined): Resource {
  const node = baseNode('Secret', args)
  node.fields.set('type', stringNode(args.type || 'Opaque'))
  const data = mapNode()
  for (const [key, value, place] of loadPairs(loader, args)) putField(data, key, textAt(wrapBase64(value), place))
  // unlike a ConfigMap, a Secret without any has an empty one
  node.fields.set('data', data)
  return finish(node, args, global)
}

function textAt(text: string, place: Place | undefined): YamlScalar {
  const node = stringNode(text)
  if (place) placeLike(node, place)
  return node
}

function baseNode(kind: string, args: GeneratorArgs): YamlMap {
  if (!args.name) throw buildError('a configmap must have a name', args.node)
  const metadata = mapNode([['name', stringNode(args.name)]])
  if (args.namespace) metadata.fields.set('namespace', stringNode(args.namespace))
  const node = mapNode([
    ['apiVersion', stringNode('v1')],
    ['kind', stringNode(kind)],
    ['metadata', metadata],
  ])
  node.source = args.node.source
  node.start = args.node.start
  return node
}

function finish(node: YamlMap, args: GeneratorArgs, global: GeneratorOptions | undefined): Resource {
  const options = mergeOptions(args.options, global)
  const metadata = node.fields.get('metadata')
  for (const field of ['labels', 'annotations'] as const) {
    const entries = Object.entries(options?.[field] ?? {})
    if (entries.length === 0 || metadata?.kind !== 'map') continue
    const made = mapNode()
    for (const [key, value] of entries) putField(made, key, stringNode(value))
    metadata.fields.set(field, made)
  }
  if (options?.immutable) node.fields.set('immutable', { ...plainNode('true'), tag: '!!bool' })
  const resource = newResource(node)
  resource.needsHash = !options?.disableNameSuffixHash
  resource.behavior = asBehavior(args.behavior)
  return resource
}

/** Options of the entry win over `generatorOptions`. */
function mergeOptions(
  local: GeneratorOptions | undefined,
  global: GeneratorOptions | undefined,
): GeneratorOptions | undefined {
  if (!global) return local
  if (!local) return global
  return {
    labels: { ...global.labels, ...local.labels },
    annotations: { ...global.annotations, ...local.annotations },
    disableNameSuffixHash: local.disableNameSuffixHash || global.disableNameSuffixHash,
    immutable: local.immutable || global.immutable,
  }
}

function asBehavior(text: string): Behavior {
  return text === 'create' || text === 'merge' || text === 'replace' ? text : 'unspecified'
}

function loadPairs(loader: Loader, args: GeneratorArgs): Pair[] {
  const pairs = during('loading KV pairs', () => {
    const goList = (list: readonly string[]): string => `[${list.join(' ')}]`
    const textsOf = (list: readonly TextEntry[]): string[] => list.map(({ text }) => text)
    return [
      ...during(`env source files: ${goList(textsOf(args.envs))}`, () =>
        args.envs.flatMap(({ text, node }) =>
          placed(node, () => parseEnv(loadBytes(loader, text), fileName(loader, text))),
        ),
      ),
      ...during(`literal sources ${goList(textsOf(args.literals))}`, () =>
        args.literals.map(({ text, node }) => placed(node, () => parseLiteral(text, node))),
      ),
      ...during(`file sources: ${goList(textsOf(args.files))}`, () =>
        args.files.map(({ text, node }) => placed(node, () => loadFileSource(loader, text))),
      ),
    ]
  })
  return sortedUnique(pairs, args)
}

function sortedUnique(pairs: readonly Pair[], args: GeneratorArgs): Pair[] {
  const seen = new Map<string, Pair>()
  for (const pair of pairs) {
    const [key, , place] = pair
    if (seen.has(key))
      throw buildError(`configmap ${args.name} illegally repeats the key \`${key}\``, place ?? args.node)
    seen.set(key, pair)
  }
  return [...seen.values()].sort(([a], [b]) => (a < b ? -1 : 1))
}

function parseLiteral(source: string, place: Place | undefined): Pair {
  const equals = source.indexOf('=')
  if (equals <= 0) throw buildError(`invalid literal source ${source}, expected key=value`)
  return [source.slice(0, equals), unquote(source.slice(equals + 1)), place]
}

function unquote(text: string): string {
  const first = text[0]
  if (text.length < 2 || first !== text.at(-1) || (first !== '"' && first !== "'")) return text
  return text.slice(1, -1)
}

function loadFileSource(loader: Loader, source: string): Pair {
  const parts = source.split('=')
  if (parts.length === 1) return [posix.basename(source), loadBytes(loader, source), startOf(loader, source)]
  const [key = '', path = ''] = parts
  if (parts.length > 2) throw buildError(`source "${source}" key name or file path contains '='`)
  if (key === '') throw buildError(`missing key name for file path "${path}" in source "${source}"`)
  if (path === '') throw buildError(`missing file path for key name "${key}" in source "${source}"`)
  return [key, loadBytes(loader, path), startOf(loader, path)]
}

/** A file as a whole is where its first line is. */
function startOf(loader: Loader, path: string): Place {
  return { source: { file: fileName(loader, path), text: '' }, start: 0, keyStart: -1 }
}

/** Go's scanner ends at a line that is longer, without a word. */
const LONGEST_LINE = 65_535

function parseEnv(bytes: Uint8Array, file: string): Pair[] {
  const text = asText(bytes) ?? lossy.decode(bytes)
  const source = { file, text }
  const pairs: Pair[] = []
  let next = 0
  let from = 0
  for (const [index, raw] of text.split('\n').entries()) {
    const end = bytes.indexOf(LF, from)
    const line = bytes.subarray(from, end < 0 ? bytes.length : end)
    if (line.length > LONGEST_LINE) break
    const pair = parseEnvLine(line, index, { source, start: next, keyStart: -1 })
    if (pair) pairs.push(pair)
    from = end + 1
    next += raw.length + 1
  }
  return pairs
}

function parseEnvLine(raw: Uint8Array, index: number, place: Place): Pair | undefined {
  const bytes = raw.at(-1) === CR ? raw.subarray(0, -1) : raw
  const text = asText(bytes)
  if (text === undefined)
    throw buildError(`line [${bytes.join(' ')}] has invalid utf8 bytes : ${lossy.decode(bytes)}`, place)
  const line = (index === 0 ? text.replace(/^\ufeff/, '') : text).trimStart()
  if (line === '' || line.startsWith('#')) return undefined
  const equals = line.indexOf('=')
  const key = equals < 0 ? line : line.slice(0, equals)
  return key === '' ? undefined : [key, equals < 0 ? '' : line.slice(equals + 1), place]
}

const LF = 10
const CR = 13
const lossy = new TextDecoder('utf-8', { ignoreBOM: true })
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of bytes; undefined when they are no UTF-8. */
function asText(value: Uint8Array | string): string | undefined {
  if (typeof value === 'string') return value
  try {
    return decoder.decode(value)
  } catch {
    return undefined
  }
}

/** Base64 in lines of 70, as Go's YAML library breaks binary values. */
export function wrapBase64(value: Uint8Array | string): string {
  const encoded = Buffer.from(value).toString('base64')
  if (encoded.length <= 70) return encoded
  return encoded.replace(/.{1,70}/g, (line) => `${line}\n`)
}
