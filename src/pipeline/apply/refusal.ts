import type { ObjectRef } from '../../lib/kube/object.ts'

/** Why the API server would not take an object. */
export type Refusal = { readonly ref: ObjectRef; readonly error: Error }

/**
 * Pure. Which of several refusals is told: the first in order, but that of `early` before it.
 *
 * @param early the object whose refusal Flux has first, as a rule the last of the four that it asks for at once, unless rights are missing
 */
export function refusalToTell(refusals: readonly Refusal[], early: ObjectRef | undefined): Error | undefined {
  const isEarly = ({ ref, error }: Refusal): boolean => ref === early && !/ cannot patch resource /.test(error.message)
  return (refusals.find(isEarly) ?? refusals[0])?.error
}
