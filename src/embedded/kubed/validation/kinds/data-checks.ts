import { GoJsonError, scanGoJson } from '../../../../lib/kube/go-json.ts'
import { type Json, type JsonObject, objectOf, stringOf } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { type Check, invalidFor, invalidValue, push, required } from '../fault-list.ts'
import { dataKeyErrors } from '../../../../lib/kube/names.ts'
import { own } from '../../../../lib/value/own.ts'

const MOST_BYTES = 1024 * 1024
const TOO_LONG = `Too long: may not be more than ${MOST_BYTES} bytes`
const ACCOUNT = 'kubernetes.io/service-account.name'

/** Keys of which the type of a secret wants JSON. */
const JSON_KEYS: Readonly<Record<string, string>> = {
  'kubernetes.io/dockercfg': '.dockercfg',
  'kubernetes.io/dockerconfigjson': '.dockerconfigjson',
}

/** Checks of ConfigMaps and Secrets. @see k8s.io/kubernetes/pkg/apis/core/validation ValidateSecret */
export const DATA_CHECKS: Readonly<Record<string, Check>> = {
  'core.v1.ConfigMap': ({ data, binaryData }, _path, errors) => {
    let size = 0
    for (const [key, value] of Object.entries(objectOf(data))) {
      invalidFor(errors, `data[${key}]`, key, dataKeyErrors(key))
      if (Object.hasOwn(objectOf(binaryData), key))
        invalidValue(errors, `data[${key}]`, key, 'duplicate of key present in binaryData')
      size += Buffer.byteLength(stringOf(value))
    }
    size += checkBinary('binaryData', binaryData, errors)
    if (size > MOST_BYTES) push(errors, '[]', 'TooLong', TOO_LONG)
  },
  'core.v1.Secret': (secret, _path, errors) => {
    if (checkBinary('data', secret.data, errors) > MOST_BYTES) push(errors, 'data', 'TooLong', TOO_LONG)
    checkType(secret, errors)
  },
}

/** Answers the size in bytes. */
function checkBinary(field: string, data: Json | undefined, errors: FieldError[]): number {
  let size = 0
  for (const [key, value] of Object.entries(objectOf(data))) {
    invalidFor(errors, `${field}[${key}]`, key, dataKeyErrors(key))
    size += Buffer.byteLength(stringOf(value), 'base64')
  }
  return size
}

function checkType({ type, data, metadata }: JsonObject, errors: FieldError[]): void {
  const values = objectOf(data)
  const need = (key: string): void => {
    if (values[key] === undefined) required(errors, `data[${key}]`)
  }
  const jsonKey = own(JSON_KEYS, stringOf(type))
  if (jsonKey !== undefined) {
    if (values[jsonKey] === undefined) need(jsonKey)
    else checkJson(Buffer.from(stringOf(values[jsonKey]), 'base64').toString('utf8'), `data[${jsonKey}]`, errors)
  } else if (type === 'kubernetes.io/service-account-token') {
    if (stringOf(objectOf(objectOf(metadata).annotations)[ACCOUNT]) === '')
      required(errors, `metadata.annotations[${ACCOUNT}]`)
  } else if (type === 'kubernetes.io/basic-auth') {
    if (values.username === undefined && values.password === undefined) ['username', 'password'].forEach(need)
  } else if (type === 'kubernetes.io/ssh-auth') {
    if (stringOf(values['ssh-privatekey']) === '') required(errors, 'data[ssh-privatekey]')
  } else if (type === 'kubernetes.io/tls') ['tls.crt', 'tls.key'].forEach(need)
}

/** In the words of Go's decoder. */
function checkJson(text: string, path: string, errors: FieldError[]): void {
  const why = jsonFault(text)
  if (why !== undefined) invalidValue(errors, path, '<secret contents redacted>', why)
}

function jsonFault(text: string): string | undefined {
  try {
    scanGoJson(text)
  } catch (error) {
    if (error instanceof GoJsonError) return error.message
    throw error
  }
  const value: unknown = JSON.parse(text)
  if (value === null || (typeof value === 'object' && !Array.isArray(value))) return undefined
  const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  return `json: cannot unmarshal ${found} into Go value of type map[string]interface {}`
}
