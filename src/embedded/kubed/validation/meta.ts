import { addressFault } from '../../../lib/kube/addresses.ts'
import { isObject, type Json, type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { FieldError } from '../fault.ts'
import type { Obj } from '../object.ts'
import type { Resource } from '../resources/resource.ts'
import { checkNatural, invalidFor, invalidValue, push, required } from './fault-list.ts'
import {
  isKnownFinalizer,
  labelError,
  labelErrors,
  labelKeyErrors,
  labelValueErrors,
  pathSegmentError,
  subdomainError,
  subdomainErrors,
} from '../../../lib/kube/names.ts'

/** Groups whose names are any path segment. */
const FREE_NAMES = new Set(['rbac.authorization.k8s.io'])
const FREE_KINDS = new Set(['/events', 'policy/poddisruptionbudgets'])
/** Kinds whose names are one DNS label, by where they are kept. */
const LABEL_NAMES = new Set(['/namespaces', '/services', 'apps/statefulsets'])

/** Kinds of which only the whole name is checked, not what it was made of. */
const UNCHECKED_PREFIXES = new Set(['/replicationcontrollers', 'resource.k8s.io/deviceclasses'])

const MOST_ANNOTATION_BYTES = 256 * 1024
const FINALIZER = 'name is neither a standard finalizer name nor is it fully qualified'

/** Faults of metadata. */
export function validateMeta(resource: Resource, { metadata }: Obj, before: Obj | undefined): FieldError[] {
  const errors: FieldError[] = []
  if (!metadata.name) required(errors, 'metadata.name', 'name or generateName is required')
  else if (before === undefined) {
    const prefix = UNCHECKED_PREFIXES.has(resource.storageKey) ? '' : stringOf(metadata.generateName)
    if (prefix !== '')
      invalidFor(errors, 'metadata.generateName', prefix, nameErrors(resource, maskTrailingDash(prefix)))
    invalidFor(errors, 'metadata.name', metadata.name, nameErrors(resource, metadata.name))
  }
  checkCommonMeta(metadata, 'metadata', isStrict(resource, before), errors)
  return errors
}

/** Faults of the metadata of a resource that stands in another one: of what kind it is, nobody knows here. */
export function checkEmbeddedMeta(metadata: JsonObject, path: string, errors: FieldError[]): void {
  const checkPart = (field: string, test: (name: string) => string | undefined): void => {
    const name = stringOf(metadata[field])
    const why = name === '' ? undefined : test(name)
    if (why !== undefined) invalidValue(errors, `${path}.${field}`, name, why)
  }
  checkPart('generateName', pathSegmentError)
  checkPart('name', pathSegmentError)
  checkPart('namespace', labelError)
  checkNatural(metadata.generation, `${path}.generation`, errors)
  checkCommonMeta(metadata, path, false, errors)
}

function checkCommonMeta(metadata: JsonObject, path: string, isStrict: boolean, errors: FieldError[]): void {
  checkLabels(metadata.labels, `${path}.labels`, errors)
  checkAnnotations(metadata.annotations, `${path}.annotations`, errors)
  checkOwners(metadata.ownerReferences, `${path}.ownerReferences`, errors)
  checkFinalizers(listOf(metadata.finalizers), `${path}.finalizers`, isStrict, errors)
}

/** Faults of labels: keys and values, all told of the whole map. */
export function checkLabels(labels: Json | undefined, path: string, errors: FieldError[]): void {
  for (const [key, value] of Object.entries(objectOf(labels))) {
    invalidFor(errors, path, key, labelKeyErrors(key))
    invalidFor(errors, path, value, labelValueErrors(stringOf(value)))
  }
}

/** Faults of annotations: their keys, and the size of all. */
export function checkAnnotations(annotations: Json | undefined, path: string, errors: FieldError[]): void {
  for (const key of Object.keys(objectOf(annotations))) invalidFor(errors, path, key, labelKeyErrors(key.toLowerCase()))
  checkAnnotationSize(annotations, path, errors)
}

/** All annotations together have a limit, keys and values. */
export function checkAnnotationSize(annotations: Json | undefined, path: string, errors: FieldError[]): void {
  let size = 0
  for (const [key, value] of Object.entries(objectOf(annotations)))
    size += Buffer.byteLength(key) + Buffer.byteLength(stringOf(value))
  if (size > MOST_ANNOTATION_BYTES)
    push(errors, path, 'TooLong', `Too long: may not be more than ${MOST_ANNOTATION_BYTES} bytes`)
}

function checkOwners(owners: Json | undefined, at: string, errors: FieldError[]): void {
  let first: string | undefined
  for (const [index, owner] of objectsOf(owners).entries()) {
    const path = `${at}[${index}]`
    const version = stringOf(owner.apiVersion)
    for (const field of ['apiVersion', 'kind', 'name', 'uid']) {
      if (stringOf(owner[field]) === '') required(errors, `${path}.${field}`, 'must not be empty')
      else if (field === 'apiVersion' && (version.split('/').length > 2 || version.endsWith('/')))
        invalidValue(errors, `${path}.apiVersion`, version, 'must be <group>/<version> or <version>')
    }
    if (version === 'v1' && owner.kind === 'Event')
      invalidValue(errors, path, told(owner), '/v1, Kind=Event is disallowed from being an owner')
    if (owner.controller !== true) continue
    const name = `${stringOf(owner.kind)}/${stringOf(owner.name)}`
    if (first !== undefined)
      invalidValue(
        errors,
        at,
        objectsOf(owners).map(told),
        `Only one reference can have Controller set to true. Found "true" in references for ${first} and ${name}`,
      )
    first ??= name
  }
}

/** In the order of the fields. */
function told({ apiVersion, kind, name, uid, controller, blockOwnerDeletion }: JsonObject): JsonObject {
  return { apiVersion, kind, name, uid, controller, blockOwnerDeletion }
}

/** Kinds whose finalizers are looked at no more closely when they change. */
const LOOSE = new Set([
  'apiextensions.k8s.io/customresourcedefinitions',
  'coordination.k8s.io/leases',
  'policy/poddisruptionbudgets',
])

const isStrict = ({ custom, storageKey }: Resource, before: Obj | undefined): boolean =>
  custom === undefined && (before === undefined || !LOOSE.has(storageKey))

/** Objects of built-in kinds take known names or names with a domain; others any qualified name. */
function checkFinalizers(finalizers: readonly Json[], path: string, isStrict: boolean, errors: FieldError[]): void {
  for (const name of finalizers.map(stringOf)) invalidFor(errors, path, name, labelKeyErrors(name))
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion'))
    invalidValue(errors, path, [...finalizers], 'finalizer orphan and foregroundDeletion cannot be both set')
  finalizers.map(stringOf).forEach((name, index) => {
    if (isStrict && !isKnownFinalizer(name)) invalidValue(errors, `${path}[${index}]`, name, FINALIZER)
  })
}

/** Faults of `spec.finalizers` of a namespace. */
export function checkNamespace({ spec }: JsonObject, _path: string, errors: FieldError[]): void {
  for (const finalizer of isObject(spec) ? listOf(spec.finalizers) : [])
    checkFinalizer(stringOf(finalizer), 'spec.finalizers', errors)
}

/** Faults of one who holds an object of a built-in kind. */
export function checkFinalizer(name: string, path: string, errors: FieldError[]): void {
  invalidFor(errors, path, name, labelKeyErrors(name))
  if (!isKnownFinalizer(name)) invalidValue(errors, path, name, FINALIZER)
}

/** A prefix may end as no name may. */
const maskTrailingDash = (prefix: string): string => (/.-$/.test(prefix) ? `${prefix.slice(0, -2)}a` : prefix)

function nameErrors({ group, storageKey }: Resource, name: string): readonly string[] {
  const isFree = FREE_KINDS.has(storageKey) && group !== 'events.k8s.io'
  if (FREE_NAMES.has(group) || isFree) return listOfOne(pathSegmentError(name))
  if (storageKey === 'certificates.k8s.io/certificatesigningrequests') return []
  if (LABEL_NAMES.has(storageKey)) return labelErrors(name)
  if (storageKey === 'networking.k8s.io/ipaddresses') return listOfOne(addressFault(name, true))
  if (storageKey === 'certificates.k8s.io/clustertrustbundles')
    // The name begins with that of its signer, where it has one, written with colons.
    return listOfOne(
      name
        .split(':')
        .map(subdomainError)
        .find((why) => why !== undefined),
    )
  return subdomainErrors(name)
}

const listOfOne = (why: string | undefined): readonly string[] => (why === undefined ? [] : [why])
