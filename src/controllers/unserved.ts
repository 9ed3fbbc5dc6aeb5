import type { Decision } from '../engine/decision.ts'

/** An object of a kind that is not served. */
export type UnservedSeen = { readonly kind: string; readonly isDeleting: boolean }

/** Answers what its Ready=False says; '' when there is nothing to say. */
export function decideUnserved({ kind, isDeleting }: UnservedSeen): Decision<never, string> {
  const message = isDeleting
    ? ''
    : `${kind} is not supported by this version of sluice: nothing is done for this object`
  return { kind: 'done', status: message }
}
