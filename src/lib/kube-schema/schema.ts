import type { Json } from '../kube/json.ts'

/** An OpenAPI schema as the Kubernetes document and the definitions of custom resources write it. */
export type Schema = {
  readonly $ref?: string
  readonly allOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly not?: Schema
  readonly type?: string
  readonly format?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly required?: readonly string[]
  readonly default?: Json
  readonly enum?: readonly Json[]
  readonly nullable?: boolean
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: boolean
  readonly exclusiveMaximum?: boolean
  readonly multipleOf?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-map-type'?: string
  readonly 'x-kubernetes-patch-strategy'?: string
  readonly 'x-kubernetes-patch-merge-key'?: string
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean
  readonly 'x-kubernetes-int-or-string'?: boolean
  readonly 'x-kubernetes-embedded-resource'?: boolean
  readonly 'x-kubernetes-validations'?: readonly Json[]
  /** How Go writes the fields (generated): Z left out when zero, S a struct that is always there, V always there, N a pointer that is null when unset. */
  readonly 'x-go'?: Readonly<Partial<Record<'Z' | 'S' | 'V' | 'N', readonly string[]>>>
  readonly 'x-kubernetes-group-version-kind'?: readonly {
    readonly group: string
    readonly version: string
    readonly kind: string
  }[]
}

/** What a field is, with everything that merging, pruning and ownership ask about it. Made once a schema, children when asked. */
export type FieldType = {
  readonly schema: Schema
  /** Full name of the definition that a `$ref` named. */
  readonly name: string | undefined
  /** The same without what all of Kubernetes' own begin with: `core.v1.Pod`; '' for a schema without a name. */
  readonly shortName: string
  /** `any`: nothing is declared; decide by the value. */
  readonly kind: 'scalar' | 'map' | 'list' | 'any'
  /** The Go type behind a scalar or special object of the built-in kinds. */
  readonly special: Special | undefined
  readonly isAtomic: boolean
  /** Keys of an associative list; undefined for sets and atomic lists. */
  readonly keys: readonly string[] | undefined
  readonly isSet: boolean
  readonly mergeKey: string | undefined
  readonly strategies: readonly string[]
  /** Unknown fields stay, instead of being an error or pruned. */
  readonly preservesUnknown: boolean
  /** True when `name` is a declared property (not merely a key of a map). */
  readonly declares: (name: string) => boolean
  readonly names: readonly string[]
  /** The type of a property, or of the values of a map. */
  readonly child: (name: string) => FieldType | undefined
  readonly element: FieldType | undefined
  /** Values that list keys have when they are absent (port protocol is TCP). */
  readonly keyDefault: (key: string) => Json | undefined
}

/** Named types that JSON alone does not show. */
export type Special = 'quantity' | 'intOrString' | 'time' | 'microTime' | 'rawExtension' | 'fieldsV1' | 'bytes'

/** Finds the schema that a `$ref` names. */
export type Resolve = (ref: string) => Schema | undefined

const SPECIALS: Readonly<Record<string, Special>> = {
  'resource.Quantity': 'quantity',
  'intstr.IntOrString': 'intOrString',
  'v1.Time': 'time',
  'v1.MicroTime': 'microTime',
  'runtime.RawExtension': 'rawExtension',
  'v1.FieldsV1': 'fieldsV1',
}

const PACKAGES = /^io\.k8s\.(?:api|apiextensions-apiserver\.pkg\.apis|apimachinery\.pkg\.apis)\./

/** What Go has where nothing was given. */
const EMPTY: Readonly<Record<string, Json>> = { string: '', integer: 0 }

const compiled = new WeakMap<Schema, FieldType>()

/** The type that a schema describes. Remembered by the identity of `schema`. */
export function typeOf(schema: Schema, resolve: Resolve = () => undefined): FieldType {
  const known = compiled.get(schema)
  if (known !== undefined) return known
  const type = new CompiledType(schema, resolve)
  compiled.set(schema, type)
  return type
}

/** A class, because V8 keeps an object with a getter of its own as a slow table of 800 bytes, and there are thousands. */
class CompiledType implements FieldType {
  readonly schema: Schema
  readonly name: string | undefined
  readonly shortName: string
  readonly special: Special | undefined
  readonly kind: FieldType['kind']
  readonly isAtomic: boolean
  readonly keys: readonly string[] | undefined
  readonly isSet: boolean
  readonly mergeKey: string | undefined
  readonly strategies: readonly string[]
  readonly preservesUnknown: boolean
  readonly names: readonly string[]
  readonly #resolve: Resolve
  #children: Map<string, FieldType> | undefined

  constructor(written: Schema, resolve: Resolve) {
    const special = specialOf(written)
    const schema = dereference(written, resolve)
    const { keys, isSet, isAtomic } = relationOf(schema, special)
    this.schema = schema
    this.name = refOf(written)
    this.shortName = this.name?.replace(PACKAGES, '') ?? ''
    this.special = special ?? (schema.type === 'string' && schema.format === 'byte' ? 'bytes' : undefined)
    this.kind = kindOf(schema, special)
    this.isAtomic = isAtomic
    this.keys = keys
    this.isSet = isSet
    this.mergeKey = schema['x-kubernetes-patch-merge-key']
    this.strategies = (schema['x-kubernetes-patch-strategy'] ?? '').split(',')
    this.preservesUnknown = schema['x-kubernetes-preserve-unknown-fields'] === true
    this.names = Object.keys(schema.properties ?? {})
    this.#resolve = resolve
  }

  declares(name: string): boolean {
    const { properties } = this.schema
    return properties !== undefined && Object.hasOwn(properties, name)
  }

  child(name: string): FieldType | undefined {
    const known = this.#children?.get(name)
    if (known !== undefined) return known
    const own = this.declares(name) ? this.schema.properties?.[name] : undefined
    const extra = this.schema.additionalProperties
    const found = own ?? (typeof extra === 'object' ? extra : undefined)
    if (found === undefined) return undefined
    const type = typeOf(found, this.#resolve)
    if (own !== undefined) (this.#children ??= new Map()).set(name, type)
    return type
  }

  get element(): FieldType | undefined {
    return this.schema.items === undefined ? undefined : typeOf(this.schema.items, this.#resolve)
  }

  keyDefault(key: string): Json | undefined {
    const { element } = this
    const schema = element?.child(key)?.schema
    // Go's own types have an empty value where one is needed; the schemas that are written out do not tell.
    const isGos = element?.name?.startsWith('io.k8s.') === true && element.schema.required?.includes(key) === true
    return schema?.default ?? (isGos ? EMPTY[schema?.type ?? ''] : undefined)
  }
}

function refOf(schema: Schema): string | undefined {
  const ref = schema.$ref ?? (schema.allOf?.length === 1 ? schema.allOf[0]?.$ref : undefined)
  return ref?.slice(ref.lastIndexOf('/') + 1)
}

function specialOf(schema: Schema): Special | undefined {
  if (schema['x-kubernetes-int-or-string'] === true) return 'intOrString'
  const ref = refOf(schema)
  if (ref === undefined) return undefined
  const parts = ref.split('.')
  return SPECIALS[parts.slice(-2).join('.')]
}

function dereference(schema: Schema, resolve: Resolve): Schema {
  let here = schema
  for (let depth = 0; depth < 8; depth++) {
    const ref = here.$ref ?? (here.allOf?.length === 1 ? here.allOf[0]?.$ref : undefined)
    const target = ref === undefined ? undefined : resolve(ref)
    if (target === undefined) return here
    const { $ref: _ref, allOf: _allOf, ...rest } = here
    here = { ...target, ...rest }
  }
  return here
}

function kindOf(schema: Schema, special: Special | undefined): FieldType['kind'] {
  if (special === 'rawExtension') return 'any'
  if (special === 'fieldsV1') return 'map'
  if (special !== undefined) return 'scalar'
  if (schema.type === 'array') return 'list'
  if (schema.properties !== undefined || schema.additionalProperties !== undefined) return 'map'
  if (schema.type === 'object' || schema.type === undefined) return 'any'
  return 'scalar'
}

function relationOf(
  schema: Schema,
  special: Special | undefined,
): { keys: readonly string[] | undefined; isSet: boolean; isAtomic: boolean } {
  if (schema.type !== 'array')
    return {
      keys: undefined,
      isSet: false,
      isAtomic: schema['x-kubernetes-map-type'] === 'atomic' || special === 'fieldsV1' || special === 'rawExtension',
    }
  const listType = schema['x-kubernetes-list-type']
  const merges = (schema['x-kubernetes-patch-strategy'] ?? '').split(',').includes('merge')
  if (listType === 'map') return { keys: schema['x-kubernetes-list-map-keys'] ?? [], isSet: false, isAtomic: false }
  if (listType === 'set') return { keys: undefined, isSet: true, isAtomic: false }
  // Lists older than list types say it by their patch strategy alone.
  if (listType === undefined && merges) {
    const key = schema['x-kubernetes-patch-merge-key']
    return { keys: key === undefined ? undefined : [key], isSet: key === undefined, isAtomic: false }
  }
  return { keys: undefined, isSet: false, isAtomic: true }
}
