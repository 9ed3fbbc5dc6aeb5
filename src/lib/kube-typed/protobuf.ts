import { PROTOBUF_CHUNKS } from '../kube-schema/data/protobuf.ts'
import { unpack } from '../kube-schema/unpack.ts'
import { isObject, type Json, type JsonObject } from '../kube/json.ts'

type Field = readonly [number: number, name: string, type: string, shape: 0 | 1 | 2]
type Message = ReadonlyMap<number, Field>

const MAGIC = Buffer.from('k8s\u0000', 'latin1')
const META = 'k8s.io.apimachinery.pkg.apis.meta.v1'
/** Messages whose fields JSON shows in their parent. */
const INLINE = new Set([
  'volumeSource',
  'persistentVolumeSource',
  'localObjectReference',
  'handler',
  'ephemeralContainerCommon',
  'ruleWithOperations',
  'rule',
  'ingressRuleValue',
  'deviceConfiguration',
])
const MAX_DEPTH = 64

const packages = new Map<string, ReadonlyMap<string, Message>>()

function messageOf(name: string): Message | undefined {
  const dot = name.lastIndexOf('.')
  const group = name.slice(0, dot)
  let messages = packages.get(group)
  if (messages === undefined) {
    const chunk = PROTOBUF_CHUNKS[group]
    if (chunk === undefined) return undefined
    const decoded = unpack<Record<string, Field[]>>(chunk)
    messages = new Map(
      Object.entries(decoded).map(([key, fields]) => [
        key,
        new Map(fields.map((field) => [field[0], asInJson(field)])),
      ]),
    )
    packages.set(group, messages)
  }
  return messages.get(name.slice(dot + 1))
}

/** A few fields have a capital in protobuf only. */
const asInJson = ([number, name, ...rest]: Field): Field => [
  number,
  name.slice(0, 1).toLowerCase() + name.slice(1),
  ...rest,
]

/**
 * Reads a body in `application/vnd.kubernetes.protobuf` as the JSON object that it stands for.
 *
 * `undefined` when it is no such message or of a kind without a published definition. Fields that are not known are skipped.
 */
export function decodeProtobuf(body: Uint8Array): JsonObject | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (!bytes.subarray(0, 4).equals(MAGIC)) return undefined
  const envelope = readEnvelope(bytes.subarray(4))
  if (envelope === undefined) return undefined
  const { apiVersion, kind, raw } = envelope
  const slash = apiVersion.indexOf('/')
  const group = slash < 0 ? 'core' : (apiVersion.slice(0, slash).split('.')[0] ?? '')
  const version = apiVersion.slice(slash + 1)
  const inMeta = messageOf(`k8s.io.api.${group}.${version}.${kind}`) === undefined
  const name = inMeta ? `${META}.${kind}` : `k8s.io.api.${group}.${version}.${kind}`
  const extension = `k8s.io.apiextensions_apiserver.pkg.apis.${group}.${version}.${kind}`
  const found = messageOf(name) !== undefined ? name : messageOf(extension) !== undefined ? extension : undefined
  if (found === undefined) return undefined
  try {
    const value = new Reader(raw, 0).message(found)
    return isObject(value) ? { apiVersion, kind, ...value } : undefined
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** runtime.Unknown: 1 typeMeta {1 apiVersion, 2 kind}, 2 raw. */
function readEnvelope(bytes: Buffer): { apiVersion: string; kind: string; raw: Buffer } | undefined {
  try {
    const outer = new Reader(bytes, 0)
    let meta = Buffer.alloc(0)
    let raw = Buffer.alloc(0)
    outer.each((number, chunk) => {
      if (number === 1) meta = Buffer.from(chunk)
      if (number === 2) raw = Buffer.from(chunk)
    })
    const texts: string[] = []
    new Reader(meta, 0).each((number, chunk) => (texts[number] = chunk.toString('utf8')))
    return { apiVersion: texts[1] ?? '', kind: texts[2] ?? '', raw }
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** Walks over the wire format. Ends with a RangeError at what does not fit. */
class Reader {
  readonly #bytes: Buffer
  readonly #depth: number
  #at = 0

  constructor(bytes: Buffer, depth: number) {
    if (depth > MAX_DEPTH) throw new RangeError('protobuf nests too deep')
    this.#bytes = bytes
    this.#depth = depth
  }

  /** Length-delimited fields only; the others are skipped. */
  each(visit: (number: number, chunk: Buffer) => void): void {
    while (this.#at < this.#bytes.length) {
      const tag = Number(this.#varint())
      const value = this.#raw(tag & 7)
      if (Buffer.isBuffer(value)) visit(tag >> 3, value)
    }
  }

  message(name: string): Json {
    const fields = messageOf(name)
    const out: JsonObject = {}
    while (this.#at < this.#bytes.length) {
      const tag = Number(this.#varint())
      const wire = tag & 7
      const field = fields?.get(tag >> 3)
      const value = this.#raw(wire)
      if (field !== undefined) this.#put(out, field, value)
    }
    return special(name, out)
  }

  #put(out: JsonObject, [, name, type, shape]: Field, value: Buffer | bigint | number): void {
    if (shape === 2) {
      if (Buffer.isBuffer(value)) this.#putEntry(out, name, type, value)
      return
    }
    const decoded = this.#value(type, value)
    const kept = out[name]
    if (INLINE.has(name) && isObject(decoded)) Object.assign(out, decoded)
    else if (shape === 1) out[name] = Array.isArray(kept) ? [...kept, decoded] : [decoded]
    // Unset strings are written as empty ones.
    else if (decoded !== '') out[name] = decoded
  }

  #putEntry(out: JsonObject, name: string, type: string, chunk: Buffer): void {
    let key = ''
    let value: Json = /^(string|bytes)$/.test(type) ? '' : null
    const entry = new Reader(chunk, this.#depth + 1)
    while (entry.#at < chunk.length) {
      const tag = Number(entry.#varint())
      const raw = entry.#raw(tag & 7)
      if (tag >> 3 === 1 && Buffer.isBuffer(raw)) key = raw.toString('utf8')
      else if (tag >> 3 === 2) value = this.#value(type, raw)
    }
    const map = out[name]
    out[name] = { ...(isObject(map) ? map : {}), [key]: value }
  }

  #value(type: string, raw: Buffer | bigint | number): Json {
    if (Buffer.isBuffer(raw)) {
      if (type === 'string') return raw.toString('utf8')
      if (type === 'bytes') return raw.toString('base64')
      return new Reader(raw, this.#depth + 1).message(type)
    }
    if (typeof raw === 'number') return raw
    return type === 'bool' ? raw !== 0n : Number(BigInt.asIntN(64, raw))
  }

  #raw(wire: number): Buffer | bigint | number {
    switch (wire) {
      case 0:
        return this.#varint()
      case 1:
        this.#at += 8
        return this.#bytes.readDoubleLE(this.#at - 8)
      case 2: {
        const length = Number(this.#varint())
        const start = this.#at
        this.#at += length
        if (this.#at > this.#bytes.length) throw new RangeError('protobuf ends early')
        return this.#bytes.subarray(start, this.#at)
      }
      case 5:
        this.#at += 4
        return this.#bytes.readFloatLE(this.#at - 4)
      default:
        throw new RangeError('unknown protobuf wire type')
    }
  }

  #varint(): bigint {
    let out = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) throw new RangeError('protobuf ends early')
      out |= BigInt(byte & 127) << shift
      if (byte < 128) return out
    }
    throw new RangeError('protobuf number is too long')
  }
}

function special(name: string, value: JsonObject): Json {
  const kind = name.slice(name.lastIndexOf('.') + 1)
  if (kind === 'Quantity') return value.string ?? '0'
  if (kind === 'IntOrString') return value.type === 1 ? (value.strVal ?? '') : (value.intVal ?? 0)
  if (kind === 'Time' || kind === 'MicroTime') {
    const { seconds, nanos } = value
    if (typeof seconds !== 'number') return null
    const text = new Date(seconds * 1000).toISOString()
    const micros = String(Math.floor((typeof nanos === 'number' ? nanos : 0) / 1000)).padStart(6, '0')
    return text.replace(/\.\d+Z$/, kind === 'Time' ? 'Z' : `.${micros}Z`)
  }
  if (kind === 'RawExtension' || kind === 'FieldsV1' || kind === 'JSON') {
    const { raw } = value
    return typeof raw === 'string' ? parse(Buffer.from(raw, 'base64').toString('utf8')) : {}
  }
  if (kind === 'JSONSchemaProps') return withSchemaNames(value)
  if (kind === 'JSONSchemaPropsOrBool') return value.schema ?? value.allows ?? false
  if (kind === 'JSONSchemaPropsOrArray') return value.schema ?? value.jSONSchemas ?? null
  if (kind === 'JSONSchemaPropsOrStringArray') return value.schema ?? value.property ?? []
  return value
}

/** Schemas have names in JSON that no protobuf field can have. */
function withSchemaNames(schema: JsonObject): JsonObject {
  const named = (name: string): string =>
    name === 'ref' || name === 'schema'
      ? `$${name}`
      : name.startsWith('xKubernetes')
        ? name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
        : name
  return Object.fromEntries(
    Object.entries(schema)
      // what is unset is written all the same; only of one field does it mean something else than false
      .filter(([name, value]) => value !== false || name === 'xKubernetesPreserveUnknownFields' || name === 'default')
      .map(([name, value]) => [named(name), value]),
  )
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return null
  }
}
