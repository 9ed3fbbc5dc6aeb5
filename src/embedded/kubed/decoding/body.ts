import { definitionType } from '../../../lib/kube-schema/builtin.ts'
import { asJson, isObject, type Json, type JsonObject, sorted, stringOf } from '../../../lib/kube/json.ts'
import { GoJsonError, MAX_DEPTH, scanGoJson } from '../../../lib/kube/go-json.ts'
import { decodeProtobuf } from '../../../lib/kube-typed/protobuf/decode.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { parseDocuments } from '../../../lib/yaml/parse-documents.ts'
import { type YamlDocument } from '../../../lib/yaml/nodes.ts'
import { positionOf } from '../../../lib/yaml/position.ts'
import { toValue } from '../../../lib/yaml/to-value.ts'
import type { Call } from '../request/call.ts'
import { badRequest, Fault } from '../fault.ts'
import { DecodeError, decodeTyped } from './typed.ts'

/** A body as a value, with what was odd in its text (keys that stand twice), in the words of Go's readers. */
export type Body = { readonly value: Json; readonly oddities: readonly string[] }

/** The body cannot be read as the media type that it says; the message is the reader's. */
class UnreadableBody extends Error {}

/** Reads the body of a write of an object. @throws Fault 400, 415 */
export function readObject(call: Call): Body {
  try {
    return readBody(call)
  } catch (error) {
    throw error instanceof UnreadableBody ? unrecognized(call, error.message) : error
  }
}

/** 400 for a body that is no object of the kind. */
export function unrecognized({ body, resource }: Call, why: string): Fault {
  return badRequest(
    `the object provided is unrecognized (must be of type ${resource.kind}): ${why} (${summaryOf(body)})`,
  )
}

function readBody(call: Call): Body {
  const { body, contentType } = call
  checkInputType(contentType)
  if (contentType === 'application/vnd.kubernetes.protobuf') return { value: readProtobuf(body), oddities: [] }
  if (contentType !== 'application/yaml') return readJson(call, body.toString('utf8'))
  const { value, oddities } = readYaml(body.toString('utf8'))
  if (value !== null) checkHeader(value)
  // Go turns YAML into JSON by way of a map, whose keys it writes in order.
  return { value: sorted(value), oddities }
}

const INPUT_TYPES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']

/** Refuses what no body can be read as. @throws Fault 415 */
export function checkInputType(contentType: string): void {
  if (contentType === '' || INPUT_TYPES.includes(contentType)) return
  const message = `the body of the request was in an unknown format - accepted media types include: ${INPUT_TYPES.join(', ')}`
  throw new Fault(415, 'UnsupportedMediaType', message)
}

/** Reads the options of a DELETE, which may say that they are of any group. @throws Fault 400, 415 */
export function readDeleteOptions(call: Call): JsonObject {
  try {
    const { value } = readBody({ ...call, fieldValidation: 'Ignore' })
    const body = isObject(value) ? value : {}
    const kind = stringOf(body.kind) || 'DeleteOptions'
    if (kind !== 'DeleteOptions') {
      const version = stringOf(body.apiVersion) || call.resource.version
      throw badRequest(`no kind "${kind}" is registered for version "${version}" in scheme "pkg/runtime/scheme.go:111"`)
    }
    const type = definitionType('io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions')
    if (type !== undefined) decodeTyped(type, body, '', [], 'DeleteOptions')
    return body
  } catch (error) {
    throw error instanceof UnreadableBody || error instanceof DecodeError ? badRequest(error.message) : error
  }
}

/** Reads what may be left out. An empty body is an empty object. */
export function readOptions(call: Call): Json {
  return call.body.length === 0 ? {} : readObject(call).value
}

/** Reads a patch. @throws Fault 400 */
export function readPatch({ body, contentType, fieldValidation }: Call): Body {
  const text = body.toString('utf8')
  if (contentType === 'application/apply-patch+yaml') {
    try {
      return readYaml(text)
    } catch (error) {
      throw error instanceof UnreadableBody ? badRequest(`error encoding patch: ${error.message}`) : error
    }
  }
  const value = parseJson(text)
  if (value === undefined) throw badRequest('invalid JSON patch')
  try {
    return { value, oddities: odditiesIn(text, fieldValidation) }
  } catch (error) {
    throw error instanceof GoJsonError ? badRequest(`error decoding patch: ${error.message}`) : error
  }
}

/** Keys that stand twice. A text that is long enough to be nested too deeply is looked through in any case. @throws GoJsonError */
function odditiesIn(text: string, validation: Call['fieldValidation']): string[] {
  const isIgnored = validation === 'Ignore'
  const repeated = isIgnored && text.length < MAX_DEPTH ? [] : scanGoJson(text)
  return isIgnored ? [] : repeated.map(duplicate)
}

const duplicate = (path: string): string => `duplicate field ${JSON.stringify(path)}`

function readProtobuf(body: Buffer): Json {
  if (!body.subarray(0, 4).equals(Buffer.from('k8s\0')))
    throw new UnreadableBody('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]')
  const decoded = decodeProtobuf(body)
  if (decoded === undefined) throw new UnreadableBody('the message is of no known kind')
  return decoded
}

function parseJson(text: string): Json | undefined {
  try {
    // Half of a pair is no sign of Go's; only an escape can spell it.
    const hasEscapes = text.includes('\\u')
    const value = asJson(hasEscapes && /\\ud[89a-f]/i.test(text) ? JSON.parse(text, wellFormed) : JSON.parse(text))
    // An escape may spell it, too.
    if (hasEscapes || text.includes('__proto__')) refusePrototypes(value)
    return value
  } catch (error) {
    if (error instanceof Fault) throw error
    return undefined
  }
}

const wellFormedText = (text: string): string => Buffer.from(text, 'utf8').toString('utf8')

const wellFormed = (_name: string, value: unknown): unknown => {
  if (typeof value === 'string') return wellFormedText(value)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [wellFormedText(name), each]))
}

/** JavaScript cannot keep a field of that name as others are kept. */
function refusePrototypes(value: Json): void {
  const waiting: Json[] = [value]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next !== 'object' || next === null) continue
    if (Object.hasOwn(next, '__proto__')) throw badRequest('kubed does not keep fields named "__proto__": rename it')
    for (const below of Object.values(next)) if (below !== undefined) waiting.push(below)
  }
}

const HEADER = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'

function readJson({ fieldValidation }: Call, text: string): Body {
  const value = parseJson(text)
  try {
    if (value === undefined) scanGoJson(text)
    else if (value === null) return { value, oddities: [] }
    else checkHeader(value)
    return { value: value ?? {}, oddities: odditiesIn(text, fieldValidation) }
  } catch (error) {
    throw error instanceof GoJsonError ? new UnreadableBody(UNKNOWN_KIND + error.message) : error
  }
}

const UNKNOWN_KIND = "couldn't get version/kind; json parse error: "

/** @throws UnreadableBody for what is no map, or says of no kind that it is of */
function checkHeader(body: Json): void {
  if (!isObject(body))
    throw new UnreadableBody(`${UNKNOWN_KIND}json: cannot unmarshal ${goKind(body)} into Go value of type ${HEADER}`)
  for (const field of ['apiVersion', 'kind']) {
    const value = body[field] ?? ''
    if (typeof value !== 'string')
      throw new UnreadableBody(
        `${UNKNOWN_KIND}json: cannot unmarshal ${goKind(value)} into Go struct field .${field} of type string`,
      )
  }
}

const goKind = (value: Json): string =>
  Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value

function readYaml(text: string): Body {
  // JSON is YAML, and much faster to read as such.
  const json = text.startsWith('{') ? parseJson(text) : undefined
  if (json !== undefined) return { value: json, oddities: [] }
  try {
    const [document] = parseDocuments(text)
    const value = document?.root === undefined ? {} : toValue(document.root, { rules: 'v2' })
    return { value: asJson(value), oddities: document === undefined ? [] : repeatedKeys(document) }
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const line = Number(/:(\d+):\d+$/.exec(error.where ?? '')?.[1] ?? 1)
    throw new UnreadableBody(`yaml: ${line > 1 ? `line ${line}: ` : ''}${error.message}`)
  }
}

function repeatedKeys({ duplicates, source }: YamlDocument): string[] {
  return duplicates.map(
    ({ key, second }) => `line ${positionOf(source, second).line}: key ${JSON.stringify(key)} already set in map`,
  )
}

const MOST_SHOWN = 30

function summaryOf(body: Buffer): string {
  if (body.length === 0) return '<empty>'
  const part = body.subarray(0, MOST_SHOWN).toString(body[0] === 0x7b ? 'utf8' : 'hex')
  return body.length > MOST_SHOWN ? `${part} ...` : part
}
