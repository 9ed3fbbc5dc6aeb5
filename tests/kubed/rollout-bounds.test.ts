// Invariant 9: at every event of a rollout, pods are at most replicas + maxSurge and available ones at least replicas - maxUnavailable.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Cluster, startCluster } from '../../src/app/cluster.ts'
import { type Api, apiOf, type Body, type WatchEvent } from '../kube/server.ts'
import { LONG_MS } from '../support/wait.ts'

const dir = mkdtempSync(join(tmpdir(), 'rollout-bounds-'))
let cluster: Cluster
let api: Api

before(async () => {
  cluster = await startCluster({ stateDir: dir, port: 0, node: 'sim', log: () => undefined })
  api = apiOf(cluster.kubeconfig, async () => undefined)
})
after(async () => {
  await api.close()
  await cluster.close({ stopPods: true })
  rmSync(dir, { recursive: true, force: true })
})

const cases: {
  replicas: number
  maxSurge: number | string
  maxUnavailable: number | string
  most: number
  least: number
}[] = [
  { replicas: 4, maxSurge: 1, maxUnavailable: 0, most: 5, least: 4 },
  { replicas: 5, maxSurge: '25%', maxUnavailable: '25%', most: 7, least: 4 },
]

for (const { replicas, maxSurge, maxUnavailable, most, least } of cases)
  test(
    `a rollout of ${replicas} with ${maxSurge} more and ${maxUnavailable} less stays between ${least} and ${most}`,
    { timeout: LONG_MS },
    async () => {
      const name = `d-${replicas}-${maxSurge}-${maxUnavailable}`.replaceAll('%', 'p')
      const deployments = '/apis/apps/v1/namespaces/default/deployments'
      const pods = `/api/v1/namespaces/default/pods?labelSelector=app%3D${name}`
      const apply = (image: string): Promise<unknown> =>
        api.call(
          'PATCH',
          `${deployments}/${name}?fieldManager=test`,
          deployment(name, image),
          'application/apply-patch+yaml',
        )
      const deployment = (app: string, image: string): object => ({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: app },
        spec: {
          replicas,
          strategy: { rollingUpdate: { maxSurge, maxUnavailable } },
          selector: { matchLabels: { app } },
          template: { metadata: { labels: { app } }, spec: { containers: [{ name: 'c', image }] } },
        },
      })
      await apply('image:1')
      await api.watch(`${deployments}?watch=true&fieldSelector=metadata.name%3D${name}&timeoutSeconds=600`, isRolledOut)
      const start = (await api.call('GET', pods)).body
      const seen = new Map((start.items ?? []).map((pod) => [pod.metadata.name, pod]))
      const events = api.watch(
        `${pods}&watch=true&resourceVersion=${start.metadata.resourceVersion}&timeoutSeconds=600`,
        (all) => {
          const event = all.at(-1)
          if (event?.type === 'DELETED') seen.delete(event.object.metadata.name)
          else if (event !== undefined) seen.set(event.object.metadata.name, event.object)
          const live = [...seen.values()].filter(({ metadata }) => metadata.deletionTimestamp === undefined)
          bounds.push([live.length, live.filter(isReady).length])
          return live.length === replicas && live.every((pod) => imageOf(pod) === 'image:3' && isReady(pod))
        },
      )
      const bounds: [total: number, ready: number][] = []
      await apply('image:2')
      await apply('image:3')
      await events
      assert.deepEqual(
        bounds.filter(([total, ready]) => total > most || ready < least),
        [],
        `of ${bounds.length} events`,
      )
      assert.ok(bounds.length > replicas)
    },
  )

type Conditions = {
  readonly conditions?: readonly { type: string; status: string }[]
  readonly availableReplicas?: number
}

const isReady = ({ status }: Body): boolean =>
  ((status as Conditions).conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True')
const imageOf = ({ spec }: Body): string | undefined =>
  (spec as { containers: { image: string }[] }).containers[0]?.image

function isRolledOut(events: readonly WatchEvent[]): boolean {
  const last = events.at(-1)?.object
  const { replicas } = (last?.spec ?? {}) as { replicas?: number }
  return last !== undefined && ((last.status ?? {}) as Conditions).availableReplicas === replicas
}
