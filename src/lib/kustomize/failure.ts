import type { ErrorCode } from '../error/codes.ts'
import { SluiceError } from '../error/sluice-error.ts'
import { whereIs, type YamlNode } from '../yaml/nodes.ts'

/** A build error with kustomize's own text. */
export function buildError(message: string, node?: YamlNode, hint?: string): SluiceError {
  return failure('KUSTOMIZE_BUILD', message, node, hint)
}

/** An error with a code, and the place of a node where there is one. */
export function failure(code: ErrorCode, message: string, node?: YamlNode, hint?: string): SluiceError {
  const where = whereIs(node)
  return new SluiceError(code, message, { ...(where ? { where } : {}), ...(hint ? { hint } : {}) })
}

/** The same error behind a prefix, as kustomize chains its messages. */
export function prefixed(prefix: string, error: unknown): unknown {
  return rewritten(error, (message) => `${prefix}: ${message}`)
}

/** The same error with another text; anything that is no SluiceError is a bug and stays itself. */
export function rewritten(error: unknown, rewrite: (message: string) => string): unknown {
  if (!(error instanceof SluiceError)) return error
  return new SluiceError(error.code, rewrite(error.message), {
    retry: error.retry,
    cause: error.cause,
    ...(error.where ? { where: error.where } : {}),
    ...(error.hint ? { hint: error.hint } : {}),
  })
}

/** Runs a step; its error gets the prefix. */
export function during<T>(prefix: string, step: () => T): T {
  try {
    return step()
  } catch (error) {
    throw prefixed(prefix, error)
  }
}

/** The message of a SluiceError; another error is a bug and is thrown on. */
export function messageOf(error: unknown): string {
  if (error instanceof SluiceError) return error.message
  throw error
}
