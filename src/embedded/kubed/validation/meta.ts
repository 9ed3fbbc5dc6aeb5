import { equal, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { FieldError } from '../fault.ts'
import type { Obj } from '../object.ts'
import type { Resource } from '../resources/resource.ts'
import {
  isLabelKey,
  isLabelValue,
  LABEL_KEY,
  LABEL_VALUE,
  label1035Error,
  labelError,
  pathSegmentError,
  subdomainError,
} from './names.ts'

/** Kinds whose names are any path segment. */
const FREE_NAMES = new Set(['rbac.authorization.k8s.io'])
/** Kinds whose names are one DNS label. */
const LABEL_NAMES = new Set(['Namespace'])
const LABEL_1035_NAMES = new Set(['Service'])

/** Faults of metadata. */
export function validateMeta(resource: Resource, { metadata }: Obj, before: Obj | undefined): FieldError[] {
  const errors: FieldError[] = []
  const bad = (field: string, type: FieldError['type'], message: string): void =>
    void errors.push({ field: `metadata.${field}`, type, message })
  if (!metadata.name) bad('name', 'Required', 'Required value: name or generateName is required')
  else {
    const why = nameError(resource, metadata.name)
    if (why !== undefined) bad('name', 'Invalid', `Invalid value: ${JSON.stringify(metadata.name)}: ${why}`)
  }
  for (const [key, value] of Object.entries(objectOf(metadata.labels))) {
    if (!isLabelKey(key)) bad('labels', 'Invalid', `Invalid value: ${JSON.stringify(key)}: ${LABEL_KEY}`)
    if (!isLabelValue(stringOf(value)))
      bad('labels', 'Invalid', `Invalid value: ${JSON.stringify(value)}: ${LABEL_VALUE}`)
  }
  for (const key of Object.keys(objectOf(metadata.annotations)))
    if (!isLabelKey(key.toLowerCase()))
      bad('annotations', 'Invalid', `Invalid value: ${JSON.stringify(key)}: ${LABEL_KEY}`)
  for (const [index, owner] of objectsOf(metadata.ownerReferences).entries())
    for (const field of ['apiVersion', 'kind', 'name', 'uid'])
      if (stringOf(owner[field]) === '')
        bad(`ownerReferences[${index}].${field}`, 'Invalid', `Invalid value: "": must not be empty`)
  if (before !== undefined && !equal(metadata.generateName, before.metadata.generateName)) return errors
  return errors
}

function nameError(resource: Resource, name: string): string | undefined {
  if (FREE_NAMES.has(resource.group)) return pathSegmentError(name)
  if (LABEL_NAMES.has(resource.kind) && resource.group === '') return labelError(name)
  if (LABEL_1035_NAMES.has(resource.kind) && resource.group === '') return label1035Error(name)
  return subdomainError(name)
}
