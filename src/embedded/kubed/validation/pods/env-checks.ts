import { type JsonObject, objectOf, objectsOf, stringOf } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { type Check, checkName, invalidFor, invalidValue, required, unsupported } from '../fault-list.ts'
import { dataKeyErrors, labelError, labelKeyErrors, subdomainError } from '../../../../lib/kube/names.ts'
import { checkNoBacksteps } from '../paths.ts'
import { amountOf } from './resource-checks.ts'

/** Fields that an environment variable can hold. */
const ENV_FIELDS = [
  ...['metadata.name', 'metadata.namespace', 'metadata.uid', 'spec.nodeName', 'spec.serviceAccountName'],
  ...['status.hostIP', 'status.hostIPs', 'status.podIP', 'status.podIPs'],
]
/** Fields that a file can hold. */
const FILE_FIELDS = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid']
/** Fields that have a label at all. */
const FIELDS = new Set([
  ...[...ENV_FIELDS, ...FILE_FIELDS],
  ...['spec.restartPolicy', 'spec.schedulerName', 'spec.host', 'status.phase'],
])
const RESOURCE_FIELDS = ['limits', 'requests'].flatMap((list) =>
  ['cpu', 'ephemeral-storage', 'memory'].map((name) => `${list}.${name}`),
)
const HUGE_PAGES = /^(limits|requests)\.hugepages-/
const SUBSCRIPT = /^(.+)\['([^']*)'\]$/
const BYTES = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei']
const SOURCES = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef', 'fileKeyRef']

/** Checks of a container's environment. @see k8s.io/kubernetes/pkg/apis/core/validation ValidateEnv */
export const ENV_CHECKS: Readonly<Record<string, Check>> = {
  'core.v1.EnvVar': ({ name }, path, errors) => checkVariableName(stringOf(name), `${path}.name`, errors),
  'core.v1.ObjectFieldSelector': checkFieldPath,
  'core.v1.ResourceFieldSelector': checkResourceField,
  'core.v1.ConfigMapKeySelector': checkKeySelector,
  'core.v1.SecretKeySelector': checkKeySelector,
  'core.v1.FileKeySelector': ({ key, volumeName, path: given }, path, errors) => {
    if (stringOf(key) === '') required(errors, `${path}.key`)
    checkVariableName(stringOf(key), `${path}.key`, errors)
    if (stringOf(volumeName) === '') required(errors, `${path}.volumeName`)
    else checkName(volumeName, `${path}.volumeName`, labelError, errors)
    if (stringOf(given) === '') required(errors, `${path}.path`)
    else checkNoBacksteps(stringOf(given), `${path}.path`, errors)
  },
  'core.v1.EnvFromSource': ({ prefix }, path, errors) => checkVariableName(stringOf(prefix), `${path}.prefix`, errors),
}

/** Checks that come after those of the sources themselves. */
export const AFTER_ENV: Readonly<Record<string, Check>> = {
  'core.v1.EnvVar': ({ value, valueFrom }, path, errors) => {
    if (valueFrom === undefined) return
    const at = `${path}.valueFrom`
    const count = SOURCES.filter((field) => objectOf(valueFrom)[field] !== undefined).length
    if (count === 0)
      invalidValue(
        errors,
        at,
        '',
        'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      )
    else if (stringOf(value) !== '') invalidValue(errors, at, '', 'may not be specified when `value` is not empty')
    else if (count > 1) invalidValue(errors, at, '', 'may not have more than one field specified at a time')
  },
  // The real server leaves the index out here.
  'core.v1.EnvFromSource': ({ configMapRef, secretRef }, path, errors) => {
    const at = path.replace(/\[\d+\]$/, '')
    const count = [configMapRef, secretRef].filter((each) => each !== undefined).length
    if (count === 0) invalidValue(errors, at, '', 'must specify one of: `configMapRef` or `secretRef`')
    if (count > 1) invalidValue(errors, at, '', 'may not have more than one field specified at a time')
  },
}

/** A name must be of printable characters without `=`; what is empty is told of elsewhere. */
function checkVariableName(name: string, path: string, errors: FieldError[]): void {
  if (!/^[ -<>-~]*$/.test(name))
    invalidValue(
      errors,
      path,
      name,
      "a valid environment variable name must consist only of printable ASCII characters other than '='",
    )
}

function checkKeySelector({ name, key }: JsonObject, path: string, errors: FieldError[]): void {
  checkName(stringOf(name), `${path}.name`, subdomainError, errors)
  if (stringOf(key) === '') required(errors, `${path}.key`)
  else invalidFor(errors, `${path}.key`, key, dataKeyErrors(stringOf(key)))
}

function checkFieldPath({ apiVersion, fieldPath }: JsonObject, path: string, errors: FieldError[]): void {
  const text = stringOf(fieldPath)
  const at = `${path}.fieldPath`
  if (text === '') return required(errors, at)
  if (stringOf(apiVersion) !== 'v1')
    return invalidValue(
      errors,
      at,
      text,
      `error converting fieldPath: unsupported pod version: ${stringOf(apiVersion)}`,
    )
  const [, name = text, key] = SUBSCRIPT.exec(text) ?? []
  if (!FIELDS.has(name) || (key !== undefined && name !== 'metadata.annotations' && name !== 'metadata.labels'))
    return invalidValue(errors, at, text, `error converting fieldPath: field label not supported: ${text}`)
  if (key !== undefined)
    return invalidFor(errors, path, key, labelKeyErrors(name === 'metadata.annotations' ? key.toLowerCase() : key))
  const allowed = path.includes('.valueFrom.') ? ENV_FIELDS : FILE_FIELDS
  if (!allowed.includes(name === 'spec.host' ? 'spec.nodeName' : name)) unsupported(errors, at, name, allowed)
}

function checkResourceField(
  { resource, containerName, divisor }: JsonObject,
  path: string,
  errors: FieldError[],
): void {
  const name = stringOf(resource)
  const isFile = !path.includes('.valueFrom.')
  if (isFile && stringOf(containerName) === '') required(errors, `${path}.containerName`)
  else if (name === '') required(errors, `${path}.resource`)
  else if (!RESOURCE_FIELDS.includes(name) && !HUGE_PAGES.test(name))
    unsupported(errors, `${path}.resource`, name, RESOURCE_FIELDS)
  const amount = amountOf(divisor)
  if (amount === undefined || amount.nano === 0n) return
  const bad = (what: string): void =>
    invalidValue(errors, `${path}.divisor`, name, `only divisor's values ${what} resource`)
  if (name.endsWith('.cpu')) {
    if (amount.text !== '1m' && amount.text !== '1') bad('1m and 1 are supported with the cpu')
    return
  }
  if (BYTES.includes(amount.text)) return
  const list = BYTES.join(', ')
  if (name.endsWith('.memory')) bad(`${list} are supported with the memory`)
  else if (name.endsWith('.ephemeral-storage')) bad(`${list} are supported with the local ephemeral storage`)
  else if (HUGE_PAGES.test(name)) bad(`${list} are supported with the hugepages`)
}

/** Variables from files, of which the volumes must be there and empty at first. */
export function checkFileVolumes(
  containers: readonly (readonly [path: string, container: JsonObject])[],
  volumes: readonly JsonObject[],
  errors: FieldError[],
): void {
  for (const [path, { env }] of containers)
    objectsOf(env).forEach(({ valueFrom }, index) => {
      const { fileKeyRef } = objectOf(valueFrom)
      if (fileKeyRef === undefined) return
      const { volumeName } = objectOf(fileKeyRef)
      const at = `${path}.env[${index}].valueFrom.fileKeyRef.volumeName`
      const volume = volumes.find(({ name }) => name === volumeName)
      if (volume === undefined)
        errors.push({ field: at, type: 'NotFound', message: `Not found: ${JSON.stringify(stringOf(volumeName))}` })
      else if (volume.emptyDir === undefined)
        invalidValue(errors, at, volumeName, 'referenced volume must be of type emptyDir')
    })
}
