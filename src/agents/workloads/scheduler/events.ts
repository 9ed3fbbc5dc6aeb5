import { randomInt } from 'node:crypto'
import { hostname } from 'node:os'
import type { Bench } from '../bench.ts'
import type { Pod } from '../shapes.ts'

/** The scheduler's name in Events and conditions. */
export const COMPONENT = 'default-scheduler'
const MOST_WAITING = 2048

/** What the scheduler says of a pod. */
export type Saying = {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly action: 'Binding' | 'Scheduling' | 'Preempting'
  readonly note: string
}

/** Says something of a pod, in the order in which it is called. */
export type Announce = (pod: Pod, saying: Saying) => void

/**
 * Writes Events in the newer form, of which kube-scheduler is the one common author: with an action, a time in microseconds and no counts.
 *
 * Best effort: what the server refuses is dropped.
 */
export function announcer({ client, clock }: Pick<Bench, 'client' | 'clock'>): Announce {
  const tails = new Map<string, Promise<unknown>>()
  return (pod, said) => {
    const { name, namespace = 'default', uid = '' } = pod.metadata
    if (tails.size >= MOST_WAITING && !tails.has(uid)) return
    const nowMs = clock.nowMs()
    const nanos = BigInt(Math.trunc(nowMs)) * 1_000_000n + BigInt(randomInt(1_000_000))
    const event = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: `${name}.${nanos.toString(16)}`, namespace },
      ...said,
      eventTime: new Date(nowMs).toISOString().replace('Z', '000Z'),
      regarding: refTo(pod),
      reportingController: COMPONENT,
      reportingInstance: `${COMPONENT}-${hostname()}`,
    }
    const write = (): Promise<unknown> => client.create(event, { fieldManager: 'kube-scheduler' })
    const end = (): void => void (tails.get(uid) === tail && tails.delete(uid))
    const tail: Promise<void> = (tails.get(uid) ?? Promise.resolve()).then(write).then(end, end)
    tails.set(uid, tail)
  }
}

function refTo({ metadata: { name, namespace, uid, resourceVersion } }: Pod) {
  return { apiVersion: 'v1', kind: 'Pod', name, namespace, uid, resourceVersion }
}
