import { type JsonObject, listOf, objectOf, stringOf } from '../../../lib/kube/json.ts'
import { isQuantityError, parseQuantity } from '../../../lib/kube/quantity.ts'
import type { FieldError } from '../fault.ts'
import { type Check, forbid, invalidValue, push, required, unsupported } from './fault-list.ts'
import { subdomainError } from './names.ts'
import { checkDescending, checkNoBacksteps } from './paths.ts'

const MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
const PLAIN = new Set([
  ...['capacity', 'accessModes', 'claimRef', 'persistentVolumeReclaimPolicy', 'storageClassName', 'mountOptions'],
  ...['volumeMode', 'nodeAffinity', 'volumeAttributesClassName'],
])

/** Checks of volumes and claims. @see k8s.io/kubernetes/pkg/apis/core/validation */
export const VOLUME_CHECKS: Readonly<Record<string, Check>> = {
  'core.v1.Volume': (volume, path, errors) => {
    const [, ...others] = Object.keys(volume).filter((field) => field !== 'name')
    for (const other of others) forbid(errors, `${path}.${other}`, 'may not specify more than 1 volume type')
  },
  'core.v1.HostPathVolumeSource': ({ path: given }, path, errors) =>
    checkNoBacksteps(stringOf(given), `${path}.path`, errors),
  'core.v1.EmptyDirVolumeSource': ({ sizeLimit }, path, errors) => {
    const amount = parseQuantity(stringOf(sizeLimit))
    if (sizeLimit !== undefined && !isQuantityError(amount) && amount.nano < 0n)
      forbid(errors, `${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')
  },
  'core.v1.KeyToPath': ({ path: given }, path, errors) => {
    const text = stringOf(given)
    if (text === '') return
    checkDescending(text, `${path}.path`, errors)
    if (text.startsWith('..') && !text.startsWith('../') && text !== '..')
      invalidValue(errors, `${path}.path`, text, "must not start with '..'")
  },
  'core.v1.PodCertificateProjection': checkCertificate,
  'core.v1.PersistentVolumeSpec': checkVolume,
  'core.v1.PersistentVolumeClaimSpec': checkClaim,
}

const SHORTEST_CERTIFICATE_SECONDS = 3600
const LONGEST_CERTIFICATE_SECONDS = 91 * 86400
/** Signers of Kubernetes itself sign for a day. */
const LONGEST_OF_KUBERNETES_SECONDS = 86400

function checkCertificate(
  { maxExpirationSeconds: given, signerName }: JsonObject,
  path: string,
  errors: FieldError[],
): void {
  if (typeof given !== 'number') return
  const isOwn = /^(.*\.)?kubernetes\.io\//.test(stringOf(signerName))
  const longest = isOwn ? LONGEST_OF_KUBERNETES_SECONDS : LONGEST_CERTIFICATE_SECONDS
  const at = `${path}.maxExpirationSeconds`
  if (given < SHORTEST_CERTIFICATE_SECONDS)
    invalidValue(errors, at, given, `if provided, maxExpirationSeconds must be >= ${SHORTEST_CERTIFICATE_SECONDS}`)
  if (given > longest) invalidValue(errors, at, given, `if provided, maxExpirationSeconds must be <= ${longest}`)
}

function checkVolume(spec: JsonObject, path: string, errors: FieldError[]): void {
  checkModes(spec, path, errors, '')
  const capacity = objectOf(spec.capacity)
  const at = `${path}.capacity`
  if (Object.keys(capacity).length === 0) required(errors, at)
  if (capacity.storage === undefined) unsupported(errors, at, spec.capacity, ['storage'])
  for (const [name, amount] of Object.entries(capacity)) checkAmount(amount, `${at}[${name}]`, errors, true)
  const policy = stringOf(spec.persistentVolumeReclaimPolicy)
  if (policy !== '' && !/^(Delete|Recycle|Retain)$/.test(policy))
    unsupported(errors, `${path}.persistentVolumeReclaimPolicy`, policy, ['Delete', 'Recycle', 'Retain'])
  const [first, ...others] = Object.keys(spec).filter((field) => !PLAIN.has(field))
  if (first === undefined) required(errors, path, 'must specify a volume type')
  for (const other of others)
    push(errors, `${path}.${other}`, 'Forbidden', 'Forbidden: may not specify more than 1 volume type')
  checkVolumeMode(spec, path, errors)
  checkClass(spec, path, errors)
}

function checkClaim(spec: JsonObject, path: string, errors: FieldError[]): void {
  checkModes(spec, path, errors, 'at least 1 access mode is required')
  const storage = objectOf(objectOf(spec.resources).requests).storage
  const at = `${path}.resources[storage]`
  if (storage === undefined) required(errors, at)
  else checkAmount(storage, at, errors, false)
  checkClass(spec, path, errors)
  checkVolumeMode(spec, path, errors)
}

function checkModes({ accessModes }: JsonObject, path: string, errors: FieldError[], why: string): void {
  const at = `${path}.accessModes`
  const modes = listOf(accessModes)
  if (modes.length === 0) required(errors, at, why)
  for (const mode of modes) if (!MODES.includes(stringOf(mode))) unsupported(errors, at, mode, MODES)
  if (modes.includes('ReadWriteOncePod') && modes.length > 1)
    push(errors, at, 'Forbidden', 'Forbidden: may not use ReadWriteOncePod with other access modes')
}

function checkAmount(amount: unknown, path: string, errors: FieldError[], isCapacity: boolean): void {
  const quantity = parseQuantity(
    typeof amount === 'number' ? amount : stringOf(typeof amount === 'string' ? amount : ''),
  )
  if (isQuantityError(quantity) || quantity.nano > 0n) return
  if (isCapacity && quantity.nano < 0n)
    push(errors, path, 'Invalid', `Invalid value: ${quantity.text}: must be a valid resource quantity`)
  invalidValue(errors, path, quantity.text, 'must be greater than zero')
}

function checkVolumeMode({ volumeMode }: JsonObject, path: string, errors: FieldError[]): void {
  if (volumeMode !== undefined && volumeMode !== 'Block' && volumeMode !== 'Filesystem')
    unsupported(errors, `${path}.volumeMode`, volumeMode, ['Block', 'Filesystem'])
}

function checkClass({ storageClassName }: JsonObject, path: string, errors: FieldError[]): void {
  const name = stringOf(storageClassName)
  const why = name === '' ? undefined : subdomainError(name)
  if (why !== undefined) invalidValue(errors, `${path}.storageClassName`, name, why)
}
