import type { FluxMeta } from '../kinds/flux-object.ts'

/** By then what was applied with an object is there; Flux looks at nothing new before it is as old. */
const SETTLING_MS = 750

/**
 * How long a fault of a new object is not told yet, since what it lacks may have been applied with it; 0 once it has said anything.
 *
 * @param knownMs how long this engine has known it
 */
export function settlingMs({ conditions }: Pick<FluxMeta, 'conditions'>, knownMs: number): number {
  return conditions.length === 0 ? Math.max(SETTLING_MS - knownMs, 0) : 0
}
