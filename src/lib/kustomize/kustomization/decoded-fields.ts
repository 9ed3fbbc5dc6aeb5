import type { YamlMap, YamlNode } from '../../yaml/nodes.ts'
import type { Decoded } from './decode.ts'

/** Reads typed parts out of a decoded struct; what is absent has Go's zero value. */
export function textOf(decoded: Decoded, name: string): string {
  const value = decoded[name]
  return typeof value === 'string' ? value : ''
}

/** A list of texts. */
export function textsOf(decoded: Decoded, name: string): readonly string[] {
  const value = decoded[name]
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

/** The node of a field, if the file has it. */
export function fieldNode(decoded: Decoded, name: string): YamlNode | undefined {
  const { node } = decoded
  if (!isMapNode(node)) return undefined
  const { fields } = node
  const lower = name.toLowerCase()
  return fields.get(name) ?? [...fields].find(([key]) => key.toLowerCase() === lower)?.[1]
}

/** A text of a list, and where it stands. */
export type TextEntry = { readonly text: string; readonly node: YamlNode | undefined }

/** A list of texts with their places. */
export function entriesOf(decoded: Decoded, name: string): readonly TextEntry[] {
  const list = fieldNode(decoded, name)
  const items = list?.kind === 'seq' ? list.items : []
  return textsOf(decoded, name).map((text, index) => ({ text, node: items[index] ?? list }))
}

/** A map of texts; undefined when the field is absent. */
export function textMapOf(decoded: Decoded | undefined, name: string): Readonly<Record<string, string>> | undefined {
  const value = decoded?.[name]
  return isDecoded(value)
    ? Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)]))
    : undefined
}

/** A list of structs. */
export function structsOf(decoded: Decoded, name: string): readonly Decoded[] {
  const value = decoded[name]
  return Array.isArray(value) ? value.filter(isDecoded) : []
}

/** A struct; undefined when absent. */
export function structOf(decoded: Decoded, name: string): Decoded | undefined {
  const value = decoded[name]
  return isDecoded(value) ? value : undefined
}

/** A boolean, false when absent. */
export function flagOf(decoded: Decoded | undefined, name: string): boolean {
  return decoded?.[name] === true
}

/** A number, undefined when absent. */
export function numberOf(decoded: Decoded | undefined, name: string): number | undefined {
  const value = decoded?.[name]
  return typeof value === 'number' ? value : undefined
}

function isDecoded(value: unknown): value is Decoded {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The mapping that a struct was decoded from. */
export function nodeOf(decoded: Decoded): YamlMap {
  const { node } = decoded
  if (isMapNode(node)) return node
  throw new Error('a decoded struct has its node')
}

function isMapNode(value: unknown): value is YamlMap {
  return isDecoded(value) && value['kind'] === 'map' && value['fields'] instanceof Map
}
