import type { Sandbox } from '../driver.ts'
import type { Image } from '../image/store.ts'
import type { Fault, ImageState, Run, Seen, Verdict } from './decide.ts'
import type { Probing } from './probes/probing.ts'
import type { Pod, Resources } from './shapes.ts'
import type { Place } from './start-container.ts'

/** What a worker keeps between two looks; changed by the steps. */
export type Memory = {
  pod: Pod
  isGone: boolean
  isClosed: boolean
  sandbox: Sandbox | undefined
  place: Place | undefined
  setupFault: Fault | undefined
  evicted: Verdict | undefined
  drain: Seen['drain']
  readonly images: Map<string, ImageState>
  readonly pulled: Map<string, Image>
  readonly runs: Map<string, Run>
  readonly former: Map<string, Run>
  /** The last attempts in a place that is gone. */
  readonly elsewhere: Map<string, number>
  readonly restarts: Map<string, number>
  readonly startFaults: Map<string, Fault>
  readonly probing: Map<string, Probing>
  /** By the time that nobody sets: whose clock is set forward has its patience all the same. */
  readonly stopping: Map<string, { readonly killAtMs: number }>
  readonly given: Map<string, Resources>
  readonly inFlight: Set<string>
  /** What runs said when they ended, read once: `container/attempt`. */
  readonly messages: Map<string, string>
}
