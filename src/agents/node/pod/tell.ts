import { ApiError } from '../../../adapters/kube/api-error.ts'
import type { NodeContext } from './context.ts'
import { LATE, type Seen } from './decide.ts'
import type { Memory } from './memory.ts'
import { fieldOf, labelOf, type Pod, type PodStatus } from './shapes.ts'
import { renderPodStatus } from './status.ts'

/** What tells how a pod is. */
export type Telling = {
  /** False while there is something that the API server was not told yet; `isAwaited` when something waits for that. */
  readonly tell: (seen: Seen, isAwaited: boolean) => boolean
  readonly settled: () => Promise<void>
}

/**
 * Tells the API server how the pod is, one status at a time, so that none is written over a newer one. When the
 * server has answered, `wake` is called for what came meanwhile and for what waits for the answer.
 */
export function startTelling(
  context: NodeContext,
  memory: Memory,
  then: { readonly wake: () => void; readonly failed: (error: unknown) => void },
): Telling {
  let telling: Promise<void> | undefined
  let isAsked = false
  /** What the server had no such pod for. */
  let unheard: string | undefined
  const write = async (status: PodStatus): Promise<void> => {
    try {
      if (!(await writeStatus(context, memory, status))) unheard = JSON.stringify(status)
      if (isAsked) then.wake()
    } catch (error) {
      then.failed(error)
    } finally {
      telling = undefined
    }
  }
  return {
    tell(seen, isAwaited) {
      if (memory.isGone) return true
      isAsked = telling !== undefined || isAwaited
      if (telling !== undefined) return false
      const { hostIp, isSimulated } = context.driver()
      const status = renderPodStatus(seen, hostIp, isSimulated)
      if ([unheard, JSON.stringify(memory.pod.status)].includes(JSON.stringify(status))) return true
      telling = write(status)
      return false
    },
    settled: async () => telling,
  }
}

/** False when there is no such pod. */
async function writeStatus(context: NodeContext, memory: Memory, status: PodStatus): Promise<boolean> {
  const { namespace = 'default', name } = memory.pod.metadata
  try {
    await context.client.patch(
      { apiVersion: 'v1', kind: 'Pod', namespace, name },
      'merge',
      { metadata: { uid: memory.pod.metadata.uid }, status },
      {
        fieldManager: 'sluice-node',
        subresource: 'status',
      },
    )
    tellChanges(context, memory.pod, status)
    memory.pod = { ...memory.pod, status }
    return true
  } catch (error) {
    if (!(error instanceof ApiError && (error.status === 404 || error.status === 409))) throw error
    return false
  }
}

/** Events of what a status says for the first time: a deadline that is over, a container that waits before it is started again. */
function tellChanges(context: NodeContext, pod: Pod, { reason = '', message = '', ...status }: PodStatus): void {
  const { status: before = {} } = pod
  if (reason === LATE.reason && before.reason !== reason) context.record(pod, 'Normal', reason, message)
  const waiting = (shown: PodStatus): string[] =>
    [...(shown.initContainerStatuses ?? []), ...(shown.containerStatuses ?? [])]
      .filter(({ state }) => state.waiting?.reason === 'CrashLoopBackOff')
      .map(({ name }) => name)
  for (const name of waiting(status).filter((each) => !waiting(before).includes(each))) {
    const text = `Back-off restarting failed container ${name} in pod ${labelOf(pod)}`
    context.record(pod, 'Warning', 'BackOff', text, fieldOf(pod, name))
  }
}
