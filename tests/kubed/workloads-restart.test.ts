import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { systemClock } from '../../src/adapters/clock.ts'
import { clientFromKubeconfig, type HttpKubeClient } from '../../src/adapters/kube/client.ts'
import type { WatchEvent } from '../../src/adapters/kube/types.ts'
import { startWorkloads } from '../../src/agents/workloads/start.ts'
import { serveKubed } from '../../src/embedded/kubed/serve.ts'
import { refOf, type KubeObject } from '../../src/lib/kube/object.ts'
import { controlPlaneBinary, startControlPlane } from '../lib/control-plane.ts'
import { apply, type ApiServer, eventually } from '../support/engine-world.ts'
import { LONG_MS } from '../support/wait.ts'

const labels = { app: 'web' }
const NS = 'restart'

/** An owner of two pods, with a label and a name of its own. */
function ownerOfTwo(apiVersion: string, kind: string, name: string, more: object = {}): KubeObject {
  const own = { ...labels, owner: name }
  const template = { metadata: { labels: own }, spec: { containers: [{ name: 'c', image: 'web' }] } }
  const selector = kind === 'ReplicationController' ? own : { matchLabels: own }
  return { apiVersion, kind, metadata: { name, namespace: NS }, spec: { replicas: 2, selector, template, ...more } }
}

const job: KubeObject = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'job', namespace: NS },
  spec: {
    parallelism: 2,
    completions: 2,
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'job' }] } },
  },
}
const owners = [
  ownerOfTwo('apps/v1', 'Deployment', 'deployment'),
  ownerOfTwo('apps/v1', 'ReplicaSet', 'set'),
  ownerOfTwo('v1', 'ReplicationController', 'controller'),
  ownerOfTwo('apps/v1', 'StatefulSet', 'stateful', { podManagementPolicy: 'Parallel', serviceName: 'web' }),
  job,
]
const followed = [
  ...new Set([...owners, ownerOfTwo('v1', 'Pod', '')].map(({ apiVersion, kind }) => ({ apiVersion, kind }))),
]

const servers: { name: string; skip: string | false; start: () => Promise<ApiServer> }[] = [
  { name: 'kubed', skip: false, start: startKubed },
  {
    name: 'a real API server',
    skip: controlPlaneBinary() === undefined ? 'no kube-control-plane at hand (SLUICE_PEERS)' : false,
    start: () => startControlPlane({ controllers: false }),
  },
]

describe('controllers that start anew', { concurrency: true }, () => {
  for (const { name, skip, start } of servers)
    test(`make and end nothing in a world that has what it wants, on ${name}`, { skip, timeout: LONG_MS }, async () => {
      const server = await start()
      const client = clientFromKubeconfig(server.kubeconfig)
      const stop = new AbortController()
      try {
        await apply(client, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NS } })
        await runWorkloads(client, async () => {
          for (const owner of owners) await apply(client, owner)
          for (const owner of owners) await hasTwo(client, owner)
          await isSettled(client, 'before')
        })
        const changes = await follow(client, stop.signal)
        await runWorkloads(client, () => isSettled(client, 'after'))
        await eventually(() => changes().length > 0)
        assert.deepEqual(changes(), ['ADDED ReplicaSet after'])
      } finally {
        stop.abort()
        client.close()
        await server.stop()
      }
    })
})

async function startKubed(): Promise<ApiServer> {
  const stateDir = mkdtempSync(join(tmpdir(), 'sluice-restart-'))
  const kubed = await serveKubed({ stateDir, port: 0, disableAdmissionPlugins: ['ServiceAccount'] })
  return {
    kubeconfig: kubed.kubeconfig,
    async stop() {
      await kubed.close()
      rmSync(stateDir, { recursive: true, force: true })
    },
  }
}

async function runWorkloads(client: HttpKubeClient, run: () => Promise<void>): Promise<void> {
  const workloads = await startWorkloads({ client, clock: systemClock })
  try {
    await run()
  } finally {
    await workloads.close()
  }
}

async function hasTwo(client: HttpKubeClient, owner: KubeObject): Promise<void> {
  await eventually(async () => {
    const { status } = ((await client.get(refOf(owner))) ?? {}) as { status?: { replicas?: number; active?: number } }
    return (status?.replicas ?? status?.active) === 2
  })
}

/** Waits until a ReplicaSet that comes last has its status: whatever was to be done before has been begun by then. */
async function isSettled(client: HttpKubeClient, name: string): Promise<void> {
  const marker = ownerOfTwo('apps/v1', 'ReplicaSet', name, { replicas: 0 })
  await apply(client, marker)
  await eventually(async () => {
    const set = await client.get(refOf(marker))
    return (set?.['status'] as { observedGeneration?: number } | undefined)?.observedGeneration === 1
  })
}

/** Which owners and pods come and go from now on: `ADDED Pod web-x`. */
async function follow(client: HttpKubeClient, signal: AbortSignal): Promise<() => readonly string[]> {
  const changes: string[] = []
  for (const { apiVersion, kind } of followed) {
    const selection = { apiVersion, kind, namespace: NS }
    const { resourceVersion } = await client.list(selection)
    const note = ({ type, object }: WatchEvent): void => {
      if (type === 'ADDED' || type === 'DELETED') changes.push(`${type} ${kind} ${object.metadata.name}`)
    }
    void client.watch(selection, resourceVersion, note, signal).catch(() => undefined)
  }
  return () => changes
}
