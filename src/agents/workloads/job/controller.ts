import type { WatchCache } from '../../../adapters/kube/types.ts'
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
import { isHeld, isOver } from './ended.ts'
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
      const wakeLost = (pod: KubeObject): void => {
        const key = lostKey(jobs, pod)
        if (key !== undefined) wake.now(key)
      }
      pods.onChange((pod, type) => {
        if (controllerOf(pod)?.kind === 'Job') memory.note(as<Pod>(pod))
        if (type !== 'DELETED') wakeLost(pod)
      })
      jobs.onChange((job, type) => {
        const { uid = '' } = job.metadata
        if (type === 'DELETED' || isOver(as<Job>(job))) memory.forget(uid)
        if (type === 'DELETED') wake.now(`${keyOf(job)}/${uid}`)
      })
      pods.list().forEach(wakeLost)
    },
    observe(key, failure) {
      const [namespace = '', name = '', goneUid] = key.split('/')
      if (goneUid !== undefined) {
        const found = goneUid === '' ? [pods.get(namespace, name)] : (podsOf?.of(goneUid) ?? [])
        const lost = found.flatMap((pod) => (pod && lostKey(jobs, pod) === key ? [as<Pod>(pod)] : []))
        return lost.length === 0 ? undefined : { lost }
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

/**
 * Where a held pod is let go that nobody will count: under its own name when nobody controls it, under its Job's name and uid when that is gone, or
 * another has its name by now. The answer to a creation may come after the end of its Job: any event of a pod may be the first of a lost one.
 *
 * @see k8s.io/kubernetes/pkg/controller/job `enqueueOrphanPod`
 */
function lostKey(jobs: WatchCache, pod: KubeObject): string | undefined {
  if (!isHeld(pod)) return undefined
  const owner = controllerOf(pod)
  if (owner === undefined) return `${keyOf(pod)}/`
  const { namespace = '' } = pod.metadata
  const isJob = owner.kind === 'Job' && owner.apiVersion === 'batch/v1'
  const isLost = isJob && jobs.get(namespace, owner.name)?.metadata.uid !== owner.uid
  return isLost ? `${namespace}/${owner.name}/${owner.uid}` : undefined
}
