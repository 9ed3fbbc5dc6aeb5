import type { FieldType } from '../../../../lib/kube-schema/schema.ts'
import { isObject, type Json, type JsonObject, sorted } from '../../../../lib/kube/json.ts'
import { label1035Error } from '../../../../lib/kube/names.ts'
import { isEmbedded, readMetadata } from '../../decoding/custom.ts'
import type { FieldError } from '../../fault.ts'
import { invalidValue, required } from '../fault-list.ts'
import { checkEmbeddedMeta } from '../meta.ts'

/**
 * Faults of the resources that stand in a value: they say what they are, and their metadata is that of an object.
 *
 * @see k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta/validation.go
 */
export function checkEmbedded(type: FieldType, value: Json, path: string, errors: FieldError[]): void {
  if (Array.isArray(value)) {
    const { element } = type
    if (element !== undefined) value.forEach((item, index) => checkEmbedded(element, item, `${path}[${index}]`, errors))
    return
  }
  if (!isObject(value) || type.special !== undefined) return
  if (isEmbedded(type)) checkResource(value, path, errors)
  for (const [name, field] of Object.entries(value)) {
    const child = type.child(name)
    if (child === undefined || field === undefined || (path === '' && name === 'metadata')) continue
    checkEmbedded(child, field, type.names.length === 0 ? `${path}[${name}]` : fieldBelow(path, name), errors)
  }
}

const fieldBelow = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)

function checkResource(resource: JsonObject, path: string, errors: FieldError[]): void {
  for (const name of ['apiVersion', 'kind']) if (resource[name] === undefined) required(errors, fieldBelow(path, name))
  checkWord(resource.apiVersion, fieldBelow(path, 'apiVersion'), errors, (version) =>
    version.split('/').length > 2 ? `unexpected GroupVersion string: ${version}` : undefined,
  )
  checkWord(resource.kind, fieldBelow(path, 'kind'), errors, (kind) => {
    const why = label1035Error(kind.toLowerCase())
    return why === undefined ? undefined : `may have mixed case, but should otherwise match: ${why}`
  })
  if (resource.metadata === undefined) return
  const at = fieldBelow(path, 'metadata')
  const { metadata, fault } = readMetadata(resource.metadata, at, [])
  if (fault === undefined) checkEmbeddedMeta(metadata, at, errors)
  else invalidValue(errors, at, sorted(resource.metadata), fault)
}

function checkWord(
  value: Json | undefined,
  path: string,
  errors: FieldError[],
  test: (text: string) => string | undefined,
): void {
  if (value === undefined) return
  if (typeof value !== 'string') return invalidValue(errors, path, value, 'must be a string')
  const why = value === '' ? 'must not be empty' : test(value)
  if (why !== undefined) invalidValue(errors, path, value, why)
}
