import { backoffMs } from './backoff.ts'
import type { Clock } from './clock.ts'

/** How a queue works its keys off. */
export type WorkQueueOptions = {
  readonly clock: Clock
  /** How many keys are worked on at once. */
  readonly concurrency: number
  /** The wait after a first failure. */
  readonly firstBackoffMs?: number
  /** Works one key off. What it throws is given to `onError`; the key comes again after its backoff. */
  readonly work: (key: string) => Promise<void>
  readonly onError?: (key: string, error: unknown) => void
  /** Nothing is worked on before this resolves; keys are taken meanwhile. */
  readonly begin?: Promise<void>
}

/**
 * A queue of keys: a key waits at most once, is never worked on twice at the same time, and one that is added while it is worked on comes
 * again afterwards. Timers of a key are one: the earliest wish wins.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions
  readonly #waiting = new Set<string>()
  /** Those that wait and have begun; they take turns with the others. */
  readonly #resuming = new Set<string>()
  readonly #begun = new Set<string>()
  readonly #running = new Set<string>()
  readonly #again = new Set<string>()
  readonly #timers = new Map<string, { readonly dueMs: number; readonly cancel: () => void }>()
  readonly #failures = new Map<string, number>()
  #idle: (() => void)[] = []
  #isClosed = false
  #isTurnOfBegun = false
  #isToPump = false

  constructor(options: WorkQueueOptions) {
    this.#options = options
  }

  /** Works the key off as soon as there is a place, but not before the caller has returned. */
  add(key: string): void {
    if (this.#isClosed) return
    this.#clearTimer(key)
    if (this.#running.has(key)) this.#again.add(key)
    else if (this.#begun.has(key)) this.#resuming.add(key)
    else this.#waiting.add(key)
    this.#pumpSoon()
  }

  /** The key is in the middle of something (or not any more): it takes turns with those that have not begun, instead of standing behind all of them. */
  noteBegun(key: string, isBegun: boolean): void {
    if (isBegun) this.#begun.add(key)
    else this.#begun.delete(key)
  }

  /** Adds the key after a while, unless something adds it before. */
  addAfter(key: string, afterMs: number): void {
    if (this.#isClosed) return
    if (afterMs <= 0) return this.add(key)
    const dueMs = this.#options.clock.monotonicMs() + afterMs
    const present = this.#timers.get(key)
    if (present && present.dueMs <= dueMs) return
    present?.cancel()
    const cancel = this.#options.clock.after(afterMs, () => {
      this.#timers.delete(key)
      this.add(key)
    })
    this.#timers.set(key, { dueMs, cancel })
  }

  /** Adds the key after its backoff: 750 ms or what the controller begins with, doubling with each failure in a row to 15 minutes. Answers the wait in milliseconds. */
  addBackedOff(key: string): number {
    const failures = (this.#failures.get(key) ?? 0) + 1
    this.#failures.set(key, failures)
    const waitMs = backoffMs(failures, this.#options.firstBackoffMs)
    this.addAfter(key, waitMs)
    return waitMs
  }

  /** The key went well: its next backoff starts from the beginning. */
  forgive(key: string): void {
    this.#failures.delete(key)
  }

  /** Drops all that is known of a key; one that was added while it is worked on comes again all the same: it may have come back. */
  forget(key: string): void {
    this.#clearTimer(key)
    this.#waiting.delete(key)
    this.#resuming.delete(key)
    this.#begun.delete(key)
    this.#failures.delete(key)
  }

  /** Keys that wait or are worked on. */
  get size(): number {
    return this.#waiting.size + this.#resuming.size + this.#running.size
  }

  /** Resolves when nothing waits and nothing is worked on; timers do not count. */
  async whenIdle(): Promise<void> {
    if (this.size === 0) return
    await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  /** Takes no more keys and resolves when the running ones have ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const { cancel } of this.#timers.values()) cancel()
    this.#timers.clear()
    this.#waiting.clear()
    this.#resuming.clear()
    this.#again.clear()
    this.#tellIdle()
    await this.whenIdle()
  }

  #clearTimer(key: string): void {
    this.#timers.get(key)?.cancel()
    this.#timers.delete(key)
  }

  /** News come one by one: who is in the middle of telling them has not yet told all, nor told everyone. */
  #pumpSoon(): void {
    if (this.#isToPump) return
    this.#isToPump = true
    void (this.#options.begin ?? Promise.resolve()).then(() => {
      this.#isToPump = false
      this.#pump()
    })
  }

  #pump(): void {
    while (this.#running.size < this.#options.concurrency) {
      const key = this.#next()
      if (key === undefined) return
      this.#running.add(key)
      void this.#run(key)
    }
  }

  #next(): string | undefined {
    const lanes = [this.#waiting, this.#resuming]
    for (const lane of this.#isTurnOfBegun ? lanes.toReversed() : lanes)
      for (const key of lane) {
        lane.delete(key)
        this.#isTurnOfBegun = lane === this.#waiting
        return key
      }
    return undefined
  }

  async #run(key: string): Promise<void> {
    try {
      await this.#options.work(key)
    } catch (error) {
      this.#options.onError?.(key, error)
      this.addBackedOff(key)
    }
    this.#running.delete(key)
    if (this.#again.delete(key)) this.add(key)
    else this.#pump()
    this.#tellIdle()
  }

  #tellIdle(): void {
    if (this.size > 0) return
    for (const resolve of this.#idle) resolve()
    this.#idle = []
  }
}
