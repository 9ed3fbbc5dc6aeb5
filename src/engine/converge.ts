import { SluiceError } from '../lib/error/sluice-error.ts'
import type { Controller, Wake } from './controller.ts'
import { BACKOFF } from './controller.ts'
import type { Clock } from './clock.ts'
import { WorkQueue } from './work-queue.ts'

/** After so many rounds of observe, decide, act without an end, the object is let go for a while: a controller that never settles must not spin. */
const MOST_ROUNDS = 64

/** How the loop runs. */
export type ConvergeOptions = {
  readonly clock: Clock
  /** Told of every error that reached the engine. */
  readonly onError: (kind: string, key: string, error: unknown) => void
  /** Told of every reconcile when it is over; for figures. */
  readonly onReconciled?: OnReconciled
  /** Once it is aborted, what is still at work has been cut off: what it saw is nothing to decide by, and nobody is told how it went. */
  readonly cutOff?: AbortSignal
}

export type OnReconciled = (reconcile: {
  readonly kind: string
  readonly key: string
  readonly tookMs: number
  readonly hasFailed: boolean
}) => void

/** A controller at work. */
export type RunningController = {
  readonly kind: string
  readonly wake: Wake
  /** Resolves when no key waits or is worked on. */
  readonly whenIdle: () => Promise<void>
  /** Takes no more keys; resolves when those at work have ended. */
  readonly drain: () => Promise<void>
  /** Closes what they look at and drains. */
  readonly close: () => Promise<void>
}

/** Starts a controller: opens its watches, then works its keys off until closed. */
export async function startController<Seen, Change, Status>(
  controller: Controller<Seen, Change, Status>,
  { clock, onError, onReconciled = () => undefined, cutOff }: ConvergeOptions,
): Promise<RunningController> {
  const unsettled: Unsettled<Seen, Status> = new Map()
  let begin: () => void = () => undefined
  const queue: WorkQueue = new WorkQueue({
    clock,
    concurrency: controller.concurrency,
    ...(controller.firstBackoffMs !== undefined && { firstBackoffMs: controller.firstBackoffMs }),
    async work(key) {
      const beganMs = clock.monotonicMs()
      let hasFailed = true
      try {
        await converge(controller, key, queue, { unsettled, cutOff })
        hasFailed = false
      } finally {
        onReconciled({ kind: controller.kind, key, tookMs: clock.monotonicMs() - beganMs, hasFailed })
      }
    },
    onError: (key, error) => cutOff?.aborted || onError(controller.kind, key, error),
    begin: new Promise<void>((resolve) => (begin = resolve)),
  })
  const wake: Wake = { now: (key) => queue.add(key), after: (key, afterMs) => queue.addAfter(key, afterMs) }
  await controller.watch(wake)
  // Not earlier: to copies that are half filled, what they still lack looks as if it were not there.
  begin()
  return {
    kind: controller.kind,
    wake,
    whenIdle: () => queue.whenIdle(),
    drain: () => queue.close(),
    async close() {
      await controller.close()
      await queue.close()
    },
  }
}

/** What was decided and could not be written down: the work is done and is not done again, but its outcome must still be said. */
type Unsettled<Seen, Status> = Map<string, Outcome<Seen, Status>>

type Outcome<Seen, Status> = { readonly status: Status; readonly seen: Seen }

/** What is refused however often it is written is owed no longer: it would keep from view whatever comes after it. */
async function settle<Seen, Change, Status>(
  controller: Controller<Seen, Change, Status>,
  key: string,
  outcome: Outcome<Seen, Status>,
  unsettled: Unsettled<Seen, Status>,
): Promise<void> {
  unsettled.set(key, outcome)
  try {
    await controller.settle(outcome.status, outcome.seen, key)
  } catch (error) {
    if (error instanceof SluiceError && error.retry === 'spec') unsettled.delete(key)
    throw error
  }
  unsettled.delete(key)
}

/** Loops observe, decide, act for one key until it is settled. */
async function converge<Seen, Change, Status>(
  controller: Controller<Seen, Change, Status>,
  key: string,
  queue: Pick<WorkQueue, 'addAfter' | 'addBackedOff' | 'forgive' | 'forget' | 'noteBegun'>,
  { unsettled, cutOff }: { readonly unsettled: Unsettled<Seen, Status>; readonly cutOff: AbortSignal | undefined },
): Promise<void> {
  const left = unsettled.get(key)
  if (left) await settle(controller, key, left, unsettled)
  for (let round = 0; round < MOST_ROUNDS; round++) {
    // what it looks at may be closed, and show what is there as if it were not
    if (cutOff?.aborted) return
    const seen = await controller.observe(key)
    if (cutOff?.aborted) return
    if (seen === undefined) return queue.forget(key)
    const decision = controller.decide(seen)
    if (decision.kind === 'act') {
      await controller.act(decision.changes, seen, key)
      continue
    }
    await settle(controller, key, { status: decision.status, seen }, unsettled)
    queue.noteBegun(key, decision.kind === 'wait')
    const afterMs = decision.kind === 'wait' ? decision.afterMs : decision.againAfterMs
    if (afterMs === BACKOFF) queue.addBackedOff(key)
    else queue.forgive(key)
    if (afterMs !== undefined && afterMs >= 0) queue.addAfter(key, afterMs)
    return
  }
  throw new Error(`${controller.kind} ${key} did not settle in ${MOST_ROUNDS} rounds`)
}
