import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import type { EngineEvent, EventSink } from '../../engine/event.ts'
import { kubeTime } from '../../kinds/conditions.ts'
import { ApiError } from '../kube/api-error.ts'
import type { KubeClient } from '../kube/types.ts'

/** Writes Kubernetes Events behind the work: in order per engine, a few at a time, never in the way of a reconcile. */
export type EventWriter = { readonly tell: EventSink; readonly close: () => Promise<void> }

const AT_ONCE = 2
/** Flux does not cut; what the server of a job says of its template alone is 2,000 characters. */
const LONGEST_MESSAGE = 8192
const MOST_WAITING = 10_000
const REPEAT_MS = 10 * 60_000
/** From so many different texts on, one reason of one object is one event that counts up. */
const MOST_SIMILAR = 10

/** Texts told lately for one reason of one object. */
type Similar = Map<string, { readonly texts: Set<string>; atMs: number }>

/**
 * Makes an event writer. The same event told again within ten minutes counts up the one that is there, as client-go does.
 *
 * With Flux's traps other texts of the same reason and object do, too, from the tenth on, and lose their annotations; safe, each is told.
 * Routine events are left to the other sinks. Events that cannot be written are dropped: they are news, not state. More than 10,000 waiting ones drop the newest.
 */
export function createEventWriter(
  client: KubeClient,
  log: (line: string) => void,
  traps: 'safe' | 'flux' = 'safe',
): EventWriter {
  const waiting: EngineEvent[] = []
  const written = new Map<string, Written>()
  const similar: Similar = new Map()
  let running = 0
  let isClosing = false
  let idle: (() => void)[] = []
  const pump = (): void => {
    while (running < AT_ONCE) {
      const event = waiting.shift()
      if (!event) break
      running++
      void write(client, traps === 'flux' ? combined(similar, event) : alone(event), written)
        .catch((error: unknown) => {
          log(`event of ${event.object.kind}/${event.object.name} not written: ${String(error)}`)
          // who ends does not wait once more for each of them for a server that does not answer
          if (isClosing && !(error instanceof ApiError)) waiting.length = 0
        })
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
      isClosing = true
      waiting.length = Math.min(waiting.length, 200)
      if (running > 0 || waiting.length > 0) await new Promise<void>((resolve) => (idle = [...idle, resolve]))
    },
  }
}

/** An event that was written, to be counted up while it is told again. */
type Written = { readonly name: string; count: number; atMs: number }

/** An event, and what makes another one the same, told again. */
type Wish = { readonly event: EngineEvent; readonly key: string; readonly isCombined: boolean }

async function write(client: KubeClient, wish: Wish, written: Map<string, Written>): Promise<void> {
  const { event, key } = wish
  const before = written.get(key)
  if (before && isLately(before, event) && (await countUp(client, wish, before))) return
  forgetOld(written, event.atMs)
  const stamp = createHash('sha256').update(`${key}${event.atMs}`).digest('hex').slice(0, 16)
  const name = `${event.object.name.slice(0, 230)}.${stamp}`
  written.set(key, { name, count: 1, atMs: event.atMs })
  try {
    await client.create(render(event, name), { fieldManager: event.controller })
  } catch (error) {
    written.delete(key)
    throw error
  }
}

function alone(event: EngineEvent): Wish {
  return { event, key: JSON.stringify([groupOf(event), textOf(event)]), isCombined: false }
}

function groupOf({ object, severity, reason, controller }: EngineEvent): string {
  return JSON.stringify([object.uid, typeOf(severity), reason, controller])
}

function textOf({ message, isUnique, atMs }: EngineEvent): string {
  return isUnique ? `${message} ${atMs}` : message
}

function combined(similar: Similar, event: EngineEvent): Wish {
  const key = groupOf(event)
  const before = similar.get(key)
  forgetOld(similar, event.atMs)
  const known = before && isLately(before, event) ? before : { texts: new Set<string>(), atMs: 0 }
  known.atMs = event.atMs
  similar.set(key, known)
  const text = textOf(event)
  if (known.texts.size < MOST_SIMILAR - 1) known.texts.add(text)
  if (known.texts.has(text)) return alone(event)
  const { annotations: _lost, ...rest } = event
  return { event: { ...rest, message: `(combined from similar events): ${event.message}` }, key, isCombined: true }
}

/** False when somebody took the event away. */
async function countUp(
  client: KubeClient,
  { event: { object, atMs, controller, message }, isCombined }: Wish,
  before: Written,
): Promise<boolean> {
  before.count++
  before.atMs = atMs
  const ref = { apiVersion: 'v1', kind: 'Event', namespace: namespaceOf(object), name: before.name }
  const latest = isCombined ? { message: message.slice(0, LONGEST_MESSAGE) } : {}
  const patch = { count: before.count, lastTimestamp: kubeTime(atMs), ...latest }
  try {
    await client.patch(ref, 'merge', patch, { fieldManager: controller })
    return true
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false
    throw error
  }
}

function render({ object, severity, reason, message, controller, annotations, atMs }: EngineEvent, name: string) {
  const { apiVersion, kind, uid, resourceVersion } = object
  const namespace = namespaceOf(object)
  const time = kubeTime(atMs)
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace, ...(annotations ? { annotations } : {}) },
    involvedObject: { apiVersion, kind, namespace: object.namespace, name: object.name, uid, resourceVersion },
    type: typeOf(severity),
    reason,
    message: message.slice(0, LONGEST_MESSAGE),
    source: { component: controller },
    reportingComponent: controller,
    reportingInstance: hostname(),
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  }
}

function typeOf(severity: EngineEvent['severity']): 'Normal' | 'Warning' {
  return severity === 'error' ? 'Warning' : 'Normal'
}

/** Events of objects without a namespace stand in `default`. */
function namespaceOf({ namespace }: EngineEvent['object']): string {
  return namespace || 'default'
}

/** Either way: one that was told after now says that the clock was set back, and nothing of how long ago it was. */
function isLately(before: { readonly atMs: number }, { atMs }: EngineEvent): boolean {
  return Math.abs(atMs - before.atMs) < REPEAT_MS
}

function forgetOld(written: Map<string, { readonly atMs: number }>, nowMs: number): void {
  if (written.size < 4096) return
  for (const [key, { atMs }] of written) if (nowMs - atMs >= REPEAT_MS || written.size > 8192) written.delete(key)
}
