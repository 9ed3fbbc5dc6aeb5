import type { IncomingMessage } from 'node:http'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { Endpoint } from './endpoint.ts'
import { discard } from './http.ts'

/** The cause of a REGISTRY_BUSY: how long the registry wants to be left alone. */
export class RetryAfter extends Error {
  readonly afterMs: number
  constructor(afterMs: number) {
    super(`again in ${Math.ceil(afterMs / 1000)} s`)
    this.afterMs = afterMs
  }
}

const LONGEST_PAUSE_MS = 60 * 60_000
const DEFAULT_PAUSE_MS = 10_000

/** Whether a registry may be asked. Both throw SluiceError REGISTRY_BUSY, whose cause is a RetryAfter. */
export type Pause = { readonly check: () => void; readonly heed: (answer: IncomingMessage) => void }

/**
 * While a registry wants to be left alone nothing is sent: asking on only makes it angrier.
 *
 * @param afterMs how long it wants that already
 */
export function createPause(endpoint: Endpoint, afterMs = 0): Pause {
  let untilMs = performance.now() + afterMs
  return {
    check(): void {
      const leftMs = untilMs - performance.now()
      if (leftMs > 0) throw busy(endpoint, leftMs)
    },
    heed(answer: IncomingMessage): void {
      const afterMs = pauseOf(answer)
      if (afterMs === undefined) return
      discard(answer)
      untilMs = performance.now() + afterMs
      throw busy(endpoint, afterMs)
    },
  }
}

/** 429, and 503 with a Retry-After; at most an hour; undefined for any other answer. */
export function pauseOf({ statusCode, headers }: IncomingMessage): number | undefined {
  const asked = headers['retry-after']
  if (statusCode !== 429 && !(statusCode === 503 && asked !== undefined)) return undefined
  const ms = /^\d+$/.test(asked ?? '') ? Number(asked) * 1000 : Date.parse(asked ?? '') - Date.now()
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 1000), LONGEST_PAUSE_MS) : DEFAULT_PAUSE_MS
}

function busy({ base }: Endpoint, afterMs: number): SluiceError {
  const cause = new RetryAfter(afterMs)
  const message = `registry ${base.host} answers TOOMANYREQUESTS: it wants to be left alone, ${cause.message}`
  return new SluiceError('REGISTRY_BUSY', message, { retry: 'backoff', cause })
}
