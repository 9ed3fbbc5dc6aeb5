// Whether a node takes a pod is judged by the Node as it is, not as it was when the node last heard of it.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../src/adapters/clock.ts'
import { clientFromKubeconfig } from '../../src/adapters/kube/client.ts'
import { type SharedCaches, shareCaches } from '../../src/adapters/kube/shared-caches.ts'
import type { KubeObject } from '../../src/lib/kube/object.ts'
import { startNode } from '../../src/agents/node/start.ts'
import { serveKubed } from '../../src/embedded/kubed/serve.ts'
import { until } from '../support/wait.ts'

const NODE = { apiVersion: 'v1', kind: 'Node', namespace: '', name: 'node-1' }

test('a pod that fits the Node as it is now is taken, though the watch is behind; one that does not is refused', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-admission-'))
  const kubed = await serveKubed({ stateDir: join(folder, 'kube'), port: 0 })
  const client = clientFromKubeconfig(kubed.kubeconfig)
  const shared = shareCaches(client, { clock: systemClock })
  const registry = { alias: 'registry.sluice.local', url: '' }
  const at = { stateDir: join(folder, 'node'), name: NODE.name, driver: 'sim', registry } as const
  const node = await startNode({ client, clock: systemClock, caches: withoutLabels(shared), ...at })
  t.after(async () => {
    await node.close({ stopPods: true })
    shared.close()
    client.close()
    await kubed.close()
    rmSync(folder, { recursive: true, force: true })
  })
  await client.patch(NODE, 'merge', { metadata: { labels: { zone: 'a' } } }, { fieldManager: 'test' })
  const create = async (name: string, zone: string): Promise<void> => {
    const containers = [{ name: 'main', image: 'registry.sluice.local/x:1' }]
    const spec = { nodeName: NODE.name, nodeSelector: { zone }, containers }
    await client.create(
      { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec },
      { fieldManager: 'test' },
    )
  }
  const statusOf = async (name: string): Promise<{ phase?: string; reason?: string }> => {
    const pod = await client.get({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name })
    return (pod?.['status'] ?? {}) as { phase?: string; reason?: string }
  }
  await create('fits', 'a')
  await create('elsewhere', 'b')
  for (const name of ['fits', 'elsewhere'])
    await until(`word of ${name}`, async () => ((await statusOf(name)).phase ?? 'Pending') !== 'Pending')
  assert.equal((await statusOf('fits')).phase, 'Running')
  const refused = await statusOf('elsewhere')
  assert.deepEqual([refused.phase, refused.reason], ['Failed', 'NodeAffinity'])
})

/** Copies of Nodes that never hear of a label. */
function withoutLabels(caches: SharedCaches): SharedCaches {
  const bare = (object: KubeObject): KubeObject => ({ ...object, metadata: { ...object.metadata, labels: {} } })
  return {
    ...caches,
    open(selection) {
      const cache = caches.open(selection)
      if (selection.kind !== 'Node') return cache
      return {
        ...cache,
        get: (namespace, name) => {
          const found = cache.get(namespace, name)
          return found && bare(found)
        },
      }
    },
  }
}
