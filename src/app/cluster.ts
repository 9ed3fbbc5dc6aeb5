import { join } from 'node:path'
import { systemClock } from '../adapters/clock.ts'
import { clientOf, type HttpKubeClient } from '../adapters/kube/client.ts'
import { readKubeconfig } from '../adapters/kube/kubeconfig.ts'
import { type SharedCaches, shareCaches } from '../adapters/kube/shared-caches.ts'
import { markNotReady } from '../agents/node/not-ready.ts'
import { startNode } from '../agents/node/start.ts'
import { startWorkloads } from '../agents/workloads/start.ts'
import { type Kubed, serveKubed } from '../embedded/kubed/serve.ts'
import type { DriverName } from './driver-names.ts'
import { inlineLess } from './process/inline-less.ts'
import {
  type Collector,
  collectMovedBytes,
  collectorOfV8,
  dropIdleCode,
  poolBuffersInBulk,
  releaseMemoryWhenCalm,
} from './process/release-memory.ts'

const NODE = 'node-1'

export type ClusterOptions = {
  readonly stateDir: string
  readonly port: number
  readonly node: DriverName
  readonly registry?: { readonly alias: string; readonly url: string }
  readonly disableAdmissionPlugins?: readonly string[]
  readonly log: (line: string) => void
}

/** The embedded cluster: API server, its controllers and one node. */
export type Cluster = {
  readonly server: string
  readonly kubeconfig: string
  readonly token: string
  readonly client: HttpKubeClient
  /** The live copies that everybody of this process shares. */
  readonly caches: SharedCaches
  /** The node driver in use, or why there is none. */
  readonly driver: string
  /** Of listeners that let in who is of this machine, besides that of `server`. */
  readonly ownPorts: readonly number[]
  readonly serviceUrl: (namespace: string, name: string, port?: number) => string | undefined
  /** See `RunningNode.collectImages`. */
  readonly collectImages: (options: { readonly dryRun: boolean }) => Promise<number | undefined>
  readonly close: (options: { readonly stopPods: boolean }) => Promise<void>
}

/** Starts the embedded cluster: kubed, the workload controllers and node `node-1`, each a client of the first over the wire. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { stateDir, port, log } = options
  dropIdleCode()
  inlineLess()
  poolBuffersInBulk()
  const kubed = await serveKubed({
    stateDir,
    port,
    isAlsoPlain: true,
    log,
    ...(options.disableAdmissionPlugins === undefined
      ? {}
      : { disableAdmissionPlugins: options.disableAdmissionPlugins }),
  })
  const client = clientFor(kubed)
  const caches = shareCaches(client, { clock: systemClock, onFault: (error) => log(`watch: ${String(error)}`) })
  const pods = caches.open({ apiVersion: 'v1', kind: 'Pod' })
  const collector = collectorFor(kubed)
  const stopReleasing = [releaseMemoryWhenCalm(collector, pods.onChange), collectMovedBytes(collector)]
  // before the controllers look: no Deployment counts pods of an earlier start as available
  if (options.node === 'none') await markNotReady(client, systemClock, { name: NODE, why: 'started with --node none' })
  const workloads = await startWorkloads({ client, caches, clock: systemClock, log })
  const node =
    options.node === 'none'
      ? undefined
      : await startNode({
          ...nodeOptions(options, options.node, client),
          caches,
          caPem: kubed.caPem,
          apiServer: kubed.server,
        })
  return {
    server: kubed.server,
    kubeconfig: kubed.kubeconfig,
    token: kubed.token,
    client,
    caches,
    driver: node?.driver ?? 'none: started with --node none',
    ownPorts: [portOf(kubed.plainServer), node?.kubeletPort].filter((one) => one !== undefined),
    serviceUrl: (namespace, name, servicePort) => node?.serviceUrl(namespace, name, servicePort),
    collectImages: async (o) => node?.collectImages(o),
    async close({ stopPods }) {
      await node?.close({ stopPods })
      for (const stop of stopReleasing) stop()
      await workloads.close()
      caches.close()
      client.close()
      await kubed.close()
    },
  }
}

/** V8's collector, which at rest takes what kubed gives back as well. */
function collectorFor(kubed: Kubed): Collector {
  const ofV8 = collectorOfV8()
  return {
    ...ofV8,
    collect() {
      kubed.release()
      return ofV8.collect()
    },
  }
}

function portOf(url: string | undefined): number | undefined {
  return url === undefined ? undefined : Number(new URL(url).port)
}

/** A client of the same machine: the wire and the token of all others, without TLS. */
function clientFor({ kubeconfig, plainServer }: Kubed): HttpKubeClient {
  const connection = readKubeconfig(kubeconfig)
  return clientOf({ ...connection, server: plainServer ?? connection.server })
}

function nodeOptions(
  { stateDir, registry, log }: ClusterOptions,
  driver: Exclude<DriverName, 'none'>,
  client: HttpKubeClient,
) {
  return {
    client,
    clock: systemClock,
    name: NODE,
    driver,
    stateDir: join(stateDir, 'node'),
    registry: registry ?? { alias: 'registry.sluice.local', url: '' },
    log,
  }
}
