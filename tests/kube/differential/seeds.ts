import type { Seed } from './seed.ts'
import { CORE_SEEDS } from './seeds-core.ts'
import { OTHER_SEEDS } from './seeds-others.ts'
import { WORKLOAD_SEEDS } from './seeds-workloads.ts'

/** A seed of every built-in kind that keeps objects. */
export const SEEDS: readonly Seed[] = [...CORE_SEEDS, ...WORKLOAD_SEEDS, ...OTHER_SEEDS]
