import { listOf, stringOf } from '../../../lib/kube/json.ts'
import type { Obj } from '../object.ts'
import type { Resource } from '../resources/resource.ts'

/** Volumes that are in use are kept by a finalizer. @see admission plugin StorageObjectInUseProtection */
const PROTECTED: Readonly<Record<string, string>> = {
  'storage.k8s.io/volumeattributesclasses': 'kubernetes.io/vac-protection',
  '/persistentvolumes': 'kubernetes.io/pv-protection',
  '/persistentvolumeclaims': 'kubernetes.io/pvc-protection',
}

/** Gives a new object of such a kind its finalizer. In place. */
export function protectInUse({ storageKey }: Resource, { metadata }: Obj): void {
  const finalizer = PROTECTED[storageKey]
  if (finalizer === undefined) return
  const finalizers = listOf(metadata.finalizers).map(stringOf)
  if (!finalizers.includes(finalizer)) metadata.finalizers = [...finalizers, finalizer]
}
