import type { Decision } from '../engine/decision.ts'
import { FINALIZER, type FluxMeta } from '../kinds/flux-object.ts'

/** An object of a kind that is not served. */
export type UnservedSeen = {
  readonly object: Pick<FluxMeta, 'kind' | 'isDeleting' | 'finalizers' | 'conditions'>
  readonly knownForMs: number
  /** A HelmRepository of type `oci`: an address without a status, in Flux too. */
  readonly isStatic: boolean
}

/** Why such an object is not ready. */
export const NOT_SUPPORTED = 'NotSupported'

/** A controller that serves the kind takes hold of a new object within this time. */
const GRACE_MS = 3_000

/**
 * Answers what its Ready=False says; '' when there is nothing to say.
 *
 * An object that another controller holds is left to it: each controller of Flux puts its finalizer on an object before anything else, and what
 * holds none (Flux's distributions differ) has a status of its own.
 */
export function decideUnserved({ object, knownForMs, isStatic }: UnservedSeen): Decision<never, string> {
  if (object.isDeleting || isStatic || isServedByOther(object)) return { kind: 'done', status: '' }
  if (knownForMs < GRACE_MS) return { kind: 'wait', afterMs: GRACE_MS - knownForMs, status: '' }
  const status = `${object.kind} is not supported by this version of sluice: nothing is done for this object`
  return { kind: 'done', status }
}

function isServedByOther({ finalizers, conditions }: UnservedSeen['object']): boolean {
  if (finalizers.includes(FINALIZER)) return true
  return conditions.some(({ type, reason }) => type === 'Ready' && reason !== NOT_SUPPORTED)
}
