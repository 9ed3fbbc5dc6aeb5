import { definition } from '../../../lib/kube-schema/builtin.ts'
import { type Schema, typeOf } from '../../../lib/kube-schema/schema.ts'
import {
  isObject,
  type Json,
  type JsonObject,
  listOf,
  numberOf,
  objectOf,
  objectsOf,
  stringOf,
} from '../../../lib/kube/json.ts'
import type { Obj } from '../object.ts'
import { compareVersions } from './groups.ts'
import type { PrinterColumn, Resource, Subresource } from './resource.ts'

/** In the order in which the real server lists them. */
const VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch']

/** True for a CustomResourceDefinition. */
export function isDefinition(object: Obj): boolean {
  return object.kind === 'CustomResourceDefinition' && object.apiVersion.startsWith('apiextensions.k8s.io/')
}

/** The finalizer of the server itself: a definition stays until the last of its objects is gone. */
export const CLEANUP = 'customresourcecleanup.apiextensions.k8s.io'

/** True while a definition waits for the end of its objects. */
export const isEnding = ({ metadata }: Obj): boolean => metadata.deletionTimestamp !== undefined

/** The version in which objects are kept is remembered, beside those in which they were kept before. In place. */
export function rememberStorage(definition: Obj): void {
  const storage = objectsOf(objectOf(definition.spec).versions).find(({ storage: isStorage }) => isStorage === true)
  const status = objectOf(definition.status)
  const stored = listOf(status.storedVersions)
  const name = stringOf(storage?.name)
  if (storage !== undefined && !stored.includes(name))
    definition.status = { ...status, storedVersions: [...stored, name] }
}

/** Where the objects of a definition are kept. */
export const placeOfObjects = ({ spec }: Obj): string =>
  `${stringOf(objectOf(spec).group)}/${stringOf(objectOf(objectOf(spec).names).plural)}`

/** True of a definition that is served: its names were its own at least once. */
export function isServed({ status }: Obj): boolean {
  return objectsOf(objectOf(status).conditions).some(
    ({ type, status: is }) => (type === 'NamesAccepted' || type === 'Established') && is === 'True',
  )
}

/** The kinds of a definition, one a served version, by the names that it was granted once it was. */
export function resourcesOf(object: Obj): Resource[] {
  const spec = objectOf(object.spec)
  const names = isServed(object) ? objectOf(objectOf(object.status).acceptedNames) : objectOf(spec.names)
  const group = stringOf(spec.group)
  const versions = objectsOf(spec.versions)
  const stored = versions.find(({ storage }) => storage === true)
  const types = new Map(
    versions.map(({ name, schema }) => [
      `${group}/${stringOf(name)}`,
      typeOf(withMeta(objectOf(schema).openAPIV3Schema), definition),
    ]),
  )
  return versions
    .filter(({ served }) => served === true)
    .map((version): Resource => {
      const schema = objectOf(version.schema).openAPIV3Schema
      return {
        group,
        version: stringOf(version.name),
        kind: stringOf(names.kind),
        plural: stringOf(names.plural),
        singular: stringOf(names.singular) || stringOf(names.kind).toLowerCase(),
        shortNames: listOf(names.shortNames).map(stringOf),
        categories: listOf(names.categories).map(stringOf),
        isNamespaced: spec.scope === 'Namespaced',
        verbs: VERBS,
        subresources: subresourcesOf(version, group, names),
        storageKey: placeOfObjects(object),
        storedVersion: `${group}/${stringOf(stored?.name)}`,
        type: types.get(`${group}/${stringOf(version.name)}`) ?? typeOf(withMeta(schema), definition),
        custom: {
          definition: object.metadata.name,
          columns: objectsOf(version.additionalPrinterColumns).map(columnFrom),
          scale: isObject(objectOf(version.subresources).scale)
            ? objectOf(objectOf(version.subresources).scale)
            : undefined,
          selectable: objectsOf(version.selectableFields).map(({ jsonPath }) => stringOf(jsonPath).replace(/^\./, '')),
          deprecation: deprecationOf(version, versions, group, names),
          schema,
          written: typeOf(schemaOf(schema)),
          versions: types,
          isEnding: isEnding(object),
          isFitted: hasDefaults(schema) || (numberOf(object.metadata.generation) ?? 1) > 1,
        },
      }
    })
}

function hasDefaults(schema: Json | undefined): boolean {
  if (Array.isArray(schema)) return schema.some(hasDefaults)
  if (!isObject(schema)) return false
  return schema.default !== undefined || Object.values(schema).some(hasDefaults)
}

function deprecationOf(
  version: JsonObject,
  versions: readonly JsonObject[],
  group: string,
  names: JsonObject,
): string | undefined {
  if (version.deprecated !== true) return undefined
  if (typeof version.deprecationWarning === 'string' && version.deprecationWarning !== '')
    return version.deprecationWarning
  const kind = stringOf(names.kind)
  const [best] = versions
    .filter(({ served, deprecated }) => served === true && deprecated !== true)
    .map(({ name }) => stringOf(name))
    .filter((name) => compareVersions(name, stringOf(version.name)) < 0)
    .sort(compareVersions)
  const advice = best === undefined ? '' : `; use ${group}/${best} ${kind}`
  return `${group}/${stringOf(version.name)} ${kind} is deprecated${advice}`
}

function subresourcesOf(version: JsonObject, group: string, names: JsonObject): ReadonlyMap<string, Subresource> {
  const out = new Map<string, Subresource>()
  const { status, scale } = objectOf(version.subresources)
  const verbs = ['get', 'patch', 'update']
  if (isObject(status)) out.set('status', { kind: stringOf(names.kind), group, version: stringOf(version.name), verbs })
  if (isObject(scale)) out.set('scale', { kind: 'Scale', group: 'autoscaling', version: 'v1', verbs })
  return out
}

function columnFrom(column: JsonObject): PrinterColumn {
  return {
    name: stringOf(column.name),
    type: stringOf(column.type),
    format: stringOf(column.format),
    description:
      stringOf(column.description) ||
      `Custom resource definition column (in JSONPath format): ${stringOf(column.jsonPath)}`,
    priority: typeof column.priority === 'number' ? column.priority : 0,
    jsonPath: stringOf(column.jsonPath),
  }
}

/** The schema with the fields that every object has. */
function withMeta(written: Json | undefined): Schema {
  return withHeader(withEmbeddedMeta(schemaOf(written)))
}

const withHeader = (schema: Schema): Schema => ({
  ...schema,
  properties: {
    ...schema.properties,
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' },
  },
})

/** The schema with the same fields where resources stand in it; itself where none do. */
function withEmbeddedMeta(schema: Schema): Schema {
  const { properties = {}, items, additionalProperties: values } = schema
  const parts = Object.entries(properties).map(([name, part]) => [name, part, withEmbeddedMeta(part)] as const)
  const ownItems = items === undefined ? undefined : withEmbeddedMeta(items)
  const ownValues = typeof values === 'object' ? withEmbeddedMeta(values) : values
  const isSame = parts.every(([, part, own]) => part === own) && ownItems === items && ownValues === values
  const own = isSame
    ? schema
    : {
        ...schema,
        ...(schema.properties === undefined
          ? {}
          : { properties: Object.fromEntries(parts.map(([name, , part]) => [name, part])) }),
        ...(ownItems === undefined ? {} : { items: ownItems }),
        ...(ownValues === undefined ? {} : { additionalProperties: ownValues }),
      }
  return schema['x-kubernetes-embedded-resource'] === true ? withHeader(own) : own
}

function schemaOf(written: Json | undefined): Schema {
  return isObject(written) ? (written as Schema) : { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
}
