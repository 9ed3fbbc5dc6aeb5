import type { Decision } from '../../engine/decision.ts'
import type { Write } from './write.ts'

/** `act`: writes to carry out, then look again. `done`, `wait`: the writes that make the status true. */
export type WorkloadDecision = Decision<Write, readonly Write[]>
