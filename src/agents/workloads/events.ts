import { randomUUID } from 'node:crypto'
import type { Clock } from '../../adapters/clock.ts'
import type { HttpKubeClient } from '../../adapters/kube/client.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { timeText } from './meta.ts'
import type { Telling } from './write.ts'

/** Who speaks in Events: `deployment-controller`. */
export type Teller = (component: string, telling: Telling) => void

type Told = { readonly name: string; readonly namespace: string; readonly firstTimestamp: string; count: number }
type Budget = { tokens: number; filledMs: number }

const MOST_KNOWN = 2048
const BURST = 25
const REFILL_MS = 300_000

/**
 * Records Events as Kubernetes' own recorder does: a repeated one raises `count`, and one object may be told of 25 times at once, then once in five
 * minutes. Best effort: what the server refuses (a namespace that ends) is dropped.
 */
export function eventTeller(client: HttpKubeClient, clock: Clock): Teller {
  const told = new Map<string, Told>()
  const budgets = new Map<string, Budget>()
  let tail: Promise<unknown> = Promise.resolve()
  let waiting = 0

  return (component, telling) => {
    const { about, type, reason, message } = telling
    if (waiting > MOST_KNOWN || !spend(budgets, `${component}/${about.metadata.uid}`, clock.nowMs())) return
    const key = JSON.stringify([component, about.metadata.uid, type, reason, message])
    const now = timeText(clock.nowMs())
    const known = told.get(key)
    const write = known ? () => repeat(client, known, now) : () => record(client, told, key, component, telling, now)
    waiting++
    tail = tail.then(write).then(
      () => waiting--,
      () => waiting--,
    )
  }
}

async function record(
  client: HttpKubeClient,
  told: Map<string, Told>,
  key: string,
  component: string,
  { about, type, reason, message }: Telling,
  now: string,
): Promise<void> {
  const namespace = about.metadata.namespace || 'default'
  const name = `${about.metadata.name}.${randomUUID().replaceAll('-', '').slice(0, 16)}`
  const event: KubeObject = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace },
    involvedObject: involved(about),
    reason,
    message,
    source: { component },
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
    type,
    reportingComponent: component,
    reportingInstance: '',
  }
  remember(told, key, { name, namespace, firstTimestamp: now, count: 1 })
  await client.create(event, { fieldManager: 'kube-controller-manager' })
}

async function repeat(client: HttpKubeClient, known: Told, now: string): Promise<void> {
  known.count++
  const { name, namespace, count } = known
  const ref = { apiVersion: 'v1', kind: 'Event', namespace, name }
  await client.patch(ref, 'merge', { count, lastTimestamp: now }, { fieldManager: 'kube-controller-manager' })
}

function involved(about: KubeObject) {
  const { name, namespace, uid, resourceVersion } = about.metadata
  return {
    kind: about.kind,
    ...(namespace !== undefined && { namespace }),
    name,
    uid,
    apiVersion: about.apiVersion,
    ...(resourceVersion !== undefined && { resourceVersion }),
  }
}

function spend(budgets: Map<string, Budget>, key: string, nowMs: number): boolean {
  const budget = budgets.get(key) ?? { tokens: BURST, filledMs: nowMs }
  budget.tokens = Math.min(BURST, budget.tokens + (nowMs - budget.filledMs) / REFILL_MS)
  budget.filledMs = nowMs
  remember(budgets, key, budget)
  if (budget.tokens < 1) return false
  budget.tokens--
  return true
}

/** Keeps the newest entries of a map. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > MOST_KNOWN && oldest !== undefined) map.delete(oldest)
}
