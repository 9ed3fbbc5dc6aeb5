import type { Controller } from '../../../engine/controller.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { lookUp, wakeFor } from '../by-key.ts'
import { workloadController } from '../controller.ts'
import { controllerOf, keyOf } from '../meta.ts'
import { indexForOwners, type OwnedIndex } from '../owned-index.ts'
import { as, type Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import { releaseWrite } from './count.ts'
import { isHeld } from './ended.ts'
import { decideJob, type JobSeen } from './decide.ts'
import { jobMemory } from './remembered.ts'
import type { Job } from './shapes.ts'

/** Pods of a Job that is gone, which nobody will count any more. */
type Lost = { readonly lost: readonly Pod[] }

const FIRST_BACKOFF_MS = 1000

/** The Job controller: watches Jobs and their pods. */
export function jobController(bench: Bench): Controller<JobSeen | Lost, Write, readonly Write[]> {
  const jobs = bench.cache('batch/v1', 'Job')
  const pods = bench.cache('v1', 'Pod')
  let podsOf: OwnedIndex | undefined
  const memory = jobMemory(jobs)

  return workloadController<JobSeen | Lost>(bench, {
    kind: 'Job',
    component: 'job-controller',
    firstBackoffMs: FIRST_BACKOFF_MS,
    async watch(wake) {
      await Promise.all([jobs.ready, pods.ready])
      podsOf = indexForOwners(pods, jobs, 'Job', wake.now)
      wakeFor(jobs, wake.now)
      const wakeOrphan = (pod: KubeObject): void => {
        if (controllerOf(pod) === undefined && isHeld(pod)) wake.now(`${keyOf(pod)}/`)
      }
      pods.onChange((pod, type) => {
        if (controllerOf(pod)?.kind === 'Job') memory.note(as<Pod>(pod))
        else if (type !== 'DELETED') wakeOrphan(pod)
      })
      jobs.onChange((job, type) => {
        if (type !== 'DELETED') return
        memory.forget(job.metadata.uid ?? '')
        wake.now(`${keyOf(job)}/${job.metadata.uid ?? ''}`)
      })
      for (const pod of pods.list()) {
        wakeOrphan(pod)
        const owner = controllerOf(pod)
        const { namespace = '' } = pod.metadata
        if (owner?.kind === 'Job' && jobs.get(namespace, owner.name)?.metadata.uid !== owner.uid)
          wake.now(`${namespace}/${owner.name}/${owner.uid}`)
      }
    },
    observe(key, failure) {
      const [namespace = '', name = '', goneUid] = key.split('/')
      if (goneUid === '') {
        const orphan = lookUp<Pod>(pods, `${namespace}/${name}`)
        return orphan && isHeld(orphan) && controllerOf(orphan) === undefined ? { lost: [orphan] } : undefined
      }
      if (goneUid !== undefined) {
        const held = podsOf?.of(goneUid).filter(isHeld) ?? []
        return held.length === 0 ? undefined : { lost: held.map((pod) => as<Pod>(pod)) }
      }
      const job = lookUp<Job>(jobs, key)
      if (!job) return undefined
      const { uid = '' } = job.metadata
      return {
        job,
        candidates: podsOf?.candidates(uid, namespace).map((pod) => as<Pod>(pod)) ?? [],
        ...(failure !== undefined && { failure }),
        remembered: memory.of(uid),
        nowMs: bench.clock.nowMs(),
      }
    },
    decide: (seen) => ('lost' in seen ? { kind: 'act', changes: seen.lost.map(releaseWrite) } : decideJob(seen)),
  })
}
