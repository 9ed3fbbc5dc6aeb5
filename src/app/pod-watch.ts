import type { WatchCache } from '../adapters/kube/types.ts'
import type { KubeObject } from '../lib/kube/object.ts'
import { conditionOf, readList, readText } from '../lib/kube/read.ts'
import { firstCauses, workloadOf } from '../pipeline/health/first-cause.ts'
import type { FactBody, ReportFact } from '../pipeline/record/fact.ts'

/** Reports what pods really run, as it changes: the image digest of each pod and whether it is ready. */
export function reportPods(pods: WatchCache, report: ReportFact): void {
  const told = new Map<string, string>()
  pods.onChange((pod, type) => {
    const key = `${pod.metadata.namespace}/${pod.metadata.name}`
    const fact = podFact(pod, type === 'DELETED')
    if (fact === undefined) return
    const text = JSON.stringify(fact)
    if (told.get(key) === text) return
    if (type === 'DELETED') told.delete(key)
    else told.set(key, text)
    report(fact)
  })
}

/** A pod as a fact; `undefined` while it has no image yet. Pure. */
function podFact(pod: KubeObject, isGone: boolean): FactBody | undefined {
  const status = readList(pod, 'status', 'containerStatuses')[0]
  const imageId = readText(status, 'imageID')
  const digest = imageId.slice(imageId.lastIndexOf('@') + 1)
  if (!digest.startsWith('sha256:')) return undefined
  return {
    kind: 'pod',
    namespace: pod.metadata.namespace ?? '',
    workload: workloadOf(pod),
    pod: pod.metadata.name,
    image: readText(status, 'image'),
    digest,
    ready: !isGone && pod.metadata.deletionTimestamp === undefined && conditionOf(pod, 'Ready')?.status === 'True',
  }
}

/** Reports facts, a failed health check with what its pods say of it. */
export function withPodCauses(pods: WatchCache, report: ReportFact): ReportFact {
  return (fact) => {
    if (fact.kind !== 'health' || fact.state === 'healthy') return report(fact)
    const causes = firstCauses(fact.cause ?? '', pods.list())
    report(causes === '' ? fact : { ...fact, cause: `${causes}\n${fact.cause ?? ''}` })
  }
}
