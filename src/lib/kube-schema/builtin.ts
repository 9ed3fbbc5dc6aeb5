import { own } from '../value/own.ts'
import { SCHEMA_CHUNKS } from './data/schemas.ts'
import { type FieldType, type Schema, typeOf } from './schema.ts'
import { unpack } from './unpack.ts'

type Package = Readonly<Record<string, Schema>>

const packages = new Map<string, Package>()
const references = new Map<string, Schema>()
const PREFIX = '#/definitions/'

/** The definitions of one package of the Kubernetes document, decoded on first use. */
export function definitionsOf(name: string): Package | undefined {
  const known = packages.get(name)
  if (known !== undefined) return known
  const chunk = own(SCHEMA_CHUNKS, name)
  if (chunk === undefined) return undefined
  const decoded = withKeyDefaults(name, unpack<Package>(chunk))
  packages.set(name, decoded)
  return decoded
}

/** Names of all packages that have definitions. */
export function packageNames(): readonly string[] {
  return Object.keys(SCHEMA_CHUNKS)
}

/** Finds the definition that a `$ref` (or a definition's full name) names. */
export function definition(ref: string): Schema | undefined {
  const full = ref.startsWith(PREFIX) ? ref.slice(PREFIX.length) : ref
  const dot = full.lastIndexOf('.')
  return own(definitionsOf(full.slice(0, dot)) ?? {}, full.slice(dot + 1))
}

/** The package that holds the kinds of an apiVersion: `apps/v1` -> `io.k8s.api.apps.v1`. */
export function packageOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/')
  const group = slash < 0 ? 'core' : apiVersion.slice(0, slash)
  const version = apiVersion.slice(slash + 1)
  if (group === 'apiextensions.k8s.io') return `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.${version}`
  if (group === 'apiregistration.k8s.io') return `io.k8s.kube-aggregator.pkg.apis.apiregistration.${version}`
  if (group === 'meta.k8s.io') return `io.k8s.apimachinery.pkg.apis.meta.${version}`
  return `io.k8s.api.${group.split('.')[0] ?? ''}.${version}`
}

/**
 * The type of a built-in kind: fields, list-map keys, patch merge keys, map types.
 *
 * Decoded a package at a time on first use, without descriptions. `undefined` for kinds that Kubernetes does not have built in.
 */
export function schemaFor(apiVersion: string, kind: string): FieldType | undefined {
  return definitionType(`${packageOf(apiVersion)}.${kind}`)
}

/** The type of a definition by its full name, for example `io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta`. */
export function definitionType(name: string): FieldType | undefined {
  if (definition(name) === undefined) return undefined
  let ref = references.get(name)
  if (ref === undefined) references.set(name, (ref = { $ref: `${PREFIX}${name}` }))
  return typeOf(ref, definition)
}

/** The document lost the defaults of list keys; the Go types carry them (+default="TCP", +default=""). */
function withKeyDefaults(name: string, decoded: Package): Package {
  if (name !== 'io.k8s.api.core.v1') return decoded
  const out: Record<string, Schema> = { ...decoded }
  const keys = {
    ServicePort: ['protocol', 'TCP'],
    ContainerPort: ['protocol', 'TCP'],
    LocalObjectReference: ['name', ''],
  } as const
  for (const [kind, [key, value]] of Object.entries(keys)) {
    const item = out[kind]
    const field = item?.properties?.[key]
    if (item !== undefined && field !== undefined)
      out[kind] = { ...item, properties: { ...item.properties, [key]: { ...field, default: value } } }
  }
  return out
}
