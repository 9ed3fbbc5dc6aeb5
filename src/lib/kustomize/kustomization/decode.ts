import { mapNode } from '../../yaml/make-nodes.ts'
import { type YamlMap, type YamlNode } from '../../yaml/nodes.ts'
import { nearest } from '../../value/nearest.ts'
import { goFloat } from '../../yaml/write/go-numbers.ts'
import { resolveScalar, tagOf, type YamlRules } from '../../yaml/resolve.ts'
import { during, failure } from '../failure.ts'
import { isNull } from '../objects/null.ts'
import { jsonKey } from './old-keys.ts'

/** A scalar, by its name in Go; texts of a type of their own are told apart in messages only. */
type ScalarShape = 'string' | 'types.PatchStrategicMerge' | 'types.SortOrder' | 'bool' | 'int' | 'int64' | 'any'

/** The type of a field, as Go's JSON decoder sees it. */
export type Shape =
  | ScalarShape
  | { readonly list: Shape; readonly ofPointers?: true; readonly name?: string }
  | { readonly map: 'string' | 'any' }
  | {
      readonly struct: string
      /** Where the struct is from; `types` when nothing is said. */
      readonly package?: string
      readonly fields: Readonly<Record<string, Shape>>
      /** The embedded structs that a field is in, which Go names on the way to it: `ResId.Gvk` of `kind`. */
      readonly inside?: Readonly<Record<string, string>>
    }

/** A decoded mapping; every struct carries its own `node`, for errors. */
export type Decoded = { readonly [name: string]: unknown }

/**
 * What happens to a field that the struct does not have: an error, or nothing when 'lenient'; that and 'strict' also take numbers and
 * booleans for texts, but in fields of an embedded struct. 'printed' is lenient with what went through an object first, where `yes` is a text.
 */
export type Unknown = 'error' | 'lenient' | 'strict' | 'printed'

const rulesOf = ({ unknown }: Context): YamlRules => (unknown === 'printed' ? 'v3' : 'v2')

type Context = {
  readonly unknown: Unknown
  readonly struct: string
  readonly path: string
  readonly prefix: string
  readonly isEmbedded: boolean
}

/**
 * Decodes a mapping as Go's encoding/json does: names in any case, the last of equal ones wins, null is nothing.
 *
 * @param prefix put before messages, for example `invalid Kustomization`
 */
export function decodeStruct(node: YamlNode, shape: Shape, unknown: Unknown, prefix: string): Decoded {
  const value = decode(node, shape, { unknown, struct: '', path: '', prefix, isEmbedded: false })
  return isDecoded(value) ? value : { node: mapNode() }
}

function isDecoded(value: unknown): value is Decoded {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function decode(node: YamlNode, shape: Shape, context: Context): unknown {
  if (isNull(node)) return undefined
  if (typeof shape === 'string') return decodeScalar(node, shape, context)
  if ('list' in shape) {
    if (node.kind !== 'seq') throw mismatch(node, shape, context)
    return node.items.map((item) => decode(item, shape.list, context) ?? zeroOf(shape.list))
  }
  if (node.kind !== 'map') throw mismatch(node, shape, context)
  if ('map' in shape) return shape.map === 'any' ? node : decodeMap(node, context)
  return decodeFields(node, shape, context)
}

function zeroOf(shape: Shape): unknown {
  return isText(shape) ? '' : {}
}

function isText(shape: Shape): boolean {
  return shape === 'string' || shape === 'types.PatchStrategicMerge' || shape === 'types.SortOrder'
}

const MAX_INT64 = 2 ** 63

function decodeScalar(node: YamlNode, shape: ScalarShape, context: Context): unknown {
  if (shape === 'any') return node
  if (node.kind !== 'scalar') throw mismatch(node, shape, context)
  const value = resolveScalar(node, rulesOf(context))
  if (isInteger(shape) && Number.isInteger(value) && Math.abs(Number(value)) < MAX_INT64) return value
  if (shape === 'bool' && typeof value === 'boolean') return value
  if (isText(shape) && typeof value === 'string') return value
  if (isText(shape) && context.unknown !== 'error' && !context.isEmbedded)
    return typeof value === 'number' && tagOf(node) === '!!float' ? goFloat(value) : String(value)
  throw mismatch(node, shape, context)
}

function isInteger(shape: Shape): boolean {
  return shape === 'int' || shape === 'int64'
}

function decodeMap(node: YamlMap, context: Context): Record<string, string> {
  const map: Record<string, string> = {}
  for (const [key, value] of inOrder(node)) {
    const text = decode(value, 'string', context)
    map[keyOf(node, key, value, context)] = typeof text === 'string' ? text : ''
  }
  return map
}

function keyOf(node: YamlMap, key: string, value: YamlNode, { prefix }: Context): string {
  return during(prefix, () => jsonKey(node, key, value))
}

function decodeFields(
  node: YamlMap,
  { struct, fields, inside }: Extract<Shape, { struct: string }>,
  context: Context,
): Decoded {
  const decoded: Record<string, unknown> = { node }
  for (const [key, value] of inOrder(node)) {
    const name = nameOf(key, fields)
    const shape = name === undefined ? undefined : fields[name]
    if (name === undefined || shape === undefined) {
      if (context.unknown === 'lenient' || context.unknown === 'printed') continue
      throw unknownField(keyOf(node, key, value, context), value, fields, context)
    }
    const path = [context.path, inside?.[name], name].filter(Boolean).join('.')
    const result = decode(value, shape, { ...context, struct, path, isEmbedded: inside?.[name] !== undefined })
    if (result !== undefined) decoded[name] = result
  }
  return decoded
}

/** Go reads the file as JSON with sorted keys, and tells the first error only. */
function inOrder({ fields }: YamlMap): readonly [string, YamlNode][] {
  return [...fields].sort(([a], [b]) => (a < b ? -1 : 1))
}

function nameOf(key: string, fields: Readonly<Record<string, Shape>>): string | undefined {
  if (Object.hasOwn(fields, key)) return key
  const lower = key.toLowerCase()
  return Object.keys(fields).find((name) => name.toLowerCase() === lower)
}

function unknownField(key: string, value: YamlNode, fields: Readonly<Record<string, Shape>>, context: Context): Error {
  const [near] = nearest(key, Object.keys(fields))
  const hint = near ? `did you mean "${near}"?` : 'remove the field'
  return failure('KUSTOMIZE_INVALID', `${context.prefix}: json: unknown field ${JSON.stringify(key)}`, value, hint)
}

function mismatch(node: YamlNode, shape: Shape, context: Context): Error {
  const field = context.path === '' ? 'Go value' : `Go struct field ${context.struct}.${context.path}`
  const message = `${context.prefix}: json: cannot unmarshal ${jsonType(node, shape, rulesOf(context))} into ${field} of type ${goType(shape)}`
  return failure('KUSTOMIZE_INVALID', message, node, typeHint(shape))
}

function typeHint(shape: Shape): string {
  if (shape === 'bool') return 'write true or false'
  if (isInteger(shape)) return 'write a whole number'
  if (typeof shape === 'string') return 'write a text; quote a value that is meant as one'
  return 'list' in shape
    ? 'write a list: a line "- …" for each item'
    : 'write a mapping: a line "name: value" for each field'
}

/** What Go's JSON calls a value; a number by its digits where an integer is wanted. */
export function jsonType(node: YamlNode, wanted: Shape = 'any', rules: YamlRules = 'v2'): string {
  if (node.kind === 'map') return 'object'
  if (node.kind === 'seq') return 'array'
  const value = resolveScalar(node, rules)
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'string'
  return isInteger(wanted) ? `number ${String(value)}` : 'number'
}

function goType(shape: Shape): string {
  if (typeof shape === 'string') return shape === 'any' ? 'interface {}' : shape
  if ('list' in shape) return shape.name ?? `[]${shape.ofPointers ? '*' : ''}${goType(shape.list)}`
  if ('map' in shape) return `map[string]${goType(shape.map)}`
  return `${shape.package ?? 'types'}.${shape.struct}`
}
