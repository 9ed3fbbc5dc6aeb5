import type { Clock } from '../../adapters/clock.ts'
import type { HttpKubeClient } from '../../adapters/kube/client.ts'
import { shareCaches } from '../../adapters/kube/shared-caches.ts'
import { startController, type RunningController } from '../../engine/converge.ts'
import { createBench } from './bench.ts'
import { deploymentController } from './deployment/controller.ts'
import { eventTeller } from './events.ts'
import { replicaSetController } from './replicaset/controller.ts'

/** What the controllers need. */
export type WorkloadsOptions = {
  readonly client: HttpKubeClient
  readonly clock: Clock
  readonly log?: (line: string) => void
}

/** The controllers at work. */
export type Workloads = { readonly close: () => Promise<void> }

/**
 * Starts what a cluster needs besides its API server: the controllers of its own kinds and a scheduler. Plain API clients, for any API server whose own
 * controllers are off.
 */
export async function startWorkloads({ client, clock, log = () => undefined }: WorkloadsOptions): Promise<Workloads> {
  const caches = shareCaches(client, { clock, onFault: (error) => log(`workloads: watch: ${String(error)}`) })
  const bench = createBench(client, clock, caches, eventTeller(client, clock), log)
  const onError = (kind: string, key: string, error: unknown): void =>
    log(`workloads: ${kind} ${key}: ${String(error)}`)
  const options = { clock, onError }
  const running: RunningController[] = await Promise.all([
    startController(deploymentController(bench), options),
    startController(replicaSetController(bench), options),
  ])
  return {
    async close() {
      caches.close()
      await Promise.all(running.map((controller) => controller.close()))
    },
  }
}
