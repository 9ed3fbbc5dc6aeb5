import { posix } from 'node:path'
import { isObject, type JsonObject, listOf, objectOf, sorted, stringOf } from '../../../../lib/kube/json.ts'
import { isQuantityError, parseQuantity } from '../../../../lib/kube/quantity.ts'
import { asGiven } from '../../decoding/emptied.ts'
import type { FieldError } from '../../fault.ts'
import { type Below, type Check, checkName, forbid, invalidValue, push, required, unsupported } from '../fault-list.ts'
import { labelError, subdomainError } from '../../../../lib/kube/names.ts'

const NANO = 1_000_000_000n
const MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
/** Kinds of volumes in the order in which the server looks for them, with the words in which it tells of their faults, and of a second one. */
const SOURCES: readonly (readonly [field: string, own?: string, other?: string])[] = [
  ['hostPath'],
  ['gcePersistentDisk', 'persistentDisk'],
  ['awsElasticBlockStore'],
  ['glusterfs'],
  ['flocker'],
  ['nfs'],
  ['rbd'],
  ['quobyte'],
  ['cephfs', 'cephfs', 'cephFS'],
  ['iscsi'],
  ['cinder'],
  ['fc'],
  ['flexVolume'],
  ['azureFile'],
  ['vsphereVolume'],
  ['photonPersistentDisk'],
  ['portworxVolume'],
  ['azureDisk'],
  ['scaleIO'],
  ['local'],
  ['storageos'],
  ['csi'],
]

/** Checks of volumes and claims. @see k8s.io/kubernetes/pkg/apis/core/validation */
export const VOLUME_CHECKS: Readonly<Record<string, Check>> = {
  'core.v1.PersistentVolumeSpec': checkVolume,
  'core.v1.PersistentVolumeClaimSpec': checkClaim,
  'core.v1.VolumeNodeAffinity': ({ required: nodes }, path, errors) => {
    if (nodes === undefined) required(errors, `${path}.required`, 'must specify required node constraints')
  },
}

function checkVolume(spec: JsonObject, path: string, errors: FieldError[], below: Below): void {
  // in an attachment, what is not of a volume alone stands elsewhere
  const isInline = path.endsWith('.inlineVolumeSpec')
  if (isInline) checkInline(spec, path, errors)
  const modes = `${path}.accessModes`
  if (listOf(spec.accessModes).length === 0) required(errors, modes)
  checkModes(spec, modes, errors)
  if (!isInline) checkCapacity(spec, path, errors)
  checkReclaimPolicy(spec, path, isInline, errors)
  if (isInline && spec.nodeAffinity !== undefined) forbid(errors, `${path}.nodeAffinity`, NOT_INLINE)
  else below('nodeAffinity')
  checkSource(spec, path, errors, below)
  checkClassAndMode(spec, path, isInline, errors)
  const { volumeAttributesClassName: attributes } = spec
  if (attributes === undefined) return
  if (attributes === '') required(errors, `${path}.volumeAttributesClassName`, 'an empty string is disallowed')
  else checkName(attributes, `${path}.volumeAttributesClassName`, subdomainError, errors)
  if (spec.csi === undefined)
    required(errors, `${path}.csi`, 'has to be specified when using volumeAttributesClassName')
}

const NOT_INLINE = 'may not be specified in the context of inline volumes'

function checkInline(spec: JsonObject, path: string, errors: FieldError[]): void {
  if (spec.claimRef !== undefined) forbid(errors, `${path}.claimRef`, NOT_INLINE)
  if (Object.keys(objectOf(spec.capacity)).length > 0) forbid(errors, `${path}.capacity`, NOT_INLINE)
  if (spec.csi === undefined) required(errors, `${path}.csi`, 'has to be specified in the context of inline volumes')
}

function checkCapacity(spec: JsonObject, path: string, errors: FieldError[]): void {
  const capacity = objectOf(spec.capacity)
  const at = `${path}.capacity`
  if (Object.keys(capacity).length === 0) required(errors, at)
  if (capacity.storage === undefined || Object.keys(capacity).length > 1)
    unsupported(errors, at, sorted(objectOf(asGiven(spec)).capacity ?? null), ['storage'])
  for (const [name, amount] of Object.entries(capacity)) checkAmount(amount, `${at}[${name}]`, errors, true)
}

function checkReclaimPolicy(spec: JsonObject, path: string, isInline: boolean, errors: FieldError[]): void {
  const policy = stringOf(spec.persistentVolumeReclaimPolicy)
  const at = `${path}.persistentVolumeReclaimPolicy`
  if (policy === '' || policy === 'Retain') return
  if (isInline) forbid(errors, at, 'may only be Retain in the context of inline volumes')
  else if (policy !== 'Delete' && policy !== 'Recycle') unsupported(errors, at, policy, ['Delete', 'Recycle', 'Retain'])
}

function checkClassAndMode(spec: JsonObject, path: string, isInline: boolean, errors: FieldError[]): void {
  if (!isInline) {
    checkClass(spec, path, errors)
    return checkVolumeMode(spec, path, errors)
  }
  if (stringOf(spec.storageClassName) !== '') forbid(errors, `${path}.storageClassName`, NOT_INLINE)
  if (spec.volumeMode !== undefined && spec.volumeMode !== 'Filesystem')
    forbid(
      errors,
      `${path}.volumeMode`,
      'may not specify volumeMode other than Filesystem in the context of inline volumes',
    )
}

/** Options of mounts stood in an annotation, before there was a field; these kinds of volumes are mounted with any. */
const MOUNT_OPTIONS = 'volume.beta.kubernetes.io/mount-options'
const MOUNTED = [
  ...['gcePersistentDisk', 'awsElasticBlockStore', 'glusterfs', 'nfs', 'rbd', 'quobyte', 'iscsi', 'cinder'],
  ...['azureFile', 'vsphereVolume', 'photonPersistentDisk', 'portworxVolume', 'azureDisk', 'storageos', 'csi'],
]

/** Checks that come after those of the specification. */
export const AFTER_VOLUME: Readonly<Record<string, Check>> = {
  'core.v1.PersistentVolume': ({ metadata, spec }, _path, errors) => {
    if (objectOf(objectOf(metadata).annotations)[MOUNT_OPTIONS] === undefined) return
    if (MOUNTED.some((field) => objectOf(spec)[field] !== undefined)) return
    forbid(errors, `metadata.annotations.${MOUNT_OPTIONS}`, 'may not specify mount options for this volume type')
  },
}

function checkSource(spec: JsonObject, path: string, errors: FieldError[], below: Below): void {
  const [first, ...others] = SOURCES.filter(([field]) => spec[field] !== undefined)
  if (first !== undefined) below(first[0], undefined, `${path}.${first[1] ?? first[0]}`)
  const pinned = 'Local volume requires node affinity'
  if (first?.[0] === 'local' && spec.nodeAffinity === undefined) required(errors, `${path}.nodeAffinity`, pinned)
  for (const [field, , told] of others)
    forbid(errors, `${path}.${told ?? field}`, 'may not specify more than 1 volume type')
  if (first === undefined) required(errors, path, 'must specify a volume type')
  const isRoot = posix.normalize(stringOf(objectOf(spec.hostPath).path)) === '/'
  if (isRoot && spec.persistentVolumeReclaimPolicy === 'Recycle')
    forbid(errors, `${path}.persistentVolumeReclaimPolicy`, "may not be 'recycle' for a hostPath mount of '/'")
}

function checkClaim(spec: JsonObject, path: string, errors: FieldError[], below: Below): void {
  const modes = `${path}.accessModes`
  if (listOf(spec.accessModes).length === 0) required(errors, modes, 'at least 1 access mode is required')
  below('selector')
  checkModes(spec, modes, errors)
  const storage = objectOf(objectOf(spec.resources).requests).storage
  const at = `${path}.resources[storage]`
  if (storage === undefined) required(errors, at)
  else checkAmount(storage, at, errors, false)
  checkClass(spec, path, errors)
  checkVolumeMode(spec, path, errors)
  const [source, ref] = [spec.dataSource, spec.dataSourceRef]
  // One of them that is not given says what the other does.
  if (isObject(source) || (isObject(ref) && stringOf(ref.namespace) === ''))
    checkDataSource(objectOf(source ?? ref), `${path}.dataSource`, errors)
  if (isObject(ref) || isObject(source)) checkDataSource(objectOf(ref ?? source), `${path}.dataSourceRef`, errors)
  if (stringOf(spec.volumeAttributesClassName) !== '')
    checkName(spec.volumeAttributesClassName, `${path}.volumeAttributesClassName`, subdomainError, errors)
}

function checkDataSource(source: JsonObject, path: string, errors: FieldError[]): void {
  const [name, kind, group, namespace] = [source.name, source.kind, source.apiGroup, source.namespace].map(stringOf)
  if (name === '') required(errors, `${path}.name`)
  if (kind === '') required(errors, `${path}.kind`)
  if (group === '' && kind !== 'PersistentVolumeClaim')
    invalidValue(errors, path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")
  if (group !== '') checkName(group, `${path}.apiGroup`, subdomainError, errors)
  if (namespace !== '') checkName(namespace, `${path}.namespace`, labelError, errors)
}

function checkModes({ accessModes }: JsonObject, at: string, errors: FieldError[]): void {
  const modes = listOf(accessModes)
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
    push(errors, path, 'Invalid', `Invalid value: ${quantity.nano / NANO}: must be a valid resource quantity`)
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
