import type { Clock } from '../../adapters/clock.ts'
import type { KubeClient } from '../../adapters/kube/types.ts'
import type { PressureWatch } from './admission/watch-pressure.ts'
import { isDoubted, renewLease, writeNodeStatus, type NodeFacts } from './node-object.ts'

const LEASE_MS = 10_000
const STATUS_EVERY = 30

/** Renews the Lease every 10 s and writes the Node's status every five minutes, when the machine is short of something, or when others have taken the node for lost, as a kubelet does. */
export function startHeartbeat(o: {
  readonly client: KubeClient
  readonly clock: Clock
  readonly facts: NodeFacts
  readonly pressure: PressureWatch
  readonly log: (line: string) => void
}): { readonly close: () => void } {
  let isClosed = false
  let cancel: () => void = () => undefined
  let beats = 0
  const beat = async (): Promise<void> => {
    try {
      await renewLease(o.client, o.facts.name, o.clock)
      const isOther = await o.pressure.look()
      const isDue = ++beats % STATUS_EVERY === 0 || isOther || (await isDoubted(o.client, o.facts))
      if (isDue) await writeNodeStatus(o.client, o.facts, { nowMs: o.clock.nowMs(), felt: o.pressure.felt() })
    } catch (error) {
      if (isClosed) return // the server may have ended after us
      o.log(`node ${o.facts.name}: heartbeat: ${error instanceof Error ? error.message : String(error)}`)
    }
    if (!isClosed) cancel = o.clock.after(LEASE_MS, () => void beat())
  }
  void beat()
  return {
    close() {
      isClosed = true
      cancel()
    },
  }
}
