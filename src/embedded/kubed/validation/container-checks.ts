import { type Json, type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { FieldError } from '../fault.ts'
import {
  type Check,
  checkNatural,
  duplicate,
  forbid,
  invalidFor,
  invalidValue,
  push,
  required,
  unsupported,
} from './fault-list.ts'
import { labelKeyErrors } from './names.ts'
import { checkDescending } from './paths.ts'
import { checkPort, portNameErrors } from './ports.ts'

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
const SUBSCRIPT = /^(.+)\['([^']*)'\]$/

/** Checks of containers and what they hold. @see k8s.io/kubernetes/pkg/apis/core/validation validateContainerCommon */
export const CONTAINER_CHECKS: Readonly<Record<string, Check>> = {
  'core.v1.Container': checkContainer,
  'core.v1.EphemeralContainer': checkContainer,
  'core.v1.EnvVar': ({ value, valueFrom }, path, errors) => {
    if (valueFrom === undefined) return
    const at = `${path}.valueFrom`
    const count = Object.keys(objectOf(valueFrom)).length
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
  'core.v1.ObjectFieldSelector': checkFieldPath,
  'core.v1.ResourceFieldSelector': ({ resource, containerName }, path, errors) => {
    const name = stringOf(resource)
    const isFile = !path.includes('.valueFrom.')
    if (isFile && stringOf(containerName) === '') required(errors, `${path}.containerName`)
    else if (name === '') required(errors, `${path}.resource`)
    else if (!RESOURCE_FIELDS.includes(name) && !/^(limits|requests)\.hugepages-/.test(name))
      unsupported(errors, `${path}.resource`, name, RESOURCE_FIELDS)
  },
  'core.v1.Probe': checkProbe,
  'core.v1.HTTPGetAction': ({ port }, path, errors) => checkPort(port, `${path}.port`, errors),
  'core.v1.TCPSocketAction': ({ port }, path, errors) => checkPort(port, `${path}.port`, errors),
}

/** Checks that come after those of the container's parts. */
export const AFTER_CONTAINER: Readonly<Record<string, Check>> = { 'core.v1.Container': checkSources }

function checkContainer(container: JsonObject, path: string, errors: FieldError[]): void {
  const names = new Set<string>()
  objectsOf(container.ports).forEach(({ name }, index) => {
    const text = stringOf(name)
    const at = `${path}.ports[${index}].name`
    const reasons = text === '' ? [] : portNameErrors(text)
    invalidFor(errors, at, text, reasons)
    if (text !== '' && reasons.length === 0 && names.has(text)) duplicate(errors, at, text)
    names.add(text)
  })
  const image = stringOf(container.image)
  if (/^spec\.(init)?[cC]ontainers\[/.test(path) && image !== image.trim())
    invalidValue(errors, `${path}.image`, image, 'must not have leading or trailing whitespace')
}

function checkSources(container: JsonObject, path: string, errors: FieldError[]): void {
  objectsOf(container.envFrom).forEach(({ configMapRef, secretRef }) => {
    const count = [configMapRef, secretRef].filter((each) => each !== undefined).length
    if (count === 0) invalidValue(errors, `${path}.envFrom`, '', 'must specify one of: `configMapRef` or `secretRef`')
    if (count > 1) invalidValue(errors, `${path}.envFrom`, '', 'may not have more than one field specified at a time')
  })
}

/** The mounts of one container, which must be of volumes of its pod. */
export function checkMounts(
  container: JsonObject,
  path: string,
  volumes: ReadonlySet<Json | undefined>,
  errors: FieldError[],
): void {
  const at = `${path}.volumeMounts`
  const seen = new Set<Json | undefined>()
  objectsOf(container.volumeMounts).forEach((mount, index) => {
    const { name, mountPath } = mount
    if (stringOf(name) !== '' && !volumes.has(name))
      push(errors, `${at}[${index}].name`, 'NotFound', `Not found: ${JSON.stringify(name)}`)
    if (seen.has(mountPath)) invalidValue(errors, `${at}[${index}].mountPath`, mountPath, 'must be unique')
    seen.add(mountPath)
    // The real server leaves the index out here.
    for (const field of ['subPath', 'subPathExpr'])
      if (stringOf(mount[field]) !== '') checkDescending(stringOf(mount[field]), `${at}.${field}`, errors)
    if (stringOf(mount.subPath) !== '' && stringOf(mount.subPathExpr) !== '')
      invalidValue(
        errors,
        `${at}[${index}].subPathExpr`,
        mount.subPathExpr,
        'subPathExpr and subPath are mutually exclusive',
      )
  })
}

function checkFieldPath({ fieldPath }: JsonObject, path: string, errors: FieldError[]): void {
  const text = stringOf(fieldPath)
  const at = `${path}.fieldPath`
  if (text === '') return required(errors, at)
  const [, name = text, key] = SUBSCRIPT.exec(text) ?? []
  if (!FIELDS.has(name) || (key !== undefined && name !== 'metadata.annotations' && name !== 'metadata.labels'))
    return invalidValue(errors, at, text, `error converting fieldPath: field label not supported: ${text}`)
  if (key !== undefined)
    return invalidFor(errors, path, key, labelKeyErrors(name === 'metadata.annotations' ? key.toLowerCase() : key))
  const allowed = path.includes('.valueFrom.') ? ENV_FIELDS : FILE_FIELDS
  if (!allowed.includes(name === 'spec.host' ? 'spec.nodeName' : name)) unsupported(errors, at, name, allowed)
}

function checkProbe(probe: JsonObject, path: string, errors: FieldError[]): void {
  const handlers = ['exec', 'httpGet', 'tcpSocket', 'grpc'].filter((each) => probe[each] !== undefined)
  if (handlers.length === 0) required(errors, path, 'must specify a handler type')
  for (const extra of handlers.slice(1)) forbid(errors, `${path}.${extra}`, 'may not specify more than 1 handler type')
  const { successThreshold, terminationGracePeriodSeconds: grace } = probe
  for (const field of [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ])
    checkNatural(probe[field], `${path}.${field}`, errors)
  const at = `${path}.terminationGracePeriodSeconds`
  if (typeof grace === 'number' && grace <= 0) invalidValue(errors, at, grace, 'must be greater than 0')
  if (grace !== undefined && path.endsWith('readinessProbe'))
    invalidValue(errors, at, grace, 'must not be set for readinessProbes')
  if (/(liveness|startup)Probe$/.test(path) && typeof successThreshold === 'number' && successThreshold !== 1)
    invalidValue(errors, `${path}.successThreshold`, successThreshold, 'must be 1')
}

/** Names that must differ, in the order in which they are told. */
export function checkNames(
  lists: readonly (readonly [path: string, list: Json | undefined])[],
  errors: FieldError[],
): void {
  const names = new Set<Json | undefined>()
  for (const [path, list] of lists)
    listOf(list).forEach((item, index) => {
      const { name } = objectOf(item)
      if (names.has(name)) duplicate(errors, `${path}[${index}].name`, name)
      names.add(name)
    })
}
