import {
  type Json,
  type JsonObject,
  listOf,
  numberOf,
  objectOf,
  objectsOf,
  stringOf,
} from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import {
  type Check,
  checkName,
  checkNatural,
  duplicate,
  forbid,
  invalidFor,
  invalidValue,
  push,
  required,
  unsupported,
} from '../fault-list.ts'
import { labelKeyErrors, subdomainError } from '../../../../lib/kube/names.ts'
import { checkDriverName } from '../pods/volume-source-checks.ts'

const GROUP_POLICIES = ['File', 'None', 'ReadWriteOnceWithFSType']
const LIFECYCLES = ['Persistent', 'Ephemeral']
const SHORTEST_TOKEN_SECONDS = 600
const LONGEST_TOKEN_SECONDS = 2 ** 32
const SHORTEST_PERIOD_SECONDS = 10
const LONGEST_NODE_ID = 256
const MOST_PARAMETERS = 512
const LARGEST_PARAMETERS_BYTES = 256 * 1024

/** Checks of classes and drivers of storage. @see k8s.io/kubernetes/pkg/apis/storage/validation */
export const STORAGE_CHECKS: Readonly<Record<string, Check>> = {
  'storage.v1.StorageClass': (storage, _path, errors) => {
    checkProvisioner(storage.provisioner, 'provisioner', errors)
    checkParameters(storage.parameters, 'parameters', errors)
    const reclaim = stringOf(storage.reclaimPolicy)
    if (reclaim !== '' && !RECLAIMS.includes(reclaim)) unsupported(errors, 'reclaimPolicy', reclaim, RECLAIMS)
    const mode = stringOf(storage.volumeBindingMode)
    if (!BINDINGS.includes(mode)) unsupported(errors, 'volumeBindingMode', mode, BINDINGS)
    checkTopologies(objectsOf(storage.allowedTopologies), 'allowedTopologies', errors)
  },
  'storage.v1.VolumeAttributesClass': ({ driverName, parameters }, _path, errors) => {
    checkProvisioner(driverName, 'driverName', errors)
    checkParameters(parameters, 'parameters', errors)
    if (Object.keys(objectOf(parameters)).length === 0)
      required(errors, 'parameters', 'must contain at least one key/value pair')
  },
  'storage.v1.CSIDriverSpec': checkDriver,
  'storage.v1.CSINodeSpec': ({ drivers }, path, errors) => {
    const names = new Set<string>()
    objectsOf(drivers).forEach((driver, index) => checkNodeDriver(driver, names, `${path}.drivers[${index}]`, errors))
  },
  'storage.v1.CSIStorageCapacity': ({ storageClassName }, _path, errors, below) => {
    below('nodeTopology')
    checkName(stringOf(storageClassName), 'storageClassName', subdomainError, errors)
  },
  'storage.v1.VolumeAttachmentSpec': ({ attacher, nodeName }, path, errors, below) => {
    checkAttacher(stringOf(attacher), `${path}.attacher`, errors)
    below('source')
    checkName(stringOf(nodeName), `${path}.nodeName`, subdomainError, errors)
  },
  'storage.v1.VolumeAttachmentSource': ({ inlineVolumeSpec, persistentVolumeName: name }, path, errors, below) => {
    const why = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'
    if (inlineVolumeSpec === undefined && name === undefined) required(errors, path, why)
    else if (inlineVolumeSpec !== undefined && name !== undefined) forbid(errors, path, why)
    else if (name === '')
      required(errors, `${path}.persistentVolumeName`, 'must specify non empty persistentVolumeName')
    else below('inlineVolumeSpec')
  },
  'storage.v1.VolumeAttachment': ({ spec }, _path, errors, below) => {
    below('spec')
    const { persistentVolumeName: name } = objectOf(objectOf(spec).source)
    checkName(name, 'spec.source.persistentVolumeName', subdomainError, errors)
  },
}

const LONGEST_DRIVER = 63
const CASELESS =
  "an RFC 1123 subdomain must consist of alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'Example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"

/** The name of a driver where the kind declares it: in other words than where the server's code looks at it. */
function checkAttacher(name: string, path: string, errors: FieldError[]): void {
  if (name === '') return required(errors, path)
  if (name.length > LONGEST_DRIVER)
    push(errors, path, 'TooLong', `Too long: may not be more than ${LONGEST_DRIVER} characters`)
  else if (subdomainError(name.toLowerCase()) !== undefined) invalidValue(errors, path, name, CASELESS)
}

const RECLAIMS = ['Delete', 'Retain']
const BINDINGS = ['Immediate', 'WaitForFirstConsumer']

function checkProvisioner(value: Json | undefined, path: string, errors: FieldError[]): void {
  const name = stringOf(value).toLowerCase()
  if (name === '') required(errors, path)
  else invalidFor(errors, path, name, labelKeyErrors(name))
}

function checkParameters(parameters: Json | undefined, path: string, errors: FieldError[]): void {
  const entries = Object.entries(objectOf(parameters))
  const tooLong = (most: number): void => push(errors, path, 'TooLong', `Too long: may not be more than ${most} bytes`)
  if (entries.length > MOST_PARAMETERS) return tooLong(MOST_PARAMETERS)
  for (const [key] of entries) if (key === '') invalidValue(errors, path, key, 'field can not be empty.')
  const size = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key + stringOf(value)), 0)
  if (size > LARGEST_PARAMETERS_BYTES) tooLong(LARGEST_PARAMETERS_BYTES)
}

/** Where volumes of a class may be: terms of labels with values, none of them twice. */
function checkTopologies(terms: readonly JsonObject[], path: string, errors: FieldError[]): void {
  const seen: string[] = []
  terms.forEach((term, index) => {
    const here = `${path}[${index}].matchLabelExpressions`
    const keys = new Map<string, readonly string[]>()
    objectsOf(term.matchLabelExpressions).forEach(({ key, values }, place) => {
      const at = `${here}[${place}]`
      const name = stringOf(key)
      const all = listOf(values).map(stringOf)
      if (all.length === 0) required(errors, `${at}.values`)
      all.forEach((value, spot) => {
        if (all.indexOf(value) < spot) duplicate(errors, `${at}.values[${spot}]`, value)
      })
      invalidFor(errors, `${at}.key`, name, labelKeyErrors(name))
      if (keys.has(name)) duplicate(errors, `${at}.key`, name)
      keys.set(name, [...new Set(all)].sort())
    })
    // The server compares with as many empty terms as there are terms.
    if (keys.size === 0) for (const _ of terms) duplicate(errors, here, '')
    const text = JSON.stringify([...keys].sort())
    if (seen.includes(text)) duplicate(errors, here, '')
    seen.push(text)
  })
}

function checkDriver(spec: JsonObject, path: string, errors: FieldError[]): void {
  const { fsGroupPolicy, volumeLifecycleModes, nodeAllocatableUpdatePeriodSeconds: period } = spec
  if (fsGroupPolicy !== undefined && !GROUP_POLICIES.includes(stringOf(fsGroupPolicy)))
    unsupported(errors, `${path}.fsGroupPolicy`, fsGroupPolicy, GROUP_POLICIES)
  checkTokenRequests(objectsOf(spec.tokenRequests), `${path}.tokenRequests`, errors)
  for (const mode of listOf(volumeLifecycleModes))
    if (!LIFECYCLES.includes(stringOf(mode))) unsupported(errors, `${path}.volumeLifecycleModes`, mode, LIFECYCLES)
  if (typeof period === 'number' && period < SHORTEST_PERIOD_SECONDS)
    invalidValue(
      errors,
      `${path}.nodeAllocatableUpdatePeriodSeconds`,
      period,
      `must be greater than or equal to ${SHORTEST_PERIOD_SECONDS} seconds`,
    )
  if (spec.serviceAccountTokenInSecrets !== undefined && listOf(spec.tokenRequests).length === 0)
    invalidValue(
      errors,
      `${path}.serviceAccountTokenInSecrets`,
      spec.serviceAccountTokenInSecrets,
      'serviceAccountTokenInSecrets is set but no tokenRequests are specified',
    )
}

/** A token for each audience, once. */
function checkTokenRequests(requests: readonly JsonObject[], path: string, errors: FieldError[]): void {
  const audiences = new Set<string>()
  requests.forEach(({ audience, expirationSeconds }, index) => {
    const name = stringOf(audience)
    if (audiences.has(name)) return duplicate(errors, `${path}[${index}].audience`, name)
    audiences.add(name)
    const seconds = numberOf(expirationSeconds)
    const at = `${path}[${index}].expirationSeconds`
    if (seconds === undefined) return
    if (seconds < SHORTEST_TOKEN_SECONDS)
      invalidValue(errors, at, seconds, 'may not specify a duration less than 10 minutes')
    if (seconds > LONGEST_TOKEN_SECONDS)
      invalidValue(errors, at, seconds, 'may not specify a duration larger than 2^32 seconds')
  })
}

function checkNodeDriver(driver: JsonObject, names: Set<string>, path: string, errors: FieldError[]): void {
  const [name, id] = [driver.name, driver.nodeID].map(stringOf)
  checkDriverName(name, `${path}.name`, errors)
  if (id === '') required(errors, `${path}.nodeID`)
  if ((id ?? '').length > LONGEST_NODE_ID)
    invalidValue(errors, `${path}.nodeID`, id, `must be ${LONGEST_NODE_ID} characters or less`)
  checkNatural(objectOf(driver.allocatable).count, `${path}.allocatable.count`, errors)
  if (names.has(name ?? '')) duplicate(errors, `${path}.name`, name)
  names.add(name ?? '')
  const keys = new Set<string>()
  for (const key of listOf(driver.topologyKeys).map(stringOf)) {
    if (key === '') required(errors, path)
    if (keys.has(key)) duplicate(errors, path, key)
    keys.add(key)
    invalidFor(errors, path, key, labelKeyErrors(key))
  }
}
