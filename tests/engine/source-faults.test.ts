import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createRegistryClient } from '../../src/adapters/registry/client.ts'
import { serveRegistryd } from '../../src/embedded/registryd/serve.ts'
import type { KubeObject } from '../../src/lib/kube/object.ts'
import { conditionOf, readText } from '../../src/lib/kube/read.ts'
import { controlPlaneBinary, startControlPlane } from '../lib/control-plane.ts'
import {
  apply,
  ask,
  configMap,
  eventually,
  inWorld,
  kustomization,
  NS,
  refTo,
  startKubed,
  type World,
} from '../support/engine-world.ts'
import { ownPorts } from '../support/own-ports.ts'
import { LONG_MS } from '../support/wait.ts'

// Git and registries that go away, and history that is rewritten: nothing is lost, nothing is applied twice, the status says what is going on.
const SOURCE = 'source.toolkit.fluxcd.io/v1'
const IMAGE = 'image.toolkit.fluxcd.io/v1'
const start = controlPlaneBinary() === undefined ? startKubed : () => startControlPlane({ controllers: true })

test('sources that fail, on a real API server where one is at hand', { timeout: LONG_MS }, (t) =>
  inWorld(start, 'safe', async (world) => {
    await prepare(world)
    await t.test('a force push: what it took away is pruned, what it kept is not applied again', () => forced(world))
    await t.test('a rebased branch with the same files: the revision moves, nothing is applied', () => rebased(world))
    await t.test('an interval of 0s: what fails waits, and nothing else waits for it', () => never(world))
    await t.test('Git is down: the status says so, what was applied stays and is kept', () => gitDown(world))
    await t.test('a registry is down: the status says so, and the scan goes on by itself', () => registryDown(world))
  }),
)

async function prepare({ client, push, ready, url }: World): Promise<void> {
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'git', namespace: NS } }
  await apply(client, { ...secret, stringData: { username: 'x', password: 't' } } as KubeObject)
  const spec = { interval: '1h', url, ref: { branch: 'main' }, secretRef: { name: 'git' } }
  await apply(client, { apiVersion: SOURCE, kind: 'GitRepository', metadata: { name: 'app', namespace: NS }, spec })
  await apply(client, kustomization('app', './app', { retryInterval: '1s' }))
  const commit = await push({ 'app/a.yaml': configMap('a', '1'), 'app/b.yaml': configMap('b', '1') }, 'first')
  await ready('app', commit)
}

/** What the engine keeps for itself meanwhile is written when it comes to it. */
const KEPT = 'apply ConfigMap/sluice-held-inventories'
const applied = ({ writes }: World): string[] =>
  writes.filter((write) => write.startsWith('apply ConfigMap') && write !== KEPT)
const valueOf = async ({ client }: World, name: string): Promise<string | undefined> => {
  const object = await client.get(refTo('v1', 'ConfigMap', name))
  return object && readText(object, 'data', 'v')
}
const message = async ({ client }: World, apiVersion: string, kind: string, name: string): Promise<string> => {
  const ready = conditionOf(await client.get(refTo(apiVersion, kind, name)), 'Ready')
  return `${ready?.status} ${ready?.reason}: ${ready?.message}`
}
async function says(world: World, [apiVersion, kind, name]: [string, string, string], want: RegExp): Promise<void> {
  let shown = ''
  const look = async (): Promise<boolean> => want.test((shown = await message(world, apiVersion, kind, name)))
  await eventually(look, () => `${shown}, want ${want}`)
}

async function forced(world: World): Promise<void> {
  const { push, ready, rewrite, writes } = world
  await ready('app', await push({ 'app/c.yaml': configMap('c', '1'), 'app/b.yaml': configMap('b', '2') }, 'second'))
  writes.length = 0
  const commit = await rewrite(['reset', '-q', '--hard', 'HEAD~1'])
  await ready('app', commit)
  assert.deepEqual([await valueOf(world, 'b'), await valueOf(world, 'c')], ['1', undefined])
  assert.deepEqual(applied(world), ['apply ConfigMap/b'])
}

async function never(world: World): Promise<void> {
  const gone = kustomization('never', './gone', { interval: '0s' })
  await apply(world.client, gone)
  await says(world, [gone.apiVersion, gone.kind, 'never'], /ArtifactFailed/)
  await world.ready('app', await world.push({ 'app/d.yaml': configMap('d', '1') }, 'beside what never comes'))
  await world.client.delete(refTo(gone.apiVersion, gone.kind, 'never'))
}

async function rebased(world: World): Promise<void> {
  const { ready, rewrite, writes } = world
  writes.length = 0
  await ready('app', await rewrite(['commit', '-q', '--amend', '-m', 'first, in other words']))
  assert.deepEqual(applied(world), [])
}

async function gitDown(world: World): Promise<void> {
  const { client, push, ready, withoutGit } = world
  const source: [string, string, string] = [SOURCE, 'GitRepository', 'app']
  await withoutGit(async () => {
    const annotations = { 'reconcile.fluxcd.io/requestedAt': 'down' }
    await client.patch(refTo(...source), 'merge', { metadata: { annotations } }, { fieldManager: 'test' })
    await says(world, source, /^False GitOperationFailed: failed to checkout and determine revision: /)
    // The last revision is at hand: what somebody changes is put right meanwhile, and nothing is pruned.
    await client.patch(refTo('v1', 'ConfigMap', 'a'), 'merge', { data: { v: 'by hand' } }, { fieldManager: 'kubectl' })
    await ask(client, 'app', 'down')
    assert.deepEqual([await valueOf(world, 'a'), await valueOf(world, 'b')], ['1', '1'])
  })
  await ready('app', await push({ 'app/a.yaml': configMap('a', '3') }, 'third'))
  assert.equal(await valueOf(world, 'a'), '3')
  await says(world, source, /^True Succeeded: /)
}

async function registryDown(world: World): Promise<void> {
  const { client } = world
  const root = mkdtempSync(join(tmpdir(), 'sluice-registry-down-'))
  const mediaType = 'application/vnd.oci.image.index.v1+json'
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: [] }))
  const registry = createRegistryClient()
  const port = await ownPorts()
  let server = await serveRegistryd({ root, port })
  const repository: [string, string, string] = [IMAGE, 'ImageRepository', 'web']
  const scan = (token: string) =>
    client.patch(
      refTo(...repository),
      'merge',
      { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': token } } },
      { fieldManager: 'test' },
    )
  const { host } = server
  try {
    await registry.putManifest({ host, repository: 'web' }, '1.0.0', { bytes, mediaType })
    const spec = { interval: '1h', image: `${host}/web` }
    await apply(client, { apiVersion: IMAGE, kind: 'ImageRepository', metadata: { name: 'web', namespace: NS }, spec })
    await says(world, repository, /^True Succeeded: successful scan: found 1 tags/)
    await server.close()
    await scan('down')
    await says(world, repository, /^False ReadOperationFailed: /)
    server = await serveRegistryd({ root, port })
    // Nobody asks again: it tries by itself.
    await says(world, repository, /^True Succeeded: successful scan: found 1 tags/)
  } finally {
    registry.close()
    await server.close()
    rmSync(root, { recursive: true, force: true })
  }
}
