import { isObject, type Json, type JsonObject } from '../../kube/json.ts'
import { type Field, LISTS, MAGIC, messageNameOf, messageOf, SHAPE, shortName } from './messages.ts'
import { Wire, WIRE, WireError } from './wire.ts'

const MAX_DEPTH = 64

/** What an object is of. */
type Head = { readonly apiVersion: string; readonly kind: string }

/** A body that cannot be read: `kind` and `apiVersion` are those that it says, where its envelope can be read. */
export class ProtobufError extends Error {
  readonly head: Head | undefined

  constructor(message: string, head: Head | undefined) {
    super(message)
    this.head = head
  }
}

/**
 * Reads a body in `application/vnd.kubernetes.protobuf` as the JSON object that it stands for.
 *
 * Of a kind without a published definition only the kind is answered. Fields that are not known are passed over.
 * @param wanted what the object is of that does not say so
 * @throws ProtobufError in the words of Go
 */
export function decodeProtobuf(body: Uint8Array, wanted: Head = { apiVersion: '', kind: '' }): JsonObject {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (bytes.length === 0) throw new ProtobufError('empty data', undefined)
  if (!bytes.subarray(0, 4).equals(MAGIC))
    throw new ProtobufError(
      `provided data does not appear to be a protobuf message, expected prefix [${[...MAGIC].join(' ')}]`,
      undefined,
    )
  if (bytes.length === MAGIC.length) throw new ProtobufError('empty body', undefined)
  const { raw, ...said } = told(undefined, () => readEnvelope(bytes.subarray(MAGIC.length)))
  const head = {
    // What is no version is none.
    apiVersion: /^[^/]+(\/[^/]*)?$/.test(said.apiVersion) ? said.apiVersion : wanted.apiVersion,
    kind: said.kind || wanted.kind,
  }
  const found = messageNameOf(head.apiVersion, head.kind)
  if (found === undefined) return head
  const value = told(head, () => readMessage(raw, found, 0))
  return isObject(value) ? { ...head, ...value } : head
}

function told<T>(head: Head | undefined, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof WireError ? new ProtobufError(error.message, head) : error
  }
}

/** runtime.Unknown: 1 typeMeta {1 apiVersion, 2 kind}, 2 raw, 3 contentEncoding, 4 contentType. */
function readEnvelope(bytes: Buffer): { apiVersion: string; kind: string; raw: Buffer } {
  const [, meta, raw] = readTexts(bytes, 'Unknown', ['TypeMeta', 'Raw', 'ContentEncoding', 'ContentType'])
  const [, apiVersion, kind] = readTexts(meta ?? Buffer.alloc(0), 'TypeMeta', ['APIVersion', 'Kind'])
  return {
    apiVersion: apiVersion?.toString('utf8') ?? '',
    kind: kind?.toString('utf8') ?? '',
    raw: raw ?? Buffer.alloc(0),
  }
}

/** The fields of a message of nothing but texts, by number. */
function readTexts(bytes: Buffer, message: string, names: readonly string[]): (Buffer | undefined)[] {
  const wire = new Wire(bytes)
  const out: (Buffer | undefined)[] = []
  while (!wire.isDone) {
    const { number, wire: type } = wire.field(message)
    const name = names[number - 1]
    if (name === undefined) wire.skip()
    else if (type === WIRE.delimited) out[number] = wire.delimited()
    else throw wrongType(type, name)
  }
  return out
}

const wrongType = (wire: number, name: string): WireError =>
  new WireError(`proto: wrong wireType = ${wire} for field ${name}`)

/** What Go writes in capitals alone. */
const CAPITALS =
  /^(api|aws|cidr|cpu|csi|dns|fs|gce|gmsa|http|id|iscsi|ip|nfs|os|pid|rbd|se|tcp|tls|tty|uid|url)(?=s?(?![a-z]))/

/** A field as Go names it. */
function goName(message: string, name: string): string {
  if (name === 'metadata') return message.endsWith('List') ? 'ListMeta' : 'ObjectMeta'
  return name.replace(CAPITALS, (word) => word.toUpperCase()).replace(/^[a-z]/, (letter) => letter.toUpperCase())
}

/** Messages that Go reads as another. */
const SHARED: Readonly<Record<string, string>> = { Time: 'Timestamp', MicroTime: 'Timestamp' }

const WIRES: Readonly<Record<string, number>> = {
  bool: WIRE.varint,
  int32: WIRE.varint,
  int64: WIRE.varint,
  double: WIRE.eight,
}

/** A message that is being read: it may come in parts, and so may the messages within it. */
type Draft = { readonly value: JsonObject; readonly inner: Map<Field, Draft>; isEmpty: boolean }

const newDraft = (): Draft => ({ value: {}, inner: new Map(), isEmpty: true })

function readMessage(bytes: Buffer, name: string, depth: number): Json {
  const draft = newDraft()
  readPart(bytes, name, depth, draft)
  return finish(name, draft)
}

/** Every part is read once, into what the parts before it said: a part more costs no more than its own bytes. */
function readPart(bytes: Buffer, name: string, depth: number, into: Draft): void {
  if (depth > MAX_DEPTH) throw new WireError(`kubed reads no more than ${MAX_DEPTH} messages in one another`)
  const fields = messageOf(name)
  const kind = shortName(name)
  const wire = new Wire(bytes)
  into.isEmpty &&= bytes.length === 0
  while (!wire.isDone) {
    const { number, wire: type } = wire.field(SHARED[kind] ?? kind)
    const field = fields?.get(number)
    if (field === undefined) {
      wire.skip()
      continue
    }
    if (type !== (field[3] === SHAPE.map ? WIRE.delimited : (WIRES[field[2]] ?? WIRE.delimited)))
      throw wrongType(type, goName(kind, field[1]))
    if (comesInParts(field)) readPart(wire.delimited(), field[2], depth + 1, innerOf(into, field))
    else if (field[3] === SHAPE.map) putEntry(into.value, field[1], readEntry(wire.delimited(), field[2], depth + 1))
    else put(into.value, field, kind === 'Quantity' ? readQuantity(wire) : readValue(wire, field[2], depth))
  }
}

/** All single messages but times, of which Go lets the last part alone count. */
const comesInParts = ([, , type, shape]: Field): boolean =>
  shape !== SHAPE.map &&
  shape !== SHAPE.repeated &&
  WIRES[type] === undefined &&
  !['string', 'bytes', 'Time', 'MicroTime'].includes(shortName(type))

function innerOf({ value, inner }: Draft, field: Field): Draft {
  const known = inner.get(field)
  if (known !== undefined) return known
  // keeps its place among the other fields
  if (field[3] !== SHAPE.embedded) value[field[1]] = null
  const draft = newDraft()
  inner.set(field, draft)
  return draft
}

function finish(name: string, { value, inner, isEmpty }: Draft): Json {
  for (const [field, draft] of inner) put(value, field, finish(field[2], draft))
  return special(name, value, isEmpty)
}

function readValue(wire: Wire, type: string, depth: number): Json {
  switch (type) {
    case 'string':
      return wire.delimited().toString('utf8')
    case 'bytes':
      return wire.delimited().toString('base64')
    case 'bool':
      return wire.int64() !== 0
    case 'int32':
      return wire.int32()
    case 'int64':
      return wire.int64()
    case 'double':
      return wire.double()
    default:
      return readMessage(wire.delimited(), type, depth + 1)
  }
}

function readEntry(chunk: Buffer, type: string, depth: number): readonly [key: string, value: Json] {
  const entry = new Wire(chunk)
  let key = ''
  let value: Json = /^(string|bytes)$/.test(type) ? '' : null
  while (!entry.isDone) {
    const { number } = entry.tag()
    if (number === 1) key = entry.delimited().toString('utf8')
    else if (number === 2) value = readValue(entry, type, depth)
    else entry.skip()
  }
  return [key, value]
}

function putEntry(out: JsonObject, name: string, [key, value]: readonly [string, Json]): void {
  const kept = out[name]
  const map = isObject(kept) ? kept : (out[name] = {})
  // an assignment to `__proto__` would make no entry
  Object.defineProperty(map, key, { value, enumerable: true, writable: true, configurable: true })
}

function put(out: JsonObject, [, name, , shape]: Field, value: Json): void {
  const kept = out[name]
  if (shape === SHAPE.embedded && isObject(value)) Object.assign(out, value)
  else if (shape === SHAPE.repeated && Array.isArray(kept)) kept.push(value)
  else if (shape === SHAPE.repeated) out[name] = [value]
  // what is always written says nothing when it is zero
  else if (shape !== SHAPE.always || !isZero(value)) out[name] = value
  else delete out[name]
}

const isZero = (value: Json): boolean => value === '' || value === 0 || value === false

/** Messages that are something else in JSON than an object of their fields. */
function special(name: string, value: JsonObject, isEmpty: boolean): Json {
  const kind = shortName(name)
  if (LISTS.has(kind)) return value.items ?? []
  if (kind === 'Quantity') return value.string ?? '0'
  if (kind === 'IntOrString') return value.type === 1 ? (value.strVal ?? '') : (value.intVal ?? 0)
  if (kind === 'Time' || kind === 'MicroTime') return isEmpty ? null : timeOf(value, kind === 'MicroTime')
  if (kind === 'RawExtension' || kind === 'FieldsV1' || kind === 'JSON') {
    const { raw } = value
    return typeof raw === 'string' ? parse(Buffer.from(raw, 'base64').toString('utf8')) : {}
  }
  if (kind === 'JSONSchemaPropsOrBool') return value.schema ?? value.allows ?? false
  if (kind === 'JSONSchemaPropsOrArray') return value.schema ?? value.jSONSchemas ?? null
  if (kind === 'JSONSchemaPropsOrStringArray') return value.schema ?? value.property ?? []
  return value
}

/** The first and the last second that have a year of four digits. */
const [FIRST_SECOND, LAST_SECOND] = [-62_167_219_200, 253_402_300_799]

/** As Go, which lets nanoseconds below zero or beyond a second count, and leaves them out where only seconds are told. */
function timeOf(value: JsonObject, hasMicros: boolean): string {
  const [seconds = 0, nanos = 0] = [value.seconds, value.nanos].map((each) => (typeof each === 'number' ? each : 0))
  const micros = hasMicros ? Math.trunc(nanos / 1000) : 0
  const whole = seconds + Math.floor(micros / 1e6)
  if (whole < FIRST_SECOND || whole > LAST_SECOND) throw new WireError('kubed reads times of the years 0 to 9999 only')
  const text = new Date(whole * 1000).toISOString()
  const rest = String(micros - Math.floor(micros / 1e6) * 1e6).padStart(6, '0')
  return text.replace(/\.\d+Z$/, hasMicros ? `.${rest}Z` : 'Z')
}

const QUANTITY = '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'
/** The same, but a long text that does not match is passed over once. */
const IS_QUANTITY = /^[+-]?[0-9.]+(?![0-9.])[eEinumkKMGTP]*[-+]?[0-9]*$/

/** Go looks at every text as it comes. */
function readQuantity(wire: Wire): string {
  const text = wire.delimited().toString('utf8')
  if (IS_QUANTITY.test(text)) return text
  throw new WireError(`quantities must match the regular expression '${QUANTITY}'`)
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return null
  }
}
