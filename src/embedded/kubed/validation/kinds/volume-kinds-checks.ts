import { isObject, type JsonObject, listOf, numberOf, stringOf } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { type Check, checkName, checkRange, invalidValue, required, unsupported } from '../fault-list.ts'
import { labelError } from '../../../../lib/kube/names.ts'
import { checkNoBacksteps } from '../paths.ts'
import type { Rules } from '../rules.ts'
import { checkDriverName } from '../pods/volume-source-checks.ts'

const INITIATOR =
  /^(?:iqn\.\d{4}-\d{2}\.([a-z0-9-.]+)(:([^,;*&$|\s]+))?|eui\.[0-9A-Fa-f]{16}|naa\.[0-9A-Fa-f]{16}(?:[0-9A-Fa-f]{16})?)$/
const CACHING = ['None', 'ReadOnly', 'ReadWrite']
const DISKS = ['Dedicated', 'Managed', 'Shared']

/** What volumes of other machines must name. Persistent volumes have most of them under another name. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  GCEPersistentDisk: ['pdName'],
  AWSElasticBlockStore: ['volumeID'],
  Glusterfs: ['endpoints', 'path'],
  GlusterfsPersistent: ['endpoints', 'path'],
  RBD: ['monitors', 'image'],
  RBDPersistent: ['monitors', 'image'],
  CephFS: ['monitors'],
  CephFSPersistent: ['monitors'],
  Cinder: ['volumeID'],
  CinderPersistent: ['volumeID'],
  Flex: ['driver'],
  FlexPersistent: ['driver'],
  AzureFile: ['secretName', 'shareName'],
  AzureFilePersistent: ['secretName', 'shareName'],
  VsphereVirtualDisk: ['volumePath'],
  PhotonPersistentDisk: ['pdID'],
  Portworx: ['volumeID'],
  AzureDisk: ['diskName', 'diskURI'],
  ScaleIO: ['gateway', 'system', 'volumeName'],
  ScaleIOPersistent: ['gateway', 'system', 'volumeName'],
  Local: ['path'],
  ISCSI: ['targetPortal', 'iqn'],
  ISCSIPersistent: ['targetPortal', 'iqn'],
}

/** Rules of what volumes must name, by definition. */
export const VOLUME_KIND_RULES: Readonly<Record<string, Rules>> = Object.fromEntries(
  Object.entries(NAMED).map(([kind, fields]) => [`core.v1.${kind}VolumeSource`, { required: fields }]),
)

/** Checks of kinds of volumes that rules cannot say. @see k8s.io/kubernetes/pkg/apis/core/validation */
export const VOLUME_KIND_CHECKS: Readonly<Record<string, Check>> = {
  'core.v1.GCEPersistentDiskVolumeSource': checkPartition,
  'core.v1.AWSElasticBlockStoreVolumeSource': checkPartition,
  'core.v1.FlockerVolumeSource': ({ datasetName, datasetUUID }, path, errors) => {
    const [name, uuid] = [datasetName, datasetUUID].map(stringOf)
    if (name === '' && uuid === '') required(errors, path, 'one of datasetName and datasetUUID is required')
    if (name !== '' && uuid !== '')
      invalidValue(errors, path, 'resource', 'datasetName and datasetUUID can not be specified simultaneously')
    if (name?.includes('/') === true) invalidValue(errors, `${path}.datasetName`, name, "must not contain '/'")
  },
  'core.v1.QuobyteVolumeSource': ({ registry, volume }, path, errors) => {
    const why = 'must be a host:port pair or multiple pairs separated by commas'
    const text = stringOf(registry)
    if (text === '') required(errors, `${path}.registry`, why)
    else
      for (const pair of text.split(','))
        if (!/^(\[[^\]]*\]|[^:[\]]*):[^:]*$/.test(pair)) invalidValue(errors, `${path}.registry`, text, why)
    if (stringOf(volume) === '') required(errors, `${path}.volume`)
  },
  'core.v1.FCVolumeSource': ({ targetWWNs, wwids, lun }, path, errors) => {
    const [targets, ids] = [listOf(targetWWNs), listOf(wwids)]
    const at = `${path}.targetWWNs`
    if (targets.length === 0 && ids.length === 0)
      required(errors, at, 'must specify either targetWWNs or wwids, but not both')
    if (targets.length === 0) return
    if (ids.length > 0) invalidValue(errors, at, targets, 'targetWWNs and wwids can not be specified simultaneously')
    if (lun === undefined) required(errors, `${path}.lun`, 'lun is required if targetWWNs is specified')
    else checkRange(lun, `${path}.lun`, errors, 255)
  },
  'core.v1.AzureDiskVolumeSource': checkAzureDisk,
  'core.v1.LocalVolumeSource': ({ path: given }, path, errors) =>
    checkNoBacksteps(stringOf(given), `${path}.path`, errors),
  'core.v1.ISCSIVolumeSource': checkIscsi,
  'core.v1.ISCSIPersistentVolumeSource': checkIscsi,
  'core.v1.StorageOSVolumeSource': checkStorageOs,
  'core.v1.StorageOSPersistentVolumeSource': checkStorageOs,
  'core.v1.CSIPersistentVolumeSource': ({ driver, volumeHandle, ...rest }, path, errors) => {
    checkDriverName(driver, `${path}.driver`, errors)
    if (stringOf(volumeHandle) === '') required(errors, `${path}.volumeHandle`)
    const secrets = ['controllerPublish', 'controllerExpand', 'nodePublish', 'nodeExpand']
    for (const field of secrets.map((name) => `${name}SecretRef`)) {
      const secret = rest[field]
      if (!isObject(secret)) continue
      for (const part of ['name', 'namespace'])
        if (stringOf(secret[part]) === '') required(errors, `${path}.${field}.${part}`)
        else checkName(secret[part], `${path}.${field}.${part}`, labelError, errors)
    }
  },
}

function checkPartition({ partition }: JsonObject, path: string, errors: FieldError[]): void {
  const found = numberOf(partition) ?? 0
  if (found < 0 || found > 255) invalidValue(errors, `${path}.partition`, found, 'must be between 0 and 255, inclusive')
}

function checkAzureDisk({ cachingMode, kind, diskURI }: JsonObject, path: string, errors: FieldError[]): void {
  const uri = stringOf(diskURI)
  if (cachingMode !== undefined && !CACHING.includes(stringOf(cachingMode)))
    unsupported(errors, `${path}.cachingMode`, cachingMode, CACHING)
  if (kind !== undefined && !DISKS.includes(stringOf(kind))) unsupported(errors, `${path}.kind`, kind, DISKS)
  const isManaged = kind === 'Managed'
  if (uri.startsWith(isManaged ? '/subscriptions/' : 'https://')) return
  unsupported(errors, `${path}.diskURI`, uri, [
    isManaged
      ? '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}'
      : 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd',
  ])
}

function checkIscsi(volume: JsonObject, path: string, errors: FieldError[]): void {
  const { iqn, lun, initiatorName, secretRef } = volume
  const bad = (field: string, name: string): void => {
    if (!INITIATOR.test(name)) invalidValue(errors, `${path}.${field}`, name, 'must be valid format')
  }
  if (stringOf(iqn) !== '') bad('iqn', stringOf(iqn))
  checkRange(lun, `${path}.lun`, errors, 255)
  const hasChap = volume.chapAuthDiscovery === true || volume.chapAuthSession === true
  if (hasChap && secretRef === undefined) required(errors, `${path}.secretRef`)
  if (isObject(secretRef) && stringOf(secretRef.name) === '') required(errors, `${path}.secretRef.name`)
  if (typeof initiatorName === 'string') bad('initiatorname', initiatorName)
}

function checkStorageOs({ volumeName, volumeNamespace }: JsonObject, path: string, errors: FieldError[]): void {
  if (stringOf(volumeName) === '') required(errors, `${path}.volumeName`)
  else checkName(volumeName, `${path}.volumeName`, labelError, errors)
  if (stringOf(volumeNamespace) !== '') checkName(volumeNamespace, `${path}.volumeNamespace`, labelError, errors)
}
