// An hour of churn on kubed, followed by our own client's copy and by an informer as client-node writes it (list, watch, list again on 410): each must hear
// of every acknowledged version, once, in order. A thousand more watches look on; the server's memory is told.
// SLUICE_MINUTES (60), SLUICE_SEED, SLUICE_WATCHES (1000).
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../src/adapters/clock.ts'
import { clientFromKubeconfig } from '../../src/adapters/kube/client.ts'
import { watchCache } from '../../src/adapters/kube/watch-cache.ts'
import { randomFrom } from '../kube/random.ts'
import { type Api, apiOf } from '../kube/server.ts'
import { endKubedChild, startKubedChild } from '../kubed/child.ts'

const minutes = Number(process.env.SLUICE_MINUTES ?? 60)
const seed = Number(process.env.SLUICE_SEED ?? Date.now() % 100_000)
const watches = Number(process.env.SLUICE_WATCHES ?? 1000)
const MAPS = '/api/v1/namespaces/default/configmaps'
const NAMES = 200
const random = randomFrom(seed)
const dir = mkdtempSync(join(tmpdir(), 'kubed-churn-'))
const kubed = await startKubedChild(dir)
const api = apiOf(kubed.kubeconfig, async () => undefined)
const client = clientFromKubeconfig(kubed.kubeconfig)

/** By name, the versions that were acknowledged; a deletion is `gone`. */
const acknowledged = new Map<string, string[]>()
const heardByOurs = new Map<string, string[]>()
const heardByInformer = new Map<string, string[]>()
const counts = { writes: 0, relists: 0, reconnects: 0 }
const busy = new Set<string>()
let isOver = false

const cache = watchCache(client, { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default' }, { clock: systemClock })
cache.onChange(({ metadata }, type) =>
  note(heardByOurs, metadata.name, type === 'DELETED' ? 'gone' : metadata.resourceVersion),
)
await cache.ready
const informer = inform(api)
const onlookers = Array.from({ length: watches }, () =>
  api.watch(`${MAPS}?watch=true&timeoutSeconds=7200&labelSelector=none%3Dsuch`, () => isOver).catch(() => []),
)
const memoryMiB: number[] = []
const endMs = Date.now() + minutes * 60_000
try {
  for (let at = 0; Date.now() < endMs; at++) {
    await Promise.all(Array.from({ length: 4 }, () => write(api)))
    if (at % 50 === 0) memoryMiB.push(rssMiB())
    if (at % 500 === 0) await settle()
    await sleep(20)
  }
  await settle()
} finally {
  isOver = true
  cache.close()
  client.close()
  await api.close()
  await endKubedChild(kubed)
  await Promise.allSettled([informer, ...onlookers])
  rmSync(dir, { recursive: true, force: true })
}
console.log(
  JSON.stringify({
    seed,
    minutes,
    watches,
    ...counts,
    missed: 0,
    memoryMiB: { first: memoryMiB[0], most: Math.max(...memoryMiB), last: memoryMiB.at(-1) },
  }),
)

async function write(to: Api): Promise<void> {
  const name = `m${random.below(NAMES)}`
  if (busy.has(name)) return
  busy.add(name)
  const isDeletion = random.below(6) === 0
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    data: { text: 'x'.repeat(random.below(2000)), at: String(counts.writes) },
  }
  const { code, body } = isDeletion
    ? await to.call('DELETE', `${MAPS}/${name}`)
    : await to.call('PATCH', `${MAPS}/${name}?fieldManager=churn&force=true`, object, 'application/apply-patch+yaml')
  assert.ok(code < 300 || (isDeletion && code === 404), body.message)
  if (code < 300) note(acknowledged, name, isDeletion ? 'gone' : body.metadata.resourceVersion)
  counts.writes++
  busy.delete(name)
}

/** Waits until everybody has heard of everything; then compares word by word. */
async function settle(): Promise<void> {
  const total = (of: Map<string, string[]>): number => [...of.values()].reduce((sum, { length }) => sum + length, 0)
  for (
    let wait = 0;
    wait < 600 && [heardByOurs, heardByInformer].some((heard) => total(heard) < total(acknowledged));
    wait++
  )
    await sleep(50)
  for (const [name, versions] of acknowledged) {
    assert.deepEqual(heardByOurs.get(name), versions, `our client, ${name}`)
    assert.deepEqual(heardByInformer.get(name), versions, `informer, ${name}`)
  }
  for (const kept of [acknowledged, heardByOurs, heardByInformer]) kept.clear()
}

/** List, watch from there; a watch that ends goes on from the last version seen. */
async function inform(from: Api): Promise<void> {
  let version = ''
  while (!isOver) {
    if (version === '') {
      version = (await from.call('GET', MAPS)).body.metadata.resourceVersion
      counts.relists++
    }
    const seconds = 5 + Math.floor(Math.random() * 20)
    let seen = 0
    await from
      .watch(`${MAPS}?watch=true&resourceVersion=${version}&timeoutSeconds=${seconds}`, (events) => {
        for (const { type, object } of events.slice(seen)) {
          if (type === 'ERROR') version = ''
          else if (type !== 'BOOKMARK')
            note(heardByInformer, object.metadata.name, type === 'DELETED' ? 'gone' : object.metadata.resourceVersion)
          if (type !== 'ERROR') version = object.metadata.resourceVersion
        }
        seen = events.length
        return isOver
      })
      .catch(() => undefined)
    counts.reconnects++
  }
}

function note(to: Map<string, string[]>, name: string, version: string | undefined): void {
  if (!/^m\d+$/.test(name)) return
  const versions = to.get(name) ?? []
  // A change that changes nothing is acknowledged with the version that was there.
  if (versions.at(-1) !== version) versions.push(version ?? '')
  to.set(name, versions)
}

function rssMiB(): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${kubed.child.pid}/status`, 'utf8'))?.[1]) / 1024)
}
