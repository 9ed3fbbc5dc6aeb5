import type { Clock } from '../../../engine/clock.ts'
import { describeError } from '../../../lib/error/sluice-error.ts'
import type { Letter, Outbox } from '../../notify/outbox.ts'

/** Sends at once; the rest waits its turn. */
const AT_ONCE = 8
/** Of these: what failed before takes no more places, lest a receiver that does not answer keeps the others waiting. */
const AGAIN_AT_ONCE = 4
const DISK_RETRY_MS = 1_000

/** What a postman works with. */
export type PostmanOptions<Payload> = {
  readonly outbox: Outbox<Payload>
  readonly clock: Clock
  /** Once it is aborted, what is under way has been cut off: it counts for no try, and nothing new is sent. */
  readonly ended: AbortSignal
  readonly send: (payload: Payload) => Promise<void>
  /** Answers in how many milliseconds a letter that was not sent is tried again; `undefined` gives it up. */
  readonly afterFailure: (letter: Letter<Payload>, error: unknown) => number | undefined
  readonly log: (line: string) => void
}

/** Carries letters out of an outbox; `wake` says that there may be a new one. */
export type Postman = { readonly wake: () => void; readonly close: () => void }

/**
 * Starts a postman with what waits already.
 *
 * What became of a letter is written down before its place is free again: on a full disk nothing is sent twice, and sending waits for room.
 */
export function startPostman<Payload>(options: PostmanOptions<Payload>): Postman {
  const { outbox, clock, ended, send, afterFailure, log } = options
  /** How often each failed before. */
  const sending = new Map<number, number>()
  let isClosed = false
  let cancelTimer = (): void => undefined

  const writeDown = async (write: () => void): Promise<void> => {
    for (let tries = 0; !isClosed; tries++) {
      try {
        return write()
      } catch (error) {
        if (tries === 0)
          log(`notification: the outbox cannot be written, sending waits for it: ${describeError(error)}`)
      }
      await new Promise<void>((resolve) => void clock.after(DISK_RETRY_MS, resolve))
    }
  }
  const carry = async (letter: Letter<Payload>): Promise<void> => {
    let againAfterMs: number | undefined
    try {
      await send(letter.payload)
    } catch (error) {
      if (isClosed || ended.aborted) return
      againAfterMs = afterFailure(letter, error)
    }
    const againMs = againAfterMs === undefined ? undefined : clock.nowMs() + againAfterMs
    await writeDown(() => (againMs === undefined ? outbox.done(letter.id) : outbox.retryAt(letter.id, againMs)))
  }
  const pump = (): void => {
    if (isClosed || ended.aborted) return
    const nowMs = clock.nowMs()
    for (const letter of outbox.due(nowMs, AT_ONCE * 2)) {
      if (sending.size >= AT_ONCE) return
      const again = [...sending.values()].filter((attempts) => attempts > 0).length
      if (sending.has(letter.id) || (letter.attempts > 0 && again >= AGAIN_AT_ONCE)) continue
      sending.set(letter.id, letter.attempts)
      void carry(letter).finally(() => {
        sending.delete(letter.id)
        pump()
      })
    }
    cancelTimer()
    const nextMs = outbox.nextMs()
    if (nextMs !== undefined && nextMs > nowMs) cancelTimer = clock.after(nextMs - nowMs, pump)
  }
  pump()
  return {
    wake: pump,
    close() {
      isClosed = true
      cancelTimer()
    },
  }
}
