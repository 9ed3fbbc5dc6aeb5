import {
  equal,
  isObject,
  type Json,
  type JsonObject,
  listOf,
  objectOf,
  objectsOf,
  stringOf,
} from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import type { Obj } from '../../object.ts'
import { specOf } from '../../object.ts'
import { duplicate, invalidValue, push, required, unsupported } from '../fault-list.ts'
import { newFaults } from '../new-faults.ts'
import { label1035Error, subdomainError } from '../../../../lib/kube/names.ts'
import { checkConversion, isEstablished } from './conversion-checks.ts'
import { validateSchema } from './schema-checks.ts'
import { columnsText, schemaPartText, selectableText, subresourcesText } from './version-text.ts'

const APPROVAL = 'api-approved.kubernetes.io'
const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string']
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']
const MOST_SELECTABLE = 8
const LONGEST_WARNING = 256

/** Parts of a version that the server keeps once, when all versions agree; its messages then name the common place. */
type Common = {
  readonly schema: boolean
  readonly subresources: boolean
  readonly columns: boolean
  readonly selectable: boolean
}

/**
 * Faults of a CustomResourceDefinition that it did not have before.
 *
 * @see k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation
 */
export function validateDefinition(definition: Obj, before: Obj | undefined): FieldError[] {
  const errors = faultsOf(definition, before)
  return before === undefined ? errors : newFaults(errors, () => faultsOf(before, undefined), faultKey)
}

/** A fault and where it is, wherever its version stands among the others. */
const faultKey = ({ type, field, message }: FieldError): string =>
  `${type} ${field} ${message}`.replace(/spec\.\S*openAPIV3Schema/g, '')

function faultsOf(definition: Obj, before: Obj | undefined): FieldError[] {
  const errors: FieldError[] = []
  const spec = specOf(definition)
  const group = stringOf(spec.group)
  const names = objectOf(spec.names)
  if (
    before === undefined &&
    definition.metadata.name &&
    definition.metadata.name !== `${stringOf(names.plural)}.${group}`
  )
    invalidValue(errors, 'metadata.name', definition.metadata.name, 'must be spec.names.plural+"."+spec.group')
  checkGroup(group, errors)
  const scope = stringOf(spec.scope)
  if (scope === '') required(errors, 'spec.scope')
  else if (scope !== 'Cluster' && scope !== 'Namespaced')
    unsupported(errors, 'spec.scope', scope, ['Cluster', 'Namespaced'])
  const versions = objectsOf(spec.versions)
  const common = commonOf(versions)
  checkVersions(spec.versions, common, errors)
  checkNames(names, errors)
  const [first] = versions
  if (first !== undefined) checkParts(first, 'spec', common, true, errors)
  if (isObject(spec.conversion)) checkConversion(spec.conversion, before, errors)
  if (before !== undefined) checkChange(spec, before, errors)
  checkStored(definition, errors)
  if (/(^|\.)(k8s\.io|kubernetes\.io)$/.test(group)) checkApproval(definition, errors)
  if (spec.preserveUnknownFields === true && objectOf(before?.spec).preserveUnknownFields !== true)
    invalidValue(
      errors,
      'spec.preserveUnknownFields',
      true,
      'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
    )
  return errors
}

function checkGroup(group: string, errors: FieldError[]): void {
  const why = subdomainError(group)
  if (group === '') required(errors, 'spec.group')
  else if (why !== undefined) invalidValue(errors, 'spec.group', group, why)
  else if (!group.includes('.')) invalidValue(errors, 'spec.group', group, 'should be a domain with at least one dot')
}

function commonOf(versions: readonly JsonObject[]): Common {
  const agree = (field: string): boolean => versions.every((version) => equal(version[field], versions[0]?.[field]))
  return {
    schema: agree('schema'),
    subresources: agree('subresources'),
    columns: agree('additionalPrinterColumns'),
    selectable: agree('selectableFields'),
  }
}

function checkVersions(given: Json | undefined, common: Common, errors: FieldError[]): void {
  const versions = objectsOf(given)
  versions.forEach(({ schema }, index) => {
    if (!isObject(objectOf(schema).openAPIV3Schema)) required(errors, `spec.versions[${index}].schema.openAPIV3Schema`)
  })
  versions.forEach((version, index) => {
    const at = `spec.versions[${index}]`
    const why = label1035Error(stringOf(version.name))
    if (why !== undefined) invalidValue(errors, `${at}.name`, stringOf(version.name), why)
    checkWarning(version, `${at}.deprecationWarning`, errors)
    checkParts(version, at, common, false, errors)
  })
  const printed = given === null ? null : versions.map((version) => versionText(version, common))
  const names = versions.map(({ name }) => name)
  if (new Set(names).size < names.length)
    invalidValue(errors, 'spec.versions', printed, 'must contain unique version names')
  if (versions.filter(({ storage }) => storage === true).length !== 1)
    invalidValue(errors, 'spec.versions', printed, 'must have exactly one version marked as storage version')
  const first = stringOf(versions[0]?.name)
  const why = first === '' ? undefined : label1035Error(first)
  if (why !== undefined) invalidValue(errors, 'spec.version', first, why)
}

function checkWarning(
  { deprecated, deprecationWarning: warning }: JsonObject,
  path: string,
  errors: FieldError[],
): void {
  if (typeof warning !== 'string') return
  if (deprecated !== true) return invalidValue(errors, path, warning, 'can only be set for deprecated versions')
  if (Buffer.byteLength(warning) > LONGEST_WARNING)
    invalidValue(errors, path, warning, `must be <= ${LONGEST_WARNING} characters long`)
  if (warning === '') invalidValue(errors, path, warning, 'must not be an empty string')
  const odd = /[\p{C}\p{Zl}\p{Zp}]/u.exec(warning)
  if (odd !== null)
    invalidValue(
      errors,
      path,
      warning,
      `must only contain printable UTF-8 characters; non-printable character found at index ${Buffer.byteLength(warning.slice(0, odd.index))}`,
    )
}

/** A version as the internal kind has it. */
function versionText(version: JsonObject, common: Common): JsonObject {
  return {
    Name: version.name ?? '',
    Served: version.served ?? false,
    Storage: version.storage ?? false,
    Deprecated: version.deprecated ?? false,
    DeprecationWarning: version.deprecationWarning ?? null,
    Schema: common.schema ? null : schemaPartText(version.schema),
    Subresources: common.subresources ? null : subresourcesText(version.subresources),
    AdditionalPrinterColumns: common.columns ? null : columnsText(version.additionalPrinterColumns),
    SelectableFields: common.selectable ? null : selectableText(version.selectableFields),
  }
}

/** Checks those parts of a version that are common to all, or those that are not. */
function checkParts(version: JsonObject, path: string, common: Common, isCommon: boolean, errors: FieldError[]): void {
  const schema = objectOf(version.schema).openAPIV3Schema
  if (common.schema === isCommon && isObject(schema))
    validateSchema(
      schema,
      `${path}.${isCommon ? 'validation' : 'schema'}.openAPIV3Schema`,
      isObject(objectOf(version.subresources).status),
      errors,
    )
  if (common.subresources === isCommon)
    checkScale(objectOf(version.subresources).scale, `${path}.subresources.scale`, errors)
  if (common.columns === isCommon)
    objectsOf(version.additionalPrinterColumns).forEach((column, index) =>
      checkColumn(column, `${path}.additionalPrinterColumns[${index}]`, errors),
    )
  if (common.selectable !== isCommon || listOf(version.selectableFields).length === 0) return
  const at = `${path}.selectableFields`
  if (common.schema !== common.selectable) invalidValue(errors, at, '', SCHEMA_ELSEWHERE[isCommon ? 'spec' : 'version'])
  else checkSelectable(listOf(version.selectableFields), schema, at, errors)
}

/** The real server keeps what all versions say alike apart from what they do not, and looks for the fields only in the schema beside them. */
const SCHEMA_ELSEWHERE = {
  spec: 'may only be set when validations.schema is included',
  version: 'may only be set when `version.schema.openAPIV3Schema` is not included',
}

function checkScale(scale: Json | undefined, path: string, errors: FieldError[]): void {
  if (!isObject(scale)) return
  for (const [field, root] of [
    ['specReplicasPath', '.spec.'],
    ['statusReplicasPath', '.status.'],
  ] as const) {
    const value = stringOf(scale[field])
    if (value === '') required(errors, `${path}.${field}`)
    else if (checkSimplePath(value, `${path}.${field}`, errors) && !value.startsWith(root))
      invalidValue(errors, `${path}.${field}`, value, `should be a json path under ${root.slice(0, -1)}`)
  }
  const labels = stringOf(scale.labelSelectorPath)
  const at = `${path}.labelSelectorPath`
  if (labels !== '' && checkSimplePath(labels, at, errors) && !/^\.(spec|status)\./.test(labels))
    invalidValue(errors, at, labels, 'should be a json path under either .spec or .status')
}

function checkSimplePath(value: string, path: string, errors: FieldError[]): boolean {
  if (value.startsWith('.')) return true
  invalidValue(errors, path, value, 'must be a simple json path starting with .')
  return false
}

function checkColumn(column: JsonObject, path: string, errors: FieldError[]): void {
  const [name = '', type = '', format = '', jsonPath = ''] = ['name', 'type', 'format', 'jsonPath'].map((field) =>
    stringOf(column[field]),
  )
  const types = `must be one of ${COLUMN_TYPES.join(',')}`
  if (name === '') required(errors, `${path}.name`)
  if (type === '') required(errors, `${path}.type`, types)
  else if (!COLUMN_TYPES.includes(type)) invalidValue(errors, `${path}.type`, type, types)
  if (format !== '' && !COLUMN_FORMATS.includes(format))
    invalidValue(errors, `${path}.format`, format, `must be one of ${COLUMN_FORMATS.join(',')}`)
  if (jsonPath === '') required(errors, `${path}.JSONPath`)
  else checkSimplePath(jsonPath, `${path}.JSONPath`, errors)
}

function checkSelectable(fields: readonly Json[], schema: Json | undefined, path: string, errors: FieldError[]): void {
  if (fields.length > 0 && !isObject(schema))
    return invalidValue(errors, path, '', 'may only be set when `version.schema.openAPIV3Schema` is not included')
  const seen = new Set<string>()
  fields.forEach((field, index) => {
    const jsonPath = stringOf(objectOf(field).jsonPath)
    const at = `${path}[${index}].jsonPath`
    if (jsonPath === '') return required(errors, at)
    const found = fieldAt(objectOf(schema), jsonPath)
    if (typeof found === 'string') return invalidValue(errors, at, jsonPath, `is an invalid path: ${found}`)
    if (/^\.metadata(\.|$)/.test(jsonPath)) invalidValue(errors, at, jsonPath, 'must not point to fields in metadata')
    if (!['string', 'boolean', 'integer'].includes(stringOf(found.type)))
      invalidValue(
        errors,
        at,
        jsonPath,
        'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
      )
    if (seen.has(jsonPath)) duplicate(errors, at, jsonPath)
    seen.add(jsonPath)
  })
  if (seen.size > MOST_SELECTABLE)
    push(errors, path, 'TooMany', `Too many: ${seen.size}: must have at most ${MOST_SELECTABLE} items`)
}

/** The schema of the field to which a path leads, or why it leads to none. @see ValidFieldPath of apiserver/schema/cel */
function fieldAt(schema: JsonObject, jsonPath: string): JsonObject | string {
  let here = schema
  const steps = jsonPath.match(/[.[\]]|[^.[\]]+/g) ?? []
  for (let at = 0; at < steps.length; at += 2) {
    if (steps[at] === '[') return 'array notation is not allowed'
    if (steps[at] !== '.') return `expected [ or . but got: ${steps[at] ?? ''}`
    const name = steps[at + 1]
    if (name === undefined) return 'unexpected end of JSON path'
    const { properties, additionalProperties } = here
    const next = Object.keys(objectOf(properties)).length > 0 ? objectOf(properties)[name] : additionalProperties
    if (!isObject(next)) return 'does not refer to a valid field'
    here = next
  }
  return here
}

function checkNames(names: JsonObject, errors: FieldError[]): void {
  for (const field of ['plural', 'singular', 'kind', 'listKind'])
    if (stringOf(names[field]) === '') required(errors, `spec.names.${field}`)
  checkNameForms(names, 'spec.names', errors)
}

/** Faults of the status of a definition: the names that are served must be such. */
export function validateDefinitionStatus({ status }: Obj): FieldError[] {
  const errors: FieldError[] = []
  checkNameForms(objectOf(objectOf(status).acceptedNames), 'status.acceptedNames', errors)
  return errors
}

/** Names that are given must be names of DNS. */
function checkNameForms(names: JsonObject, path: string, errors: FieldError[]): void {
  const at = (field: string): string => `${path}.${field}`
  for (const field of ['plural', 'singular', 'kind', 'listKind']) {
    const text = stringOf(names[field])
    const isMixed = field === 'kind' || field === 'listKind'
    const why = text === '' ? undefined : label1035Error(isMixed ? text.toLowerCase() : text)
    if (why !== undefined)
      invalidValue(errors, at(field), text, isMixed ? `may have mixed case, but should otherwise match: ${why}` : why)
  }
  for (const field of ['shortNames', 'categories']) {
    if (field === 'categories' && stringOf(names.kind) !== '' && names.kind === names.listKind)
      invalidValue(errors, at('listKind'), names.listKind, 'kind and listKind may not be the same')
    listOf(names[field]).forEach((name, index) => {
      const why = label1035Error(stringOf(name))
      if (why !== undefined) invalidValue(errors, at(`${field}[${index}]`), name, why)
    })
  }
}

function checkChange(spec: JsonObject, before: Obj, errors: FieldError[]): void {
  const old = specOf(before)
  const fixed = (path: string, now: Json | undefined, then: Json | undefined): void => {
    if (!equal(now, then)) invalidValue(errors, path, now, 'field is immutable')
  }
  const [names, oldNames] = [objectOf(spec.names), objectOf(old.names)]
  if (isEstablished(before)) {
    fixed('spec.scope', spec.scope, old.scope)
    fixed('spec.names.kind', names.kind, oldNames.kind)
  }
  fixed('spec.group', spec.group, old.group)
  fixed('spec.names.plural', names.plural, oldNames.plural)
}

/** The versions in which objects may be kept must be there, and the one in which they are kept now must be among them. */
function checkStored({ spec, status }: Obj, errors: FieldError[]): void {
  const path = 'status.storedVersions'
  const versions = objectsOf(objectOf(spec).versions)
  const stored = listOf(objectOf(status).storedVersions)
  if (stored.length === 0) return invalidValue(errors, path, null, 'must have at least one stored version')
  const left = new Set(stored.map(stringOf))
  for (const { name, storage } of versions) {
    const version = stringOf(name)
    if (storage === true && !left.has(version))
      invalidValue(errors, path, stored, `must have the storage version ${version}`)
    left.delete(version)
  }
  for (const name of left)
    invalidValue(
      errors,
      `${path}[${stored.lastIndexOf(name)}]`,
      name,
      `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`,
    )
}

function checkApproval({ metadata }: Obj, errors: FieldError[]): void {
  const approval = stringOf(objectOf(metadata.annotations)[APPROVAL])
  const at = `metadata.annotations[${APPROVAL}]`
  if (approval === '')
    required(
      errors,
      at,
      `protected groups must have approval annotation "${APPROVAL}", see https://github.com/kubernetes/enhancements/pull/1111`,
    )
  else if (!approval.startsWith('unapproved') && !URL.canParse(approval))
    invalidValue(
      errors,
      at,
      approval,
      `protected groups must have approval annotation "${APPROVAL}" with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111`,
    )
}
