import { hasCode } from './code-of.ts'
import type { ErrorCode } from './codes.ts'

/** What a SluiceError carries besides its code and message. */
export type ErrorDetails = {
  /** 'backoff': trying again by itself may help. 'spec': only a change of the object or commit helps (default). */
  readonly retry?: 'backoff' | 'spec'
  /** Where the fault is: `file:line:column`, a field path or an object. */
  readonly where?: string
  /** What to do now. */
  readonly hint?: string
  readonly cause?: unknown
}

/**
 * The one error class of Sluice: thrown where the fact is known, caught at the four edges (engine, CLI, HTTP, runner).
 *
 * The message is for people: lower case, no full stop, names the object, quotes the input, never a secret.
 */
export class SluiceError extends Error {
  readonly code: ErrorCode
  readonly retry: 'backoff' | 'spec'
  readonly where: string | undefined
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause })
    this.name = 'SluiceError'
    this.code = code
    this.retry = details.retry ?? 'spec'
    this.where = details.where
    this.hint = details.hint
  }
}

/** Renders any thrown value as lines for a person: the message first, then where and what to do on lines of their own. */
export function describeError(error: unknown): string {
  if (isPartGone(error)) return `${error.message}\n  hint: ${PART_GONE}`
  if (!(error instanceof SluiceError)) return error instanceof Error ? error.message : String(error)
  const lines = [error.message]
  if (error.where !== undefined) lines.push(`  where: ${error.where}`)
  if (error.hint !== undefined) lines.push(`  hint: ${error.hint}`)
  return lines.join('\n')
}

const PART_GONE = 'the files of this program were replaced or removed while it ran: restart it, nothing is lost'

/** True when a part of the program, loaded at its first use, is not there any more. */
export function isPartGone(error: unknown): error is Error {
  return error instanceof Error && hasCode(error, 'ERR_MODULE_NOT_FOUND')
}
