import { definitionType } from '../../../lib/kube-schema/builtin.ts'
import { isObject, type Json, type JsonObject, sorted, stringOf } from '../../../lib/kube/json.ts'
import { goQuote } from '../../../lib/value/go-quote.ts'
import { GoJsonError, MAX_DEPTH, scanGoJson } from '../../../lib/kube/go-json.ts'
import { decodeProtobuf, ProtobufError } from '../../../lib/kube-typed/protobuf/decode.ts'
import type { Call } from '../request/call.ts'
import { badRequest, Fault } from '../fault.ts'
import { apiVersionOf } from '../resources/resource.ts'
import { inexactText, parseJson, tooLargeIn } from './json-text.ts'
import { inexactIn, spellingOf } from './number-text.ts'
import { DecodeError, decodeTyped } from './typed.ts'
import { type Body, readYaml, UnreadableBody } from './yaml-body.ts'

export type { Body }

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
  if (contentType === 'application/vnd.kubernetes.protobuf') return { value: readProtobuf(call), oddities: [] }
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
    // Options are of a type of Go's, whatever is deleted.
    const resource = { ...call.resource, custom: undefined }
    const { value, spelling } = readBody({ ...call, resource, fieldValidation: 'Ignore' })
    const body = isObject(value) ? value : {}
    const kind = stringOf(body.kind) || 'DeleteOptions'
    if (kind !== 'DeleteOptions') {
      const version = stringOf(body.apiVersion) || 'meta.k8s.io/v1'
      throw badRequest(`no kind "${kind}" is registered for version "${version}" in scheme "pkg/runtime/scheme.go:111"`)
    }
    const type = definitionType('io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions')
    if (type !== undefined) decodeTyped(type, body, '', { unknown: [], spelling }, 'DeleteOptions')
    return body
  } catch (error) {
    throw error instanceof UnreadableBody || error instanceof DecodeError ? badRequest(error.message) : error
  }
}

/** Reads a patch. @throws Fault 400 */
export function readPatch({ body, contentType, fieldValidation, resource, warnings }: Call): Body {
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
  const large = tooLargeIn(text)
  if (large !== undefined) throw badRequest(unheld(large, contentType))
  if (resource.custom !== undefined) warnOfInexact(warnings, text)
  try {
    const unknown =
      contentType === 'application/json-patch+json' && fieldValidation !== 'Ignore' ? unknownIn(value) : []
    return { value, oddities: [...odditiesIn(text, fieldValidation), ...unknown] }
  } catch (error) {
    throw error instanceof GoJsonError ? badRequest(`error decoding patch: ${error.message}`) : error
  }
}

/** What an operation of a JSON patch may say. */
const OF_OPERATION = ['op', 'path', 'from', 'value']

function unknownIn(patch: Json): string[] {
  if (!Array.isArray(patch)) return []
  return patch.flatMap((operation, index) =>
    Object.keys(isObject(operation) ? operation : {})
      .filter((name) => !OF_OPERATION.includes(name))
      .map((name) => `unknown field ${JSON.stringify(`[${index}].${name}`)}`),
  )
}

function unheld(number: string, contentType: string): string {
  const into = contentType === 'application/json-patch+json' ? 'struct field jsonPatchOp.value' : 'value'
  const prefix = contentType === 'application/strategic-merge-patch+json' ? '' : 'error decoding patch: '
  return `${prefix}json: cannot unmarshal number ${number} into Go ${into} of type float64`
}

/** Keys that stand twice. A text that is long enough to be nested too deeply is looked through in any case. @throws GoJsonError */
function odditiesIn(text: string, validation: Call['fieldValidation']): string[] {
  const isIgnored = validation === 'Ignore'
  const repeated = isIgnored && text.length < MAX_DEPTH ? [] : scanGoJson(text)
  return isIgnored ? [] : repeated.map(duplicate)
}

const duplicate = (path: string): string => `duplicate field ${JSON.stringify(path)}`

/** A message of a kind that is known is told of as one of that kind. */
function readProtobuf({ body, resource }: Call): Json {
  try {
    return decodeProtobuf(body, { apiVersion: apiVersionOf(resource), kind: resource.kind })
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error
    if (error.head === undefined) throw new UnreadableBody(error.message)
    const { apiVersion, kind } = error.head
    const version = apiVersion.split('/').at(-1) ?? ''
    throw badRequest(`${kind} in version ${goQuote(version)} cannot be handled as a ${resource.kind}: ${error.message}`)
  }
}

const HEADER = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'

function readJson({ fieldValidation, resource, warnings }: Call, text: string): Body {
  const value = parseJson(text)
  // What is no JSON is told of below; to look for the ends of its strings would take time that grows with their square.
  const isCustom = value !== undefined && resource.custom !== undefined
  const large = isCustom ? tooLargeIn(text) : undefined
  if (large !== undefined) {
    const { kind, version } = resource
    const why = `json: cannot unmarshal number ${large} into Go value of type float64`
    throw badRequest(`${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}`)
  }
  if (isCustom) warnOfInexact(warnings, text)
  try {
    if (value === undefined) scanGoJson(text)
    else if (value === null) return { value, oddities: [] }
    else checkHeader(value)
    const spelling = value === undefined || isCustom ? undefined : spellingOf(text, value)
    return { value: value ?? {}, oddities: odditiesIn(text, fieldValidation), spelling }
  } catch (error) {
    throw error instanceof GoJsonError ? new UnreadableBody(UNKNOWN_KIND + error.message) : error
  }
}

/** What no type says of a custom resource, Go keeps as it is; no client is refused for a number that few of them read. */
function warnOfInexact(warnings: string[], text: string): void {
  const number = inexactIn(text)
  if (number !== undefined) warnings.push(`${inexactText(number)}; it is kept as ${Number(number)}`)
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

const MOST_SHOWN = 30

function summaryOf(body: Buffer): string {
  if (body.length === 0) return '<empty>'
  const part = body.subarray(0, MOST_SHOWN).toString(body[0] === 0x7b ? 'utf8' : 'hex')
  return body.length > MOST_SHOWN ? `${part} ...` : part
}
