import { type JsonObject, listOf, objectOf, stringOf } from '../../../lib/kube/json.ts'
import { isQuantityError, parseQuantity } from '../../../lib/kube/quantity.ts'
import type { FieldError } from '../fault.ts'
import { type Check, invalidValue, push, required, unsupported } from './fault-list.ts'
import { subdomainError } from './names.ts'

const MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
const PLAIN = new Set([
  ...['capacity', 'accessModes', 'claimRef', 'persistentVolumeReclaimPolicy', 'storageClassName', 'mountOptions'],
  ...['volumeMode', 'nodeAffinity', 'volumeAttributesClassName'],
])

/** Checks of volumes and claims. @see k8s.io/kubernetes/pkg/apis/core/validation */
export const VOLUME_CHECKS: Readonly<Record<string, Check>> = {
  'core.v1.PersistentVolumeSpec': checkVolume,
  'core.v1.PersistentVolumeClaimSpec': checkClaim,
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
