import { randomInt } from 'node:crypto'
import { ApiError } from '../../adapters/kube/api-error.ts'
import type { Clock } from '../../adapters/clock.ts'
import type { HttpKubeClient } from '../../adapters/kube/client.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { COMBINED, keepNewest, noteAlikeEvents } from './alike-events.ts'
import { timeText } from './meta.ts'
import { FIELD_MANAGER, type Telling } from './write.ts'

/** Who speaks in Events: `deployment-controller`. */
export type Teller = (component: string, telling: Telling) => void

type Told = { readonly name: string; readonly namespace: string; readonly first: string; count: number }
type Budget = { tokens: number; filledMs: number }

const MOST_KNOWN = 2048
const BURST = 25
const REFILL_MS = 300_000

/**
 * Records Events as Kubernetes' own recorder does: a repeated one raises `count`, from the tenth message of a kind on they share one Event, and one object may be
 * told of 25 times at once, then once in five minutes. Best effort: what the server refuses (a namespace that ends) is dropped.
 */
export function eventTeller(client: HttpKubeClient, clock: Clock): Teller {
  const told = new Map<string, Told>()
  const isOneOfMany = noteAlikeEvents()
  const budgets = new Map<string, Budget>()
  // In order for one object, at once for several.
  const tails = new Map<string, Promise<unknown>>()
  let waiting = 0

  return (component, telling) => {
    const { about, type, reason, message } = telling
    const [nowMs, monotonicMs] = [clock.nowMs(), clock.monotonicMs()]
    const whom = identityOf(about)
    if (waiting > MOST_KNOWN || !spend(budgets, `${component}/${whom}`, monotonicMs)) return
    const groupKey = JSON.stringify([component, whom, type, reason])
    const isCombined = isOneOfMany(groupKey, message, monotonicMs)
    const key = isCombined ? groupKey : `${groupKey}${message}`
    const now = timeText(nowMs)
    const said = isCombined ? { ...telling, message: COMBINED + message } : telling
    const speaker = { component, reporting: isCombined ? '' : component }
    // looked up in its turn: the one before may be the first of its kind
    const write = async (): Promise<void> => {
      const known = told.get(key) ?? newlyTold(about, nowMs)
      known.count++
      keepNewest(told, MOST_KNOWN, key, known)
      if (known.count > 1 && (await isCounted(client, known, said.message, now))) return
      await client.create(eventOf(known, speaker, said, now), { fieldManager: FIELD_MANAGER })
    }
    const end = (): void => {
      waiting--
      if (tails.get(whom) === tail) tails.delete(whom)
    }
    waiting++
    const tail: Promise<void> = (tails.get(whom) ?? Promise.resolve()).then(write).then(end, end)
    tails.set(whom, tail)
  }
}

/** Whom an Event is about; some are told of by name alone. */
function identityOf({ kind, metadata: { namespace = '', name, uid = '' } }: KubeObject): string {
  return `${kind}/${namespace}/${name}/${uid}`
}

/** What was never told of before. */
function newlyTold({ metadata: { name, namespace } }: KubeObject, nowMs: number): Told {
  return { name: `${name}.${momentName(nowMs)}`, namespace: namespace || 'default', first: timeText(nowMs), count: 0 }
}

function eventOf(
  { name, namespace, first, count }: Told,
  { component, reporting }: { readonly component: string; readonly reporting: string },
  { about, type, reason, message }: Telling,
  now: string,
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace },
    involvedObject: involved(about),
    reason,
    message,
    source: { component },
    firstTimestamp: first,
    lastTimestamp: now,
    count,
    type,
    reportingComponent: reporting,
    reportingInstance: '',
  }
}

/** Events are called after the nanosecond in which they were told, so that they sort by time; the clock says milliseconds. */
const momentName = (nowMs: number): string =>
  (BigInt(Math.trunc(nowMs)) * 1_000_000n + BigInt(randomInt(1_000_000))).toString(16)

/** Raises the count of an Event that is there; false where it has ended, or somebody has removed it. */
async function isCounted(client: HttpKubeClient, known: Told, message: string, now: string): Promise<boolean> {
  const { name, namespace, count } = known
  const ref = { apiVersion: 'v1', kind: 'Event', namespace, name }
  try {
    await client.patch(ref, 'merge', { count, message, lastTimestamp: now }, { fieldManager: FIELD_MANAGER })
    return true
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false
    throw error
  }
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
  keepNewest(budgets, MOST_KNOWN, key, budget)
  if (budget.tokens < 1) return false
  budget.tokens--
  return true
}
