import { boundedCalls } from '../../machine/bounded-call.ts'

/** Guards an expression of a Flux object, which comes from outside: 500 ms of processor time at most. */
export const boundedExpression = boundedCalls(500)
