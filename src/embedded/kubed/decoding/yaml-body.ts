import { GoJsonError, scanGoJson } from '../../../lib/kube/go-json.ts'
import { asJson, type Json } from '../../../lib/kube/json.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { YamlDocument, YamlNode } from '../../../lib/yaml/nodes.ts'
import { jsonKey, OldKeyError } from '../../../lib/yaml/old-keys.ts'
import { parseDocuments } from '../../../lib/yaml/parse-documents.ts'
import { positionOf } from '../../../lib/yaml/position.ts'
import { resolveScalar } from '../../../lib/yaml/resolve.ts'
import { goSyntaxError } from '../../../lib/yaml/syntax/go-syntax-error.ts'
import { goOldSyntax } from '../../../lib/yaml/write/go-syntax.ts'
import { parseJson, refusePrototypes, tooLargeIn } from './json-text.ts'
import type { Spelling } from './number-text.ts'

/** A body as a value, with what was odd in its text (keys that stand twice), in the words of Go's readers. */
export type Body = {
  readonly value: Json
  readonly oddities: readonly string[]
  /** How its odd numbers are written, where it is JSON and has such. */
  readonly spelling?: Spelling | undefined
}

/** The body cannot be read as the media type that it says; the message is the reader's. */
export class UnreadableBody extends Error {}

/** Reads the first document of a YAML body by way of JSON, as sigs.k8s.io/yaml does. @throws UnreadableBody */
export function readYaml(text: string): Body {
  // JSON is YAML, and much faster to read as such.
  const json = text.startsWith('{') ? parseJson(text) : undefined
  try {
    if (json !== undefined && tooLargeIn(text) === undefined && scanGoJson(text).length === 0)
      return { value: json, oddities: [] }
    const [document] = parseDocuments(text, '<body>', undefined, 'v2', 'skipped')
    if (document?.root === undefined) return { value: null, oddities: [] }
    refuseCollectionKeys(document.root)
    const value = asJson(jsonOf(document.root))
    refusePrototypes(value)
    return { value, oddities: repeatedKeys(document) }
  } catch (error) {
    if (error instanceof GoJsonError || error instanceof OldKeyError) throw new UnreadableBody(error.message)
    if (error instanceof SluiceError) throw new UnreadableBody(goSyntaxError(error, text, 'v2'))
    throw error
  }
}

/** A key that is a list or a map is refused before anything becomes JSON. */
function refuseCollectionKeys(node: YamlNode): void {
  if (node.kind === 'seq') node.items.forEach(refuseCollectionKeys)
  if (node.kind !== 'map') return
  for (const key of node.collectionKeys?.values() ?? [])
    throw new UnreadableBody(`yaml: invalid map key: ${goOldSyntax(key)}`)
  for (const value of node.fields.values()) refuseCollectionKeys(value)
}

function jsonOf(node: YamlNode): unknown {
  if (node.kind === 'seq') return node.items.map(jsonOf)
  if (node.kind === 'map')
    return Object.fromEntries([...node.fields].map(([key, value]) => [jsonKey(node, key, value), jsonOf(value)]))
  const value = resolveScalar(node, 'v2')
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'number' || Number.isFinite(value)) return value
  throw new UnreadableBody(`json: unsupported value: ${Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'}`)
}

/** As many as of a JSON body; more say nothing new. */
const MOST_REPEATED = 100

function repeatedKeys({ duplicates, source }: YamlDocument): string[] {
  const lineOf = (offset: number): number => positionOf(source, offset).line
  return duplicates
    .slice(0, MOST_REPEATED)
    .map(({ key, second }) => `line ${lineOf(second)}: key ${JSON.stringify(key)} already set in map`)
}
