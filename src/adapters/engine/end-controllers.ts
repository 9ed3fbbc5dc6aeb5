import type { Clock } from '../../engine/clock.ts'
import type { RunningController } from '../../engine/converge.ts'

/** How long what is at work may take to end by itself, and then to notice that it was cut off. */
const PATIENCE_MS = 1_000

/**
 * Ends controllers together: nothing new begins, and what is at work ends by itself, while it still sees the cluster. What waits for somebody who
 * does not answer is cut off then; the next start does it again, as after a kill.
 */
export async function endControllers(
  controllers: readonly RunningController[],
  cutOff: () => void,
  clock: Clock,
): Promise<void> {
  await withPatience(clock, allOf(controllers.map((controller) => controller.drain())))
  cutOff()
  await withPatience(clock, allOf(controllers.map((controller) => controller.close())))
}

/** A fault in one does not keep the others open. @throws the first of them */
async function allOf(ends: readonly Promise<void>[]): Promise<void> {
  const fault = (await Promise.allSettled(ends)).find((end) => end.status === 'rejected')
  if (fault) throw fault.reason
}

/** @throws what is thrown within that time */
async function withPatience(clock: Clock, work: Promise<unknown>): Promise<void> {
  let cancel = (): void => undefined
  const isOver = new Promise<void>((resolve) => (cancel = clock.after(PATIENCE_MS, resolve)))
  await Promise.race([work, isOver])
  cancel()
}
