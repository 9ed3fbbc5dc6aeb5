import { asJson, type Json } from '../../../lib/kube/json.ts'
import { decodeProtobuf } from '../../../lib/kube/protobuf.ts'
import { loadOne } from '../../../lib/yaml/load.ts'
import type { Call } from '../call.ts'
import { badRequest, Fault } from '../fault.ts'

/** Reads the body of a write in the media type that it says. An empty one is an empty object. */
export function readBody(call: Call): Json {
  const { body, contentType } = call
  if (body.length === 0) return {}
  if (contentType === 'application/vnd.kubernetes.protobuf') {
    const decoded = decodeProtobuf(body)
    if (decoded === undefined) throw badRequest('the body is not a Kubernetes protobuf message of a known kind')
    return decoded
  }
  if (contentType === 'application/yaml' || contentType === 'application/apply-patch+yaml')
    return readYaml(body.toString('utf8'))
  if (contentType === '' || contentType.endsWith('json')) return readJson(body.toString('utf8'))
  throw new Fault(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf`,
    {},
  )
}

function readJson(text: string): Json {
  try {
    return asJson(JSON.parse(text))
  } catch (error) {
    throw badRequest(
      `the object provided is unrecognized (must be JSON): ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

function readYaml(text: string): Json {
  // JSON is YAML, and much faster to read as such.
  if (text.startsWith('{')) {
    try {
      return asJson(JSON.parse(text))
    } catch {
      // not JSON after all: flow YAML
    }
  }
  try {
    return asJson(loadOne(text) ?? {})
  } catch (error) {
    throw badRequest(`error decoding YAML: ${error instanceof Error ? error.message : String(error)}`)
  }
}
