import { ApiError } from '../../adapters/kube/api-error.ts'
import { backoffMs } from '../../engine/backoff.ts'
import type { Controller, Wake } from '../../engine/controller.ts'
import type { WorkloadDecision } from './decision.ts'
import type { Bench } from './bench.ts'
import type { Write } from './write.ts'

/** What is special about one kind; everything else is common. */
export type WorkloadKind<Seen> = {
  /** Names the controller in logs. */
  readonly kind: string
  /** Names it in Events: `deployment-controller`. */
  readonly component: string
  readonly concurrency?: number
  /** Where waiting after a failure starts, if not as in client-go's queue. */
  readonly firstBackoffMs?: number
  readonly watch: (wake: Wake) => Promise<void>
  /** @param failure why the last change was refused, until the next try */
  readonly observe: (key: string, failure: string | undefined) => Seen | undefined | Promise<Seen | undefined>
  readonly decide: (seen: Seen) => WorkloadDecision
}

const AFTER_CONFLICT_MS = 20
/** A copy is behind for moments; a name that is taken so often in a row is another's. */
const MOST_TAKEN = 3
/** Where waiting after a refusal starts: as in client-go's queue, 5 ms, doubling. */
const FIRST_BACKOFF_MS = 5

/**
 * Makes a kind a controller of the engine's loop: writes are carried out and put into the caches at once; a conflict, or a name
 * that is taken, means that the copy is behind, so look again a moment later; any other refusal is remembered for the next decision, which can make it a condition.
 * What is refused twice in a row waits for the engine's next try, which begins without it.
 */
export function workloadController<Seen>(
  bench: Bench,
  kind: WorkloadKind<Seen>,
): Controller<Seen, Write, readonly Write[]> {
  const failures = new Map<string, string>()
  const taken = new Map<string, number>()
  const conflicts = new Map<string, number>()
  const remembered = [failures, taken, conflicts]
  let lookAgain: Wake['after'] = () => undefined
  const mayBeBehind = (key: string, { reason }: ApiError): boolean => {
    if (reason !== 'AlreadyExists') return reason === 'Conflict'
    const count = (taken.get(key) ?? 0) + 1
    taken.set(key, count)
    return count <= MOST_TAKEN
  }
  /** What has been decided may be of a copy that was behind, and whatever brings it up to date need not wake the key. */
  const catchUp = async (key: string, isLast: boolean): Promise<void> => {
    if (!isLast) return await new Promise((resolve) => void bench.clock.after(AFTER_CONFLICT_MS, resolve))
    const count = (conflicts.get(key) ?? 0) + 1
    conflicts.set(key, count)
    lookAgain(key, backoffMs(count, AFTER_CONFLICT_MS))
  }
  const carry = async (key: string, writes: readonly Write[], isLast: boolean): Promise<void> => {
    try {
      await bench.carryOut(kind.component, writes)
      conflicts.delete(key)
      if (isLast) return
      taken.delete(key)
      failures.delete(key)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (mayBeBehind(key, error)) return await catchUp(key, isLast)
      if (isLast || failures.delete(key)) throw error
      failures.set(key, error.message)
    }
  }
  return {
    kind: kind.kind,
    concurrency: kind.concurrency ?? 4,
    firstBackoffMs: kind.firstBackoffMs ?? FIRST_BACKOFF_MS,
    watch(wake) {
      lookAgain = wake.after
      return kind.watch(wake)
    },
    async observe(key) {
      const seen = await kind.observe(key, failures.get(key))
      if (seen === undefined) for (const each of remembered) each.delete(key)
      return seen
    },
    decide: kind.decide,
    act: (changes, _seen, key) => carry(key, changes, false),
    async settle(status, _seen, key) {
      failures.delete(key)
      if (status.length > 0) await carry(key, status, true)
    },
    close() {
      for (const each of remembered) each.clear()
    },
  }
}
