import { GO_TYPES } from './go-types.ts'
import { dumpQuantity, NO_QUANTITY } from './quantity.ts'

type Field = {
  readonly name: string
  /** `undefined`: the type's fields stand in the same JSON object. */ readonly json: string | undefined
  readonly type: string
}
type Types = { readonly structs: ReadonlyMap<string, readonly Field[]>; readonly names: ReadonlyMap<string, string> }

const NIL = '<nil>'
let parsed: Types | undefined

/**
 * Prints a JSON value as Go prints a value of that type with all its field names and types: every field, in the order of the type, absent
 * ones as their zero value, maps sorted by key.
 */
export function dumpAs(type: string, value: unknown): string {
  parsed ??= parseTypes(GO_TYPES)
  return typed(parsed, type, value)
}

function typed(types: Types, type: string, value: unknown): string {
  if (!type.startsWith('*')) return `(${type})${bare(types, type, value)}`
  return `(${type})${value === undefined || value === null ? NIL : bare(types, type.slice(1), value)}`
}

function bare(types: Types, type: string, value: unknown): string {
  const fields = types.structs.get(type)
  if (fields) return dumpStruct(types, fields, value)
  if (type.startsWith('[]')) return dumpList(types, type.slice(2), value)
  const map = /^map\[([\w.]+)\](.+)$/.exec(type)
  if (map?.[2]) return dumpMap(types, map[2], value)
  const alias = types.names.get(type)
  if (alias !== undefined) return bare(types, alias, value)
  switch (type) {
    case 'bool':
      return String(value === true)
    case 'int32':
    case 'int64':
      return String(typeof value === 'number' ? value : 0)
    case 'resource.Quantity':
      return value === undefined ? NO_QUANTITY : (dumpQuantity(String(value)) ?? String(value))
    case 'intstr.IntOrString':
      return dumpIntOrString(value)
    case 'v1.Time':
      return '{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}'
    default:
      return typeof value === 'string' ? value : ''
  }
}

function dumpStruct(types: Types, fields: readonly Field[], value: unknown): string {
  const object = recordOf(value)
  const parts = fields.map(({ name, json, type }) => {
    const inner = json === undefined ? object : object[json]
    return `${name}:${typed(types, type, inner)}`
  })
  return `{${parts.join(' ')}}`
}

function dumpList(types: Types, type: string, value: unknown): string {
  if (!Array.isArray(value) || value.length === 0) return NIL
  return `[${value.map((item) => bare(types, type, item)).join(' ')}]`
}

function dumpMap(types: Types, type: string, value: unknown): string {
  const entries = Object.entries(recordOf(value)).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  if (entries.length === 0) return NIL
  return `map[${entries.map(([key, item]) => `${key}:${bare(types, type, item)}`).join(' ')}]`
}

function dumpIntOrString(value: unknown): string {
  const isText = typeof value === 'string'
  const number = typeof value === 'number' ? value : 0
  return `{Type:(intstr.Type)${isText ? 1 : 0} IntVal:(int32)${number} StrVal:(string)${isText ? value : ''}}`
}

function parseTypes(text: string): Types {
  const structs = new Map<string, readonly Field[]>()
  const names = new Map<string, string>()
  for (const line of text.trim().split('\n')) {
    const colon = line.indexOf(': ')
    if (colon >= 0)
      structs.set(
        line.slice(0, colon),
        line
          .slice(colon + 2)
          .split(', ')
          .map(parseField),
      )
    else names.set(...splitOnce(line))
  }
  return { structs, names }
}

function parseField(text: string): Field {
  const [label, type] = splitOnce(text)
  const [name = '', said] = label.split('=')
  const json = said ?? name.charAt(0).toLowerCase() + name.slice(1)
  return { name, json: json === '@' ? undefined : json, type }
}

function splitOnce(text: string): [string, string] {
  const space = text.indexOf(' ')
  return [text.slice(0, space), text.slice(space + 1)]
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
