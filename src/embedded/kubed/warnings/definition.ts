import { isObject, type JsonObject, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { Obj } from '../object.ts'

/** Formats of texts that the server checks, without dashes. @see k8s.io/apiextensions-apiserver/pkg/apiserver/validation formats.go */
const TEXT_FORMATS = new Set([
  ...['bsonobjectid', 'uri', 'email', 'hostname', 'ipv4', 'ipv6', 'cidr', 'mac', 'uuid', 'uuid3', 'uuid4', 'uuid5'],
  ...['isbn', 'isbn10', 'isbn13', 'creditcard', 'ssn', 'hexcolor', 'rgbcolor', 'byte', 'password', 'date', 'duration'],
  ...['datetime', 'k8sshortname', 'k8slongname'],
])
const NUMBER_FORMATS: Readonly<Record<string, readonly string[]>> = {
  integer: ['int32', 'int64'],
  number: ['float', 'double'],
}

/** What the server says of the schemas of a new definition. */
export function warningsOfDefinition({ spec }: Obj): string[] {
  const schemas = objectsOf(objectOf(spec).versions).map(({ schema }) => objectOf(objectOf(schema).openAPIV3Schema))
  const parts = agree(schemas) ? schemas.slice(0, 1).flatMap(allParts) : schemas.flatMap(allParts)
  const sets = parts.filter((part) => part['x-kubernetes-list-type'] === 'set').map(({ items }) => objectOf(items).type)
  const odd = ['array', 'object'].filter((type) => sets.includes(type))
  return [
    ...parts.filter((part) => !isKnown(part)).map(({ format }) => `unrecognized format ${JSON.stringify(format)}`),
    ...odd.map(
      (type) =>
        `x-kubernetes-list-type: set for items of type "${type}" is not supported by server-side apply or CEL validation rules`,
    ),
  ]
}

/** Schemas that all versions share are kept, and told of, once. */
const agree = (schemas: readonly JsonObject[]): boolean =>
  schemas.every((schema) => JSON.stringify(schema) === JSON.stringify(schemas[0]))

function isKnown({ type, format }: JsonObject): boolean {
  const name = stringOf(format)
  if (name === '') return true
  if (type === undefined || type === 'string') return TEXT_FORMATS.has(name.replaceAll('-', ''))
  return NUMBER_FORMATS[stringOf(type)]?.includes(name) === true
}

function allParts(schema: JsonObject): JsonObject[] {
  const { items, not, additionalProperties, properties } = schema
  const below = [items, not, additionalProperties, ...Object.values(objectOf(properties))].filter(isObject)
  const lists = ['allOf', 'oneOf', 'anyOf'].flatMap((name) => objectsOf(schema[name]))
  return [schema, ...[...below, ...lists].flatMap(allParts)]
}
