import type { SharedCaches } from '../../adapters/kube/shared-caches.ts'
import type { WatchCache } from '../../adapters/kube/types.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { conditionOf, readList, readText } from '../../lib/kube/read.ts'
import { firstCauses, type Running, workloadOf } from '../../pipeline/health/first-cause.ts'
import type { FactBody, ReportFact } from '../../pipeline/record/fact.ts'
import { FAILED_PROBES } from './helpers-seen.ts'
import type { RecordKeeper } from './record-keeper.ts'

/** Live copies of what says why a workload is not healthy. */
export async function watchRunning(
  caches: SharedCaches,
): Promise<{ readonly pods: WatchCache; readonly current: () => Running }> {
  const pods = caches.open({ apiVersion: 'v1', kind: 'Pod' })
  const deployments = caches.open({ apiVersion: 'apps/v1', kind: 'Deployment' })
  const unhealthy = caches.open(FAILED_PROBES)
  await Promise.all([pods.ready, deployments.ready, unhealthy.ready])
  return {
    pods,
    current: () => ({ pods: pods.list(), deployments: deployments.list(), unhealthy: unhealthy.list() }),
  }
}

/**
 * Reports what pods really run, now and as it changes: the image digest of each pod and whether it is ready. Pods that the record
 * holds for alive and that are gone, because an earlier process ended before it could tell, are told as gone.
 */
export function reportPods(pods: WatchCache, record: Pick<RecordKeeper, 'ledger' | 'report'>): void {
  const tell = (pod: KubeObject, isGone: boolean): void => {
    const fact = podFact(pod, isGone)
    if (fact !== undefined) void record.report(fact)
  }
  for (const { at: _then, ...known } of [...record.ledger().pods.values()])
    if (!known.gone && pods.get(known.namespace, known.pod) === undefined)
      void record.report({ ...known, ready: false, gone: true })
  for (const pod of pods.list()) tell(pod, false)
  pods.onChange((pod, type) => tell(pod, type === 'DELETED'))
}

/** A pod as a fact; `undefined` while it has no image yet. Pure. */
export function podFact(pod: KubeObject, isGone: boolean): FactBody | undefined {
  const [status, ...rest] = readList(pod, 'status', 'containerStatuses')
  const digest = digestIn(status)
  if (digest === undefined) return undefined
  const more = [...rest, ...readList(pod, 'status', 'initContainerStatuses')].flatMap((each) => digestIn(each) ?? [])
  const others = [...new Set(more)].filter((each) => each !== digest).sort()
  const hasEnded = isGone || ['Succeeded', 'Failed'].includes(readText(pod, 'status', 'phase'))
  return {
    kind: 'pod',
    namespace: pod.metadata.namespace ?? '',
    workload: workloadOf(pod),
    pod: pod.metadata.name,
    image: readText(status, 'image'),
    digest,
    ...(others.length === 0 ? {} : { others }),
    ready: !isGone && pod.metadata.deletionTimestamp === undefined && conditionOf(pod, 'Ready')?.status === 'True',
    ...(hasEnded ? { gone: true } : {}),
  }
}

function digestIn(status: unknown): string | undefined {
  const imageId = readText(status, 'imageID')
  const digest = imageId.slice(imageId.lastIndexOf('@') + 1)
  return digest.startsWith('sha256:') ? digest : undefined
}

/** Reports facts, a failed health check with what its pods say of it: of each workload, and of all of them before Flux's text. */
export function withPodCauses(running: () => Running, report: ReportFact): ReportFact {
  return (fact) => {
    if (fact.kind !== 'health' || fact.state === 'healthy') return report(fact)
    const causes = firstCauses(fact.cause ?? '', running())
    if (causes.length === 0) return report(fact)
    const all = [...new Set(causes.map(({ cause }) => cause))].join('; ')
    return report({ ...fact, causes, cause: `${all}\n${fact.cause ?? ''}` })
  }
}
