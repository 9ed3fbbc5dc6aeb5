import type { KubeObject } from '../../lib/kube/object.ts'
import { read, readText } from '../../lib/kube/read.ts'

/** What a probe of a container met when it failed last. */
export type ProbeFault = { readonly probe: 'readiness' | 'liveness' | 'startup'; readonly message: string }

/** The reason of the Events by which a kubelet tells it; the status of a pod does not. */
export const UNHEALTHY = 'Unhealthy'

/** The last Event of a failed probe of a container, among all of that reason. */
export function probeFaultOf(
  pod: KubeObject,
  container: string,
  events: readonly KubeObject[],
): ProbeFault | undefined {
  const { uid } = pod.metadata
  const [last] = events
    .filter((event) => uid !== undefined && read(event, 'involvedObject', 'uid') === uid)
    .filter((event) => readText(event, 'involvedObject', 'fieldPath').endsWith(`{${container}}`))
    .sort((a, b) => toldAt(b) - toldAt(a))
  const [, title, message = ''] =
    /^(?:\(combined from similar events\): )?(Readiness|Liveness|Startup) probe failed: (.*)/s.exec(
      readText(last, 'message'),
    ) ?? []
  if (title === undefined) return undefined
  const probe = title === 'Readiness' ? 'readiness' : title === 'Liveness' ? 'liveness' : 'startup'
  return { probe, message: message.trim() }
}

function toldAt(event: KubeObject): number {
  return Date.parse(readText(event, 'lastTimestamp') || readText(event, 'eventTime')) || 0
}
