import { objectOf, stringOf } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import type { Environment } from '../environment.ts'
import { forbidden } from '../fault.ts'
import { type Obj, specOf } from '../object.ts'
import { amountOf } from '../validation/pods/resource-checks.ts'

const OLD_CLASS = 'volume.beta.kubernetes.io/storage-class'

/**
 * Refuses a claim that grows and is not bound, or whose class does not let volumes grow.
 *
 * @see k8s.io/kubernetes/plugin/pkg/admission/storage/persistentvolume/resize
 */
export function admitGrowth(env: Environment, { resource, subresource, name }: Call, claim: Obj, before?: Obj): void {
  if (before === undefined || resource.storageKey !== '/persistentvolumeclaims' || subresource !== '') return
  const [had, wants] = [sizeOf(before), sizeOf(claim)]
  if (wants <= had) return
  if (objectOf(before.status).phase !== 'Bound')
    throw forbidden(resource, name, 'Only bound persistent volume claims can be expanded')
  const wanted = classOf(claim)
  const found = wanted === classOf(before) ? env.store.get('storage.k8s.io/storageclasses', '', wanted) : undefined
  if (found?.allowVolumeExpansion !== true)
    throw forbidden(
      resource,
      name,
      'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    )
}

const sizeOf = (claim: Obj): bigint =>
  amountOf(objectOf(objectOf(specOf(claim).resources).requests).storage)?.nano ?? 0n

const classOf = (claim: Obj): string =>
  stringOf(claim.metadata.annotations?.[OLD_CLASS] ?? specOf(claim).storageClassName)
