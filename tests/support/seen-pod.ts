import type { Seen } from '../../src/agents/node/pod/decide.ts'
import type { Pod } from '../../src/agents/node/pod/shapes.ts'

/** A pod of which the node knows nothing but its object: no sandbox, no images, nothing runs. */
export const firstSeen = (pod: Pod, nowMs: number): Seen => ({
  nowMs,
  pod,
  sandbox: undefined,
  isCutOff: false,
  setupFault: undefined,
  images: new Map(),
  runs: new Map(),
  former: new Map(),
  startFaults: new Map(),
  health: new Map(),
  stopping: new Map(),
  evicted: undefined,
  drain: 'none',
  given: new Map(),
  capacity: { cpuMillis: 2_000, memoryBytes: 2 ** 30 },
  inFlight: new Set(),
})
