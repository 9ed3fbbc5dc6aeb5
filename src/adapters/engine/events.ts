import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import type { EngineEvent, EventSink } from '../../engine/event.ts'
import { kubeTime } from '../../kinds/conditions.ts'
import type { KubeClient } from '../kube/types.ts'

/** Writes Kubernetes Events behind the work: in order per engine, a few at a time, never in the way of a reconcile. */
export type EventWriter = { readonly tell: EventSink; readonly close: () => Promise<void> }

const AT_ONCE = 2
/** Flux does not cut; what the server of a job says of its template alone is 2,000 characters. */
const LONGEST_MESSAGE = 8192
const MOST_WAITING = 10_000
const REPEAT_MS = 10 * 60_000

/**
 * Makes an event writer. The same event told again within ten minutes counts up the one that is there, as client-go does.
 *
 * Routine events are left to the other sinks. Events that cannot be written are dropped: they are news, not state. More than 10,000 waiting ones drop the newest.
 */
export function createEventWriter(client: KubeClient, log: (line: string) => void): EventWriter {
  const waiting: EngineEvent[] = []
  const written = new Map<string, { readonly name: string; count: number; atMs: number; firstIso: string }>()
  let running = 0
  let idle: (() => void)[] = []
  const pump = (): void => {
    while (running < AT_ONCE) {
      const event = waiting.shift()
      if (!event) break
      running++
      void write(client, event, written)
        .catch((error: unknown) =>
          log(`event of ${event.object.kind}/${event.object.name} not written: ${String(error)}`),
        )
        .finally(() => {
          running--
          pump()
          if (running === 0 && waiting.length === 0) for (const resolve of idle.splice(0)) resolve()
        })
    }
  }
  return {
    tell(event) {
      if (event.isRoutine) return
      if (waiting.length < MOST_WAITING) waiting.push(event)
      pump()
    },
    async close() {
      waiting.length = Math.min(waiting.length, 200)
      if (running > 0 || waiting.length > 0) await new Promise<void>((resolve) => (idle = [...idle, resolve]))
    },
  }
}

async function write(
  client: KubeClient,
  event: EngineEvent,
  written: Map<string, { readonly name: string; count: number; atMs: number; firstIso: string }>,
): Promise<void> {
  const { object } = event
  const timeIso = kubeTime(event.atMs)
  const namespace = object.namespace || 'default'
  const type = event.severity === 'error' ? 'Warning' : 'Normal'
  const unique = event.isUnique ? [event.atMs] : []
  const key = JSON.stringify([object.uid, type, event.reason, event.message, event.controller, ...unique])
  const before = written.get(key)
  if (before && event.atMs - before.atMs < REPEAT_MS) {
    before.count++
    before.atMs = event.atMs
    const ref = { apiVersion: 'v1', kind: 'Event', namespace, name: before.name }
    await client.patch(
      ref,
      'merge',
      { count: before.count, lastTimestamp: timeIso },
      { fieldManager: event.controller },
    )
    return
  }
  forgetOld(written, event.atMs)
  const stamp = createHash('sha256').update(`${key}${event.atMs}`).digest('hex').slice(0, 16)
  const name = `${object.name.slice(0, 230)}.${stamp}`
  written.set(key, { name, count: 1, atMs: event.atMs, firstIso: timeIso })
  const { apiVersion, kind, uid, resourceVersion } = object
  await client.create(
    {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace, ...(event.annotations ? { annotations: event.annotations } : {}) },
      involvedObject: { apiVersion, kind, namespace: object.namespace, name: object.name, uid, resourceVersion },
      type,
      reason: event.reason,
      message: event.message.slice(0, LONGEST_MESSAGE),
      source: { component: event.controller },
      reportingComponent: event.controller,
      reportingInstance: hostname(),
      firstTimestamp: timeIso,
      lastTimestamp: timeIso,
      count: 1,
    },
    { fieldManager: event.controller },
  )
}

function forgetOld(written: Map<string, { readonly atMs: number }>, nowMs: number): void {
  if (written.size < 4096) return
  for (const [key, { atMs }] of written) if (nowMs - atMs >= REPEAT_MS || written.size > 8192) written.delete(key)
}
