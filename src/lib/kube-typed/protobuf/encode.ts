import { byBytes, isObject, type Json, type JsonObject, sorted, stringOf } from '../../kube/json.ts'
import { type Field, LISTS, MAGIC, messageNameOf, messageOf, SHAPE, shortName } from './messages.ts'

/** True for kinds that have a published definition in protobuf. */
export const hasProtobuf = (apiVersion: string, kind: string): boolean => messageNameOf(apiVersion, kind) !== undefined

/**
 * Writes an object or a list as the API server does in `application/vnd.kubernetes.protobuf`, byte for byte.
 *
 * The object is one that the server shows: quantities and times are in their canonical form.
 * @returns undefined for a kind without a published definition
 * @see k8s.io/apimachinery/pkg/runtime/serializer/protobuf (runtime.Unknown: 1 typeMeta, 2 raw, 3 contentEncoding, 4 contentType)
 */
export function encodeProtobuf(object: JsonObject): Buffer | undefined {
  const apiVersion = stringOf(object.apiVersion)
  const kind = stringOf(object.kind)
  const name = messageNameOf(apiVersion, kind)
  if (name === undefined) return undefined
  const writer = new Writer()
  writer.text(4, '')
  writer.text(3, '')
  writer.delimited(2, () => writeMessage(writer, name, object))
  writer.delimited(1, () => {
    writer.text(2, kind)
    writer.text(1, apiVersion)
  })
  writer.prepend(MAGIC)
  return writer.written()
}

/** A frame of a watch: the length of the event in four bytes, and the event (1 type, 2 RawExtension of the object). */
export function encodeWatchEvent(type: string, object: Uint8Array): Buffer {
  const writer = new Writer(object.length + 64)
  writer.delimited(2, () => writer.bytes(1, object))
  writer.text(1, type)
  const event = writer.written()
  const length = Buffer.alloc(4)
  length.writeUInt32BE(event.length)
  return Buffer.concat([length, event])
}

/** Fields from the last to the first, because a writer writes from the end. */
const reversed = new Map<string, readonly Field[]>()

function fieldsOf(name: string): readonly Field[] {
  let fields = reversed.get(name)
  if (fields === undefined) reversed.set(name, (fields = [...(messageOf(name)?.values() ?? [])].reverse()))
  return fields
}

function writeMessage(writer: Writer, name: string, value: Json | undefined): void {
  const special = SPECIAL[shortName(name)]
  if (special !== undefined) return special(writer, value, name)
  const object = isObject(value) ? value : {}
  for (const field of fieldsOf(name)) writeField(writer, field, object)
}

function writeField(writer: Writer, [number, name, type, shape]: Field, object: JsonObject): void {
  if (shape === SHAPE.embedded) return writer.delimited(number, () => writeMessage(writer, type, object))
  const value = object[name]
  if (shape === SHAPE.always) return writeValue(writer, number, type, value)
  if (value === undefined || value === null) return
  if (shape === SHAPE.whenThere) writeValue(writer, number, type, value)
  else if (Array.isArray(value))
    for (let index = value.length - 1; index >= 0; index--) writeValue(writer, number, type, value[index])
  else if (isObject(value)) writeMap(writer, number, type, value)
}

/** Entries in the order of their keys. */
function writeMap(writer: Writer, number: number, type: string, map: JsonObject): void {
  for (const key of Object.keys(map).sort(byBytes).reverse())
    writer.delimited(number, () => {
      if (type !== 'bytes' || map[key] !== null) writeValue(writer, 2, type, map[key])
      writer.text(1, key)
    })
}

function writeValue(writer: Writer, number: number, type: string, value: Json | undefined): void {
  switch (type) {
    case 'string':
      return writer.text(number, typeof value === 'string' ? value : '')
    case 'bytes':
      return writer.bytes(number, Buffer.from(stringOf(value), 'base64'))
    case 'bool':
      return writer.integer(number, value === true ? 1 : 0)
    case 'int32':
    case 'int64':
      return writer.integer(number, typeof value === 'number' ? value : 0)
    case 'double':
      return writer.double(number, typeof value === 'number' ? value : 0)
    default:
      writer.delimited(number, () => writeMessage(writer, type, value))
  }
}

type Special = (writer: Writer, value: Json | undefined, name: string) => void

/** The fields of a message, of which JSON shows something else. */
const asFields =
  (form: (value: Json | undefined) => JsonObject): Special =>
  (writer, value, name) => {
    const object = form(value)
    for (const field of fieldsOf(name)) writeField(writer, field, object)
  }

const asList = asFields((items) => ({ items: items ?? null }))

const asTime =
  (isExact: boolean): Special =>
  (writer, value) => {
    if (typeof value !== 'string') return
    writer.integer(2, isExact ? Number(/\.(\d+)/.exec(value)?.[1]?.padEnd(9, '0') ?? 0) : 0)
    writer.integer(1, Math.floor(Date.parse(value) / 1000))
  }

/** Raw JSON, kept as it came. */
const asRaw: Special = (writer, value) => {
  if (value !== undefined && value !== null) writer.bytes(1, Buffer.from(JSON.stringify(value)))
}

/** JSON in a definition is decoded and written anew by Go: keys in order, and nothing that HTML could take for its own. */
const asGoJson: Special = (writer, value) => {
  if (value === undefined || value === null) return
  const text = JSON.stringify(sorted(value)).replace(
    /[<>&\u2028\u2029]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  writer.bytes(1, Buffer.from(text))
}

const SPECIAL: Readonly<Record<string, Special>> = {
  ...Object.fromEntries([...LISTS].map((name) => [name, asList])),
  Quantity: asFields((value) => ({ string: value ?? '0' })),
  IntOrString: asFields((value) => (typeof value === 'string' ? { type: 1, strVal: value } : { intVal: value ?? 0 })),
  Time: asTime(false),
  MicroTime: asTime(true),
  RawExtension: asRaw,
  FieldsV1: asRaw,
  JSON: asGoJson,
  JSONSchemaPropsOrBool: asFields((value) =>
    isObject(value) ? { allows: true, schema: value } : { allows: value === true },
  ),
  JSONSchemaPropsOrArray: asFields((value) =>
    Array.isArray(value) ? { jSONSchemas: value } : { schema: value ?? null },
  ),
  JSONSchemaPropsOrStringArray: asFields((value) =>
    Array.isArray(value) ? { property: value } : { schema: value ?? null },
  ),
}

/** Writes from the end to the beginning, so that the length of what is nested is known when it is written. */
class Writer {
  #buffer: Buffer
  #at: number

  constructor(size = 4096) {
    this.#buffer = Buffer.allocUnsafe(size)
    this.#at = size
  }

  written(): Buffer {
    return this.#buffer.subarray(this.#at)
  }

  prepend(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#at -= bytes.length
    this.#buffer.set(bytes, this.#at)
  }

  text(number: number, value: string): void {
    const length = Buffer.byteLength(value)
    this.#reserve(length)
    this.#at -= length
    this.#buffer.write(value, this.#at, 'utf8')
    this.#head(number, length)
  }

  bytes(number: number, value: Uint8Array): void {
    this.prepend(value)
    this.#head(number, value.length)
  }

  delimited(number: number, write: () => void): void {
    const end = this.#buffer.length - this.#at
    write()
    this.#head(number, this.#buffer.length - this.#at - end)
  }

  integer(number: number, value: number): void {
    this.#varint(value)
    this.#varint(number * 8)
  }

  double(number: number, value: number): void {
    this.#reserve(8)
    this.#at -= 8
    this.#buffer.writeDoubleLE(value, this.#at)
    this.#varint(number * 8 + 1)
  }

  #head(number: number, length: number): void {
    this.#varint(length)
    this.#varint(number * 8 + 2)
  }

  #varint(value: number): void {
    this.#reserve(10)
    if (value >= 0 && value < 128) {
      this.#buffer[--this.#at] = value
      return
    }
    const bytes: number[] = []
    const whole = Math.trunc(value)
    // In halves of 32 bits, as they are read: see wire.ts.
    let [low, high] = [whole >>> 0, Math.floor(whole / 2 ** 32) >>> 0]
    while (high !== 0 || low > 127) {
      bytes.push((low & 127) | 128)
      low = ((low >>> 7) | (high << 25)) >>> 0
      high >>>= 7
    }
    bytes.push(low)
    this.#at -= bytes.length
    this.#buffer.set(bytes, this.#at)
  }

  /** Makes room in front. */
  #reserve(count: number): void {
    if (this.#at >= count) return
    const used = this.#buffer.length - this.#at
    const grown = Buffer.allocUnsafe(2 * (used + count))
    this.#buffer.copy(grown, grown.length - used, this.#at)
    this.#buffer = grown
    this.#at = grown.length - used
  }
}
