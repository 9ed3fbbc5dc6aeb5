import { ApiError } from '../../adapters/kube/api-error.ts'
import type { Clock } from '../../adapters/clock.ts'
import type { KubeClient } from '../../adapters/kube/types.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { COMBINED, keepNewest, noteAlikeEvents } from '../workloads/alike-events.ts'

/**
 * Says something about an object; repeated sayings are counted, at most one write in a second each. From the tenth message of a reason on
 * they share one Event: what a probe prints may be new each time.
 */
export type Recorder = (
  object: KubeObject,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
  fieldPath?: string,
) => void

const MOST_KNOWN = 2_000

type Known = { name: string; count: number; first: string; lastMs: number }

/** Writes core/v1 Events as the kubelet of `node`, or another component of it. Faults are told to `log` and lose the event only. */
export function makeRecorder(o: {
  readonly client: KubeClient
  readonly clock: Clock
  readonly node: string
  readonly log: (line: string) => void
  readonly component?: string
}): Recorder {
  const { component = 'kubelet' } = o
  const known = new Map<string, Known>()
  const isOneOfMany = noteAlikeEvents()
  let serial = 0
  return (object, type, reason, message, fieldPath) => {
    const [nowMs, monotonicMs] = [o.clock.nowMs(), o.clock.monotonicMs()]
    const { namespace = 'default', name, uid } = object.metadata
    const alike = JSON.stringify([uid, type, reason, fieldPath])
    const isCombined = isOneOfMany(alike, message, monotonicMs)
    const key = isCombined ? alike : `${alike} ${message}`
    const before = known.get(key)
    if (before && monotonicMs - before.lastMs < 1_000) return
    const at = new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z')
    const event: Known = before ?? {
      name: `${name}.${(BigInt(Math.trunc(nowMs)) * 1_000_000n + BigInt(serial++ % 1_000_000)).toString(16)}`,
      count: 0,
      first: at,
      lastMs: 0,
    }
    event.count++
    event.lastMs = monotonicMs
    keepNewest(known, MOST_KNOWN, key, event)
    const options = { fieldManager: 'sluice-node' }
    const ref = { apiVersion: 'v1', kind: 'Event', namespace, name: event.name }
    const { count, first } = event
    const whole = eventObject(object, {
      ...{ component, node: o.node, name: event.name },
      ...{ first, at, count, type, reason, fieldPath },
      message: (isCombined ? COMBINED + message : message).slice(0, 1024),
    })
    const create = (): Promise<unknown> => o.client.create(whole, options)
    const sent =
      count === 1
        ? create()
        : o.client
            .patch(ref, 'merge', { count, message: whole['message'], lastTimestamp: at }, options)
            .catch((error: unknown) => {
              // it has ended, or somebody has removed it
              if (error instanceof ApiError && error.status === 404) return create()
              throw error
            })
    sent.catch((error: unknown) =>
      o.log(`node: event ${reason} of ${name} not written: ${error instanceof Error ? error.message : String(error)}`),
    )
  }
}

function eventObject(
  object: KubeObject,
  said: {
    readonly component: string
    readonly node: string
    readonly name: string
    readonly first: string
    readonly at: string
    readonly count: number
    readonly type: string
    readonly reason: string
    readonly message: string
    readonly fieldPath: string | undefined
  },
): KubeObject {
  const { name, namespace, uid, resourceVersion } = object.metadata
  const field = said.fieldPath === undefined ? {} : { fieldPath: said.fieldPath }
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: said.name, namespace: namespace ?? 'default' },
    involvedObject: {
      apiVersion: object.apiVersion,
      kind: object.kind,
      namespace,
      name,
      uid,
      resourceVersion,
      ...field,
    },
    reason: said.reason,
    message: said.message,
    type: said.type,
    count: said.count,
    firstTimestamp: said.first,
    lastTimestamp: said.at,
    source: { component: said.component, host: said.node },
    reportingComponent: said.component,
    reportingInstance: said.node,
  }
}
