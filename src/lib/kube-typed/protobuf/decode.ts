import { isObject, type Json, type JsonObject } from '../../kube/json.ts'
import { type Field, LISTS, MAGIC, messageNameOf, messageOf, SHAPE, shortName } from './messages.ts'

const MAX_DEPTH = 64

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
  const found = messageNameOf(apiVersion, kind)
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
    return special(name, out, this.#bytes.length === 0)
  }

  #put(out: JsonObject, [, name, type, shape]: Field, value: Buffer | bigint | number): void {
    if (shape === SHAPE.map) {
      if (Buffer.isBuffer(value)) this.#putEntry(out, name, type, value)
      return
    }
    const decoded = this.#value(type, value)
    const kept = out[name]
    if (shape === SHAPE.embedded && isObject(decoded)) Object.assign(out, decoded)
    else if (shape === SHAPE.repeated) out[name] = Array.isArray(kept) ? [...kept, decoded] : [decoded]
    // what is always written says nothing when it is zero
    else if (shape !== SHAPE.always || !isZero(decoded)) out[name] = decoded
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

const isZero = (value: Json): boolean => value === '' || value === 0 || value === false

/** Messages that are something else in JSON than an object of their fields. */
function special(name: string, value: JsonObject, isEmpty: boolean): Json {
  const kind = shortName(name)
  if (LISTS.has(kind)) return value.items ?? []
  if (kind === 'Quantity') return value.string ?? '0'
  if (kind === 'IntOrString') return value.type === 1 ? (value.strVal ?? '') : (value.intVal ?? 0)
  if (kind === 'Time' || kind === 'MicroTime') {
    if (isEmpty) return null
    const { seconds = 0, nanos } = value
    if (typeof seconds !== 'number') return null
    const text = new Date(seconds * 1000).toISOString()
    const micros = String(Math.floor((typeof nanos === 'number' ? nanos : 0) / 1000)).padStart(6, '0')
    return text.replace(/\.\d+Z$/, kind === 'Time' ? 'Z' : `.${micros}Z`)
  }
  if (kind === 'RawExtension' || kind === 'FieldsV1' || kind === 'JSON') {
    const { raw } = value
    return typeof raw === 'string' ? parse(Buffer.from(raw, 'base64').toString('utf8')) : {}
  }
  if (kind === 'JSONSchemaPropsOrBool') return value.schema ?? value.allows ?? false
  if (kind === 'JSONSchemaPropsOrArray') return value.schema ?? value.jSONSchemas ?? null
  if (kind === 'JSONSchemaPropsOrStringArray') return value.schema ?? value.property ?? []
  return value
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return null
  }
}
