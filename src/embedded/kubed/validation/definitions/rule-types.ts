import type { CelScope } from '../../../../lib/cel/compile.ts'
import type { CelShape } from '../../../../lib/cel/cost/worth.ts'
import { isObject, type Json, type JsonObject, listOf, objectOf, stringOf } from '../../../../lib/kube/json.ts'

/** Words that no field can be called by in an expression. */
const RESERVED = new Set([
  ...['true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if', 'import'],
  ...['let', 'loop', 'package', 'namespace', 'return', 'var', 'void', 'while'],
])
const ESCAPES: readonly (readonly [RegExp, string])[] = [
  [/__/g, '__underscores__'],
  [/\./g, '__dot__'],
  [/-/g, '__dash__'],
  [/\//g, '__slash__'],
]

/** The longest request, in bytes: whatever has no bound of its own fits into it. */
const LONGEST_REQUEST = 3 * 1024 * 1024
const LONGEST_NAME = 253

/** A type as rules see it: of `cel` in an expression, and how many there can be. */
type Decl = {
  readonly cel: string
  readonly shape: CelShape
  /** Bytes that it takes at least in a request. */
  readonly leastBytes: number
  readonly fields?: Readonly<Record<string, Decl>>
  readonly item?: Decl
}

/**
 * What a rule of a schema may speak of: `self`, and `oldSelf` as it was, with their types; undefined where no type is known.
 *
 * @param isRoot true for the schema of the whole object
 * @see k8s.io/apiserver/pkg/cel/common schemas.go
 */
export function ruleScopeOf(schema: JsonObject, isRoot: boolean): RuleScope | undefined {
  const decl = declOf(schema, isRoot)
  if (decl === undefined) return undefined
  const structs: Record<string, Record<string, string>> = {}
  const self = typeText(decl, 'object', structs)
  return {
    mostInstances: Math.floor(LONGEST_REQUEST / (decl.leastBytes + 1)),
    scope: (hasOldSelf) => ({
      variables: { self, oldSelf: hasOldSelf ? self : `optional<${self}>` },
      structs,
      shape: decl.shape,
    }),
  }
}

/** The scope of the rules of a schema, and how often what they are about is in an object at most, where no schema above says. */
export type RuleScope = {
  /** @param hasOldSelf false where `oldSelf` need not be there */
  readonly scope: (hasOldSelf: boolean) => CelScope
  readonly mostInstances: number
}

function declOf(schema: JsonObject, isWhole: boolean): Decl | undefined {
  if (schema['x-kubernetes-int-or-string'] === true) return scalar('dyn', 1, lettersOf(schema, LONGEST_REQUEST - 2))
  switch (schema.type) {
    case 'array':
      return listOfDecl(schema)
    case 'object':
      return isObject(schema.additionalProperties)
        ? mapOfDecl(schema, schema.additionalProperties)
        : objectOfDecl(schema, isWhole)
    case 'string':
      return textDecl(schema)
    case 'boolean':
      return scalar('bool', 4, 0)
    case 'number':
      return scalar('double', 1, 0)
    case 'integer':
      return scalar('int', 1, 0)
    default:
      return undefined
  }
}

const scalar = (cel: string, leastBytes: number, most: number): Decl => ({ cel, leastBytes, shape: { most } })

const below = (schema: JsonObject): Decl | undefined =>
  declOf(schema, schema['x-kubernetes-embedded-resource'] === true)

/** A letter may take four bytes. */
const lettersOf = ({ maxLength }: JsonObject, otherwise: number): number =>
  typeof maxLength === 'number' ? 4 * Math.max(0, maxLength) : otherwise

function textDecl(schema: JsonObject): Decl {
  switch (schema.format) {
    case 'byte':
      return scalar(
        'bytes',
        2,
        typeof schema.maxLength === 'number' ? Math.max(0, schema.maxLength) : LONGEST_REQUEST - 2,
      )
    case 'duration':
      return scalar('google.protobuf.Duration', 3, 32)
    case 'date':
      return scalar('google.protobuf.Timestamp', 12, 12)
    case 'date-time':
      return scalar('google.protobuf.Timestamp', 21, 32)
    default: {
      const words = listOf(schema.enum).map((each) => Buffer.byteLength(stringOf(each)))
      return scalar('string', 2, lettersOf(schema, words.length > 0 ? Math.max(...words) : LONGEST_REQUEST - 2))
    }
  }
}

function listOfDecl({ items, maxItems }: JsonObject): Decl | undefined {
  const item = isObject(items) ? below(items) : undefined
  if (item === undefined) return undefined
  const most = boundOf(maxItems) ?? Math.floor((LONGEST_REQUEST - 2) / (item.leastBytes + 1))
  return { cel: 'list', item, leastBytes: 2, shape: { most, element: item.shape } }
}

function mapOfDecl({ maxProperties }: JsonObject, values: JsonObject): Decl | undefined {
  const item = below(values)
  if (item === undefined) return undefined
  const most = boundOf(maxProperties) ?? Math.floor((LONGEST_REQUEST - 2) / (item.leastBytes + 6))
  return { cel: 'map', item, leastBytes: 2, shape: { most, element: item.shape, key: { most: 0 } } }
}

const boundOf = (limit: Json | undefined): number | undefined =>
  typeof limit === 'number' ? Math.max(0, limit) : undefined

function objectOfDecl(schema: JsonObject, isWhole: boolean): Decl {
  const fields: Record<string, Decl> = {}
  let leastBytes = 2
  for (const [name, property] of Object.entries(objectOf((isWhole ? withMeta(schema) : schema).properties))) {
    const decl = below(objectOf(property))
    if (decl === undefined) continue
    const field = escaped(name)
    if (field !== undefined) fields[field] = decl
    if (listOf(schema.required).includes(name) && objectOf(property).default === undefined)
      leastBytes += name.length + decl.leastBytes + 4
  }
  const shapes = Object.fromEntries(Object.entries(fields).map(([name, { shape }]) => [name, shape]))
  return { cel: 'object', fields, leastBytes, shape: { most: 0, fields: shapes } }
}

/** Of metadata a rule sees the names alone. */
function withMeta(schema: JsonObject): JsonObject {
  const properties = objectOf(schema.properties)
  const named = objectOf(objectOf(properties.metadata).properties)
  const name = (field: string, most: number): JsonObject => {
    const own = objectOf(named[field]).maxLength
    return { type: 'string', maxLength: typeof own === 'number' ? Math.min(own, most) : most }
  }
  const metadata = {
    type: 'object',
    properties: { name: name('name', LONGEST_NAME), generateName: name('generateName', LONGEST_NAME - 1) },
  }
  return {
    ...schema,
    properties: { ...properties, apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata },
  }
}

/** The name of a type in CEL; what it is made of is added to `structs`. */
function typeText({ cel, fields, item }: Decl, name: string, structs: Record<string, Record<string, string>>): string {
  if (item !== undefined)
    return cel === 'list'
      ? `list<${typeText(item, `${name}.@idx`, structs)}>`
      : `map<string, ${typeText(item, `${name}.@elem`, structs)}>`
  if (fields === undefined) return cel
  structs[name] = Object.fromEntries(
    Object.entries(fields).map(([field, decl]) => [field, typeText(decl, `${name}.${field}`, structs)]),
  )
  return name
}

/** The name of a field in an expression; undefined where it has none. */
function escaped(property: string): string | undefined {
  if (RESERVED.has(property)) return `__${property}__`
  const name = ESCAPES.reduce((text, [from, to]) => text.replace(from, to), property)
  return /^[A-Za-z_]\w*$/.test(name) ? name : undefined
}
