import type { ErrorCode } from '../error/codes.ts'
import { SluiceError, type ErrorDetails } from '../error/sluice-error.ts'
import type { YamlNode } from '../yaml/nodes.ts'
import { whereIs, type Place } from '../yaml/position.ts'
import { writeNode } from '../yaml/write/write-nodes.ts'

/** A build error with kustomize's own text. */
export function buildError(message: string, node?: Place, hint?: string): SluiceError {
  return failure('KUSTOMIZE_BUILD', message, node, hint)
}

const KIND_NAMES = { map: 'MappingNode', seq: 'SequenceNode', scalar: 'ScalarNode' } as const

/** The error for a node that is of another kind than a step can use. */
export function wrongKind(expected: YamlNode['kind'], node: YamlNode, hint?: string): SluiceError {
  const message = `wrong node kind: expected ${KIND_NAMES[expected]} but got ${KIND_NAMES[node.kind]}: node contents:\n${writeNode(node)}`
  return buildError(message, node, hint)
}

/** An error with a code, and the place of a node where there is one. */
export function failure(code: ErrorCode, message: string, node?: Place, hint?: string): SluiceError {
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
  return new SluiceError(error.code, rewrite(error.message), detailsOf(error))
}

/** Runs a step; its error gets the prefix. */
export function during<T>(prefix: string, step: () => T): T {
  try {
    return step()
  } catch (error) {
    throw prefixed(prefix, error)
  }
}

/** Runs a step; an error of it that has no place gets that of the node. */
export function placed<T>(node: Place | undefined, step: () => T): T {
  try {
    return step()
  } catch (error) {
    const where = whereIs(node)
    if (!(error instanceof SluiceError) || error.where !== undefined || where === undefined) throw error
    throw new SluiceError(error.code, error.message, { ...detailsOf(error), where })
  }
}

function detailsOf({ retry, cause, where, hint }: SluiceError): ErrorDetails {
  return { retry, cause, ...(where ? { where } : {}), ...(hint ? { hint } : {}) }
}

/** The message of a SluiceError; another error is a bug and is thrown on. */
export function messageOf(error: unknown): string {
  if (error instanceof SluiceError) return error.message
  throw error
}
