import { ApiError } from '../../adapters/kube/api-error.ts'
import type { Clock } from '../../adapters/clock.ts'
import type { HttpKubeClient } from '../../adapters/kube/client.ts'
import { type SharedCaches, shareCaches } from '../../adapters/kube/shared-caches.ts'
import { startController, type RunningController } from '../../engine/converge.ts'
import { accountTokens } from './account-tokens/controller.ts'
import { autoscalerController } from './autoscaler/controller.ts'
import { createBench } from './bench.ts'
import type { Controller } from '../../engine/controller.ts'
import { budgetController } from './budget/controller.ts'
import { staleDisruptions } from './budget/stale.ts'
import { cronJobController } from './cronjob/controller.ts'
import { daemonSetController } from './daemonset/controller.ts'
import { deploymentController } from './deployment/controller.ts'
import { endpointsController } from './endpoints/controller.ts'
import { mirrorController } from './endpoints/mirror-controller.ts'
import { eventTeller } from './events.ts'
import { garbageCollector } from './garbage/controller.ts'
import { jobController } from './job/controller.ts'
import { namespaceController } from './namespace/controller.ts'
import { nodeRegistry, nodeTaintController, taintEvictionController } from './nodes/controller.ts'
import { nodeSilenceController } from './nodes/silence-controller.ts'
import { podGarbageCollector } from './pod-garbage/controller.ts'
import { claimProtection, classProtection, volumeProtection } from './protection/controller.ts'
import { quotaController } from './quota/controller.ts'
import { replicaSetController, replicationController } from './replicaset/controller.ts'
import { scheduler } from './scheduler/controller.ts'
import { serviceNetworks } from './service-networks/controller.ts'
import { signingRequests } from './signing-requests/controller.ts'
import { statefulSetController } from './statefulset/controller.ts'
import { claimBinder, volumeBinder } from './volumes/controller.ts'
import { ephemeralVolumes } from './volumes/ephemeral.ts'

/** What the controllers need. */
export type WorkloadsOptions = {
  readonly client: HttpKubeClient
  readonly clock: Clock
  /** Live copies of the same client to share with others; without them the controllers open and close their own. */
  readonly caches?: SharedCaches
  readonly log?: (line: string) => void
}

/** The controllers at work. */
export type Workloads = { readonly close: () => Promise<void> }

/**
 * Starts what a cluster needs besides its API server: the controllers of its own kinds and a scheduler. Plain API clients, for any API server whose own
 * controllers are off.
 */
export async function startWorkloads(given: WorkloadsOptions): Promise<Workloads> {
  const { client, clock, log = () => undefined } = given
  const caches =
    given.caches ?? shareCaches(client, { clock, onFault: (error) => log(`workloads: watch: ${String(error)}`) })
  const bench = createBench(client, clock, caches, eventTeller(client, clock), log)
  const onError = (kind: string, key: string, error: unknown): void => {
    // somebody else wrote first: the engine looks again and tries again, nobody needs to act
    if (error instanceof ApiError && error.status === 409) return
    log(`workloads: ${kind} ${key}: ${String(error)}`)
  }
  const options = { clock, onError }
  const start = <Seen, Change, Status>(controller: Controller<Seen, Change, Status>): Promise<RunningController> =>
    startController(controller, options)
  const running: RunningController[] = await Promise.all([
    start(deploymentController(bench)),
    start(replicaSetController(bench)),
    start(replicationController(bench)),
    start(statefulSetController(bench)),
    start(daemonSetController(bench)),
    start(endpointsController(bench)),
    start(mirrorController(bench)),
    start(scheduler(bench)),
    start(namespaceController(bench)),
    start(autoscalerController(bench)),
    start(budgetController(bench)),
    start(staleDisruptions(bench)),
    start(jobController(bench)),
    start(cronJobController(bench)),
    start(quotaController(bench)),
    start(nodeRegistry(bench)),
    start(nodeTaintController(bench)),
    start(taintEvictionController(bench)),
    start(nodeSilenceController(bench)),
    start(podGarbageCollector(bench)),
    start(accountTokens(bench)),
    start(signingRequests(bench)),
    start(serviceNetworks(bench)),
    start(claimBinder(bench)),
    start(volumeBinder(bench)),
    start(ephemeralVolumes(bench)),
    start(claimProtection(bench)),
    start(volumeProtection(bench)),
    start(classProtection(bench)),
  ])
  // Last, so that it shares the copies that the others have opened.
  running.push(await start(garbageCollector(bench, caches)))
  return {
    async close() {
      if (!given.caches) caches.close()
      await Promise.all(running.map((controller) => controller.close()))
    },
  }
}
