import { at, listOf, objectsOf, objectOf, stringOf } from '../../../lib/kube/json.ts'
import type { Obj } from '../object.ts'
import { accessModes, NONE, UNSET } from './cells.ts'
import { AGE, type Cell, type Column, field, NAME, shown, text } from './columns.ts'

const phase: Cell = (object) =>
  object.metadata.deletionTimestamp === undefined ? shown(at(object, 'status', 'phase')) : 'Terminating'
const attributesClass: Cell = (object) => shown(at(object, 'spec', 'volumeAttributesClassName')) || UNSET
const volumeMode: Column = text('VolumeMode', (object) => shown(at(object, 'spec', 'volumeMode')) || UNSET, 1)
const yesNo = (name: string, cell: (object: Obj) => boolean): Column => ({ ...text(name, cell), type: 'boolean' })

/** What a bound claim has; nothing before. */
const whenBound =
  (cell: Cell): Cell =>
  (claim, now) =>
    stringOf(at(claim, 'spec', 'volumeName')) === '' ? '' : cell(claim, now)

/** Columns of volumes and of the kinds around them, by storage key. */
export const STORAGE_COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  '/persistentvolumeclaims': [
    NAME,
    text('Status', phase),
    field('Volume', 'spec', 'volumeName'),
    text(
      'Capacity',
      whenBound((claim) => stringOf(at(claim, 'status', 'capacity', 'storage')) || '0'),
    ),
    text(
      'Access Modes',
      whenBound((claim) => accessModes(at(claim, 'status', 'accessModes'))),
    ),
    field('StorageClass', 'spec', 'storageClassName'),
    text('VolumeAttributesClass', attributesClass),
    AGE,
    volumeMode,
  ],
  '/persistentvolumes': [
    NAME,
    text('Capacity', (volume) => stringOf(at(volume, 'spec', 'capacity', 'storage')) || '0'),
    text('Access Modes', (volume) => accessModes(at(volume, 'spec', 'accessModes'))),
    field('Reclaim Policy', 'spec', 'persistentVolumeReclaimPolicy'),
    text('Status', phase),
    text('Claim', (volume) => {
      const claim = at(volume, 'spec', 'claimRef')
      const { namespace, name } = objectOf(claim)
      return claim === undefined ? '' : `${stringOf(namespace)}/${stringOf(name)}`
    }),
    field('StorageClass', 'spec', 'storageClassName'),
    text('VolumeAttributesClass', attributesClass),
    field('Reason', 'status', 'reason'),
    AGE,
    volumeMode,
  ],
  'storage.k8s.io/storageclasses': [
    NAME,
    field('Provisioner', 'provisioner'),
    text('ReclaimPolicy', ({ reclaimPolicy }) => stringOf(reclaimPolicy) || 'Delete'),
    text('VolumeBindingMode', ({ volumeBindingMode }) => stringOf(volumeBindingMode) || 'Immediate'),
    text('AllowVolumeExpansion', ({ allowVolumeExpansion }) => allowVolumeExpansion === true),
    AGE,
  ],
  'storage.k8s.io/volumeattributesclasses': [NAME, field('DriverName', 'driverName'), AGE],
  'storage.k8s.io/volumeattachments': [
    NAME,
    { ...field('Attacher', 'spec', 'attacher'), format: 'name' },
    field('PV', 'spec', 'source', 'persistentVolumeName'),
    field('Node', 'spec', 'nodeName'),
    yesNo('Attached', (object) => at(object, 'status', 'attached') === true),
    AGE,
  ],
  'storage.k8s.io/csinodes': [
    NAME,
    { ...text('Drivers', (object) => listOf(at(object, 'spec', 'drivers')).length), type: 'integer' },
    AGE,
  ],
  'storage.k8s.io/csidrivers': [
    NAME,
    yesNo('AttachRequired', (object) => at(object, 'spec', 'attachRequired') !== false),
    yesNo('PodInfoOnMount', (object) => at(object, 'spec', 'podInfoOnMount') === true),
    yesNo('StorageCapacity', (object) => at(object, 'spec', 'storageCapacity') === true),
    text('TokenRequests', (object) => {
      const requests = at(object, 'spec', 'tokenRequests')
      if (requests === undefined) return UNSET
      return objectsOf(requests)
        .map(({ audience }) => stringOf(audience))
        .join(',')
    }),
    yesNo('RequiresRepublish', (object) => at(object, 'spec', 'requiresRepublish') === true),
    text(
      'Modes',
      (object) =>
        listOf(at(object, 'spec', 'volumeLifecycleModes'))
          .map(stringOf)
          .join(',') || NONE,
    ),
    AGE,
  ],
}
