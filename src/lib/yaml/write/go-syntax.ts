import { goFloat } from './go-numbers.ts'
import { goQuote } from '../../value/go-quote.ts'
import { plainNode } from '../make-nodes.ts'
import { type YamlNode, type YamlScalar } from '../nodes.ts'
import { resolvePlain, resolveScalar, tagOf } from '../resolve.ts'

/** The same of a value that the older library read, which has mappings with keys of any type. */
export function goOldSyntax(node: YamlNode): string {
  if (node.kind === 'scalar') return goScalar(resolveScalar(node, 'v2'))
  if (node.kind === 'seq') return `[]interface {}{${node.items.map(goOldSyntax).join(', ')}}`
  const fields = [...node.fields].sort(([a], [b]) => (a < b ? -1 : 1))
  const keyOf = (key: string): string => (node.oldKeys?.has(key) ? goScalar(resolvePlain(key, 'v2')) : goQuote(key))
  return `map[interface {}]interface {}{${fields.map(([key, value]) => `${keyOf(key)}:${goOldSyntax(value)}`).join(', ')}}`
}

/** A value as Go's `%#v` prints it; `isReprinted` says that it was printed between brackets and read again. */
export function goSyntax(node: YamlNode, isRoot: boolean, isReprinted = false): string {
  // what is empty between brackets was printed as an empty text before it was read
  if (node.kind === 'scalar') return isReprinted && node.value === '' && node.tag === '' ? goQuote('') : goLeaf(node)
  const inside = (child: YamlNode): string => goSyntax(child, false, isReprinted)
  if (node.kind === 'seq') return `[]interface {}{${node.items.map(inside).join(', ')}}`
  const hasOtherKeys = node.otherKey !== undefined && !isRoot
  const typeOf = (key: string): string => (hasOtherKeys && node.oldKeys?.has(key) ? typeOfKey(key) : '!!str')
  const fields = [...node.fields].sort(([a], [b]) => compareKeys(a, typeOf(a), b, typeOf(b)))
  const texts = fields.map(([key, value]) => `${goKey(key, typeOf(key))}:${inside(value)}`)
  return `map[${hasOtherKeys ? 'interface {}' : 'string'}]interface {}{${texts.join(', ')}}`
}

/** Go prints keys of several types in the order in which the types lie in its program. */
const KEY_ORDER = ['!!str', 'uint64', '!!int', '!!float', '!!bool', '!!timestamp']

function compareKeys(a: string, typeOfA: string, b: string, typeOfB: string): number {
  if (typeOfA !== typeOfB) return KEY_ORDER.indexOf(typeOfA) - KEY_ORDER.indexOf(typeOfB)
  if (typeOfA === '!!str') return a < b ? -1 : 1
  const [x, y] = [resolvePlain(a) ?? '', resolvePlain(b) ?? '']
  return x < y ? -1 : 1
}

function typeOfKey(key: string): string {
  const value = resolvePlain(key)
  return typeof value === 'bigint' && value > MAX_INT64 ? 'uint64' : tagOf(plainNode(key))
}

const MAX_INT64 = 2n ** 63n - 1n

function goKey(key: string, type: string): string {
  if (type === '!!str') return goQuote(key)
  const value = resolvePlain(key)
  if (type === 'uint64') return `0x${value?.toString(16)}`
  if (type === '!!float' && typeof value === 'number' && Number.isFinite(value)) return goFloat(value)
  return type === '!!timestamp' ? goTime(String(value)) : goScalar(value)
}

function goTime(text: string): string {
  const time = new Date(text)
  const month = time.toLocaleString('en', { month: 'long', timeZone: 'UTC' })
  const parts = [time.getUTCDate(), time.getUTCHours(), time.getUTCMinutes(), time.getUTCSeconds()]
  return `time.Date(${time.getUTCFullYear()}, time.${month}, ${parts.join(', ')}, ${time.getUTCMilliseconds() * 1e6}, time.UTC)`
}

function goLeaf(node: YamlScalar): string {
  const value = resolveScalar(node)
  if (typeof value === 'string' && tagOf(node) === '!!timestamp') return goTime(value)
  return typeof value === 'number' && Number.isFinite(value) && tagOf(node) === '!!float'
    ? goFloat(value)
    : goScalar(value)
}

function goScalar(value: ReturnType<typeof resolveScalar>): string {
  if (value === null) return 'interface {}(nil)'
  if (typeof value === 'string') return goQuote(value)
  if (typeof value === 'bigint' && value > MAX_INT64) return `0x${value.toString(16)}`
  if (typeof value !== 'number' || Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}
