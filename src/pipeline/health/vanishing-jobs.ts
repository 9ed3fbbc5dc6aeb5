import { refOf, type KubeObject } from '../../lib/kube/object.ts'
import { read } from '../../lib/kube/read.ts'
import { inventoryEntry } from '../apply/inventory.ts'

/**
 * The inventory ids of Jobs that go by themselves after they finished (`ttlSecondsAfterFinished`): one that is not there any more has succeeded.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/
 */
export function vanishingJobs(objects: readonly KubeObject[]): ReadonlySet<string> {
  return new Set(
    objects
      .filter((object) => isJob(object) && typeof read(object, 'spec', 'ttlSecondsAfterFinished') === 'number')
      .map((object) => inventoryEntry(refOf(object)).id),
  )
}

/** Whether an object is a Job, in any version of its group. */
export function isJob({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): boolean {
  return kind === 'Job' && apiVersion.startsWith('batch/')
}
