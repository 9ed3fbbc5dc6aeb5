import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../src/lib/kube/object.ts'
import { conditionOf, read } from '../../src/lib/kube/read.ts'
import { controlPlaneBinary, startControlPlane } from '../lib/control-plane.ts'
import {
  apply,
  ask,
  configMap,
  eventually,
  inWorld,
  KS,
  kustomization,
  NS,
  refTo,
  startKubed,
  until,
  type World,
} from '../support/engine-world.ts'
import { LONG_MS } from '../support/wait.ts'

/** The engine's own journeys, the same on both API servers. */
const servers = [
  { name: 'kubed', skip: false as string | false, start: startKubed },
  {
    name: 'a real API server',
    skip: controlPlaneBinary() === undefined ? 'no kube-control-plane at hand (SLUICE_PEERS)' : false,
    start: () => startControlPlane({ controllers: true }),
  },
]

for (const { name, skip, start } of servers)
  test(`the engine on ${name}`, { skip, timeout: LONG_MS }, (t) =>
    inWorld(start, 'safe', async (world) => {
      await t.test('a push is applied, in every old version of the kinds', () => appliesPush(world))
      await t.test('what left Git is pruned', () => prunes(world))
      await t.test('a change costs one apply an object and one status', () => costs(world))
      await t.test('drift is corrected when asked, and a second run writes nothing', () => correctsDrift(world))
      await t.test('a refused object stops its stage and is named', () => refuses(world))
      await t.test('a misspelt field prunes nothing', () => keepsOnTypo(world))
      await t.test('an object of a second owner is refused, both named', () => refusesSecondOwner(world))
      await t.test('a dependency cycle is named, others go on', () => namesCycle(world))
      await t.test('a watched ConfigMap takes effect at once', () => watchesConfigs(world))
      await t.test('from any interruption a new engine converges', () => converges(world))
      await t.test('what was applied just before a crash and left Git since is pruned', () => prunesAfterCrash(world))
      await t.test('deletion takes what was applied along', () => deletes(world))
    }),
  )

async function appliesPush({ client, push, ready, url }: World): Promise<void> {
  const commit = await push({ 'one/a.yaml': configMap('a', '1'), 'one/b.yaml': configMap('b', '1') }, 'first')
  await apply(client, {
    apiVersion: 'source.toolkit.fluxcd.io/v1beta2',
    kind: 'GitRepository',
    metadata: { name: 'app', namespace: NS },
    spec: { interval: '1h', url, ref: { branch: 'main' } },
  })
  await apply(client, kustomization('one', './one', { validation: 'client' }, 'v1beta2'))
  const shown = await ready('one', commit)
  assert.deepEqual(
    read(shown, 'status', 'inventory', 'entries'),
    ['a', 'b'].map((name) => ({ id: `${NS}_${name}__ConfigMap`, v: 'v1' })),
  )
  const a = await client.get(refTo('v1', 'ConfigMap', 'a'))
  assert.equal(a?.metadata.labels?.[`${KS}/name`], 'one')
}

async function prunes({ client, push, ready }: World): Promise<void> {
  await ready('one', await push({ 'one/b.yaml': null }, 'remove b'))
  assert.equal(await client.get(refTo('v1', 'ConfigMap', 'b')), undefined)
}

async function costs({ client, push, ready, writes }: World): Promise<void> {
  const made = (): string[] => writes.splice(0).filter((line) => /cost/.test(line))
  const status = 'json Kustomization/cost/status'
  const first = await push({ 'cost/a.yaml': configMap('cost-a', '1'), 'cost/b.yaml': configMap('cost-b', '1') }, 'new')
  await ready('one', first)
  made()
  await apply(client, kustomization('cost', './cost'))
  await ready('cost', first)
  assert.deepEqual(made(), ['merge Kustomization/cost', 'apply ConfigMap/cost-a', 'apply ConfigMap/cost-b', status])
  await ready('cost', await push({ 'cost/a.yaml': configMap('cost-a', '2') }, 'touch one'))
  assert.deepEqual(made(), ['apply ConfigMap/cost-a', status])
  await ready('cost', await push({ 'README.md': 'cost' }, 'touch none'))
  assert.deepEqual(made(), [status])
}

async function correctsDrift({ client, ready, push }: World): Promise<void> {
  const commit = await push({ 'README.md': 'x' }, 'nothing for the path')
  await ready('one', commit)
  const patch = { data: { v: 'by hand', more: 'x' } }
  await client.patch(refTo('v1', 'ConfigMap', 'a'), 'merge', patch, { fieldManager: 'kubectl-edit' })
  await ask(client, 'one', 'r1')
  const fixed = await client.get(refTo('v1', 'ConfigMap', 'a'))
  assert.deepEqual(fixed?.['data'], { v: '1' })
  await ask(client, 'one', 'r2')
  const again = await client.get(refTo('v1', 'ConfigMap', 'a'))
  assert.equal(again?.metadata.resourceVersion, fixed?.metadata.resourceVersion)
}

async function refuses({ client, push, ready }: World): Promise<void> {
  await push({ 'one/a.yaml': configMap('a', '2'), 'one/bad.yaml': configMap('Not_A_Name', '1') }, 'bad name')
  const failed = await until(client, 'one', (object) => conditionOf(object, 'Ready')?.status === 'False')
  assert.match(conditionOf(failed, 'Ready')?.message ?? '', /^ConfigMap\/apps\/Not_A_Name dry-run failed \(Invalid\)/)
  assert.deepEqual((await client.get(refTo('v1', 'ConfigMap', 'a')))?.['data'], { v: '1' })
  await ready('one', await push({ 'one/bad.yaml': null }, 'good again'))
  assert.deepEqual((await client.get(refTo('v1', 'ConfigMap', 'a')))?.['data'], { v: '2' })
}

async function keepsOnTypo({ client, push, ready }: World): Promise<void> {
  await push({ 'one/kustomization.yaml': 'resorces: [a.yaml]\n' }, 'typo')
  const failed = await until(client, 'one', (object) => conditionOf(object, 'Ready')?.reason === 'BuildFailed')
  assert.match(conditionOf(failed, 'Ready')?.message ?? '', /resorces/)
  assert.ok(await client.get(refTo('v1', 'ConfigMap', 'a')))
  await ready('one', await push({ 'one/kustomization.yaml': null }, 'no typo'))
}

async function refusesSecondOwner({ client, push }: World): Promise<void> {
  await push({ 'two/a.yaml': configMap('a', 'other') }, 'the same object again')
  await apply(client, kustomization('two', './two'))
  const failed = await until(client, 'two', (object) =>
    / belongs to /.test(conditionOf(object, 'Ready')?.message ?? ''),
  )
  assert.match(
    conditionOf(failed, 'Ready')?.message ?? '',
    /ConfigMap\/apps\/a belongs to Kustomization\/apps\/one.*apps\/two/,
  )
  await client.delete(refTo(`${KS}/v1`, 'Kustomization', 'two'))
}

async function namesCycle({ client, push, ready }: World): Promise<void> {
  await apply(client, kustomization('x', './one', { dependsOn: [{ name: 'y' }] }))
  await apply(client, kustomization('y', './one', { dependsOn: [{ name: 'x' }] }))
  const blocked = await until(client, 'x', (object) => /cycle/.test(conditionOf(object, 'Ready')?.message ?? ''))
  assert.match(conditionOf(blocked, 'Ready')?.message ?? '', /apps\/x -> apps\/y -> apps\/x/)
  await ready('one', await push({ 'one/a.yaml': configMap('a', '3') }, 'outside the cycle'))
  for (const name of ['x', 'y']) await client.delete(refTo(`${KS}/v1`, 'Kustomization', name))
}

async function converges({ client, push, ready, restart }: World): Promise<void> {
  const steps = [
    () => push({ 'one/c.yaml': configMap('c', '1') }, 'c'),
    () => push({ 'one/a.yaml': configMap('a', '4'), 'one/c.yaml': null }, 'a, no c'),
    () => push({ 'one/d.yaml': configMap('d', '1') }, 'd'),
  ]
  let commit = ''
  for (const step of steps) {
    commit = await step()
    await restart()
  }
  await client.delete(refTo('v1', 'ConfigMap', 'd'))
  await ready('one', commit)
  await ask(client, 'one', 'r3')
  assert.deepEqual((await client.get(refTo('v1', 'ConfigMap', 'a')))?.['data'], { v: '4' })
  assert.ok(await client.get(refTo('v1', 'ConfigMap', 'd')))
  assert.equal(await client.get(refTo('v1', 'ConfigMap', 'c')), undefined)
}

async function prunesAfterCrash({ client, push, ready, restart, crashAfterApplying }: World): Promise<void> {
  const { reached } = await crashAfterApplying('e')
  await push({ 'one/e.yaml': configMap('e', '1') }, 'e')
  await reached
  const commit = await push({ 'one/e.yaml': null }, 'no e')
  assert.ok(await client.get(refTo('v1', 'ConfigMap', 'e')))
  await restart()
  await ready('one', commit)
  assert.equal(await client.get(refTo('v1', 'ConfigMap', 'e')), undefined)
}

async function deletes({ client }: World): Promise<void> {
  await client.delete(refTo(`${KS}/v1`, 'Kustomization', 'one'))
  await eventually(async () => (await client.get(refTo(`${KS}/v1`, 'Kustomization', 'one'))) === undefined)
  assert.equal(await client.get(refTo('v1', 'ConfigMap', 'a')), undefined)
}

async function watchesConfigs({ client, push, ready }: World): Promise<void> {
  const labels = { 'reconcile.fluxcd.io/watch': 'Enabled' }
  const vars = (value: string): KubeObject =>
    ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'vars', namespace: NS, labels },
      data: { value },
    }) as KubeObject
  await apply(client, vars('one'))
  const commit = await push({ 'vars/a.yaml': configMap('filled', '${value}') }, 'a variable')
  const substituteFrom = [{ kind: 'ConfigMap', name: 'vars' }]
  await apply(client, kustomization('vars', './vars', { postBuild: { substituteFrom } }))
  await ready('vars', commit)
  await apply(client, vars('two'))
  await eventually(async () => {
    const filled = await client.get(refTo('v1', 'ConfigMap', 'filled'))
    return JSON.stringify(filled?.['data']) === '{"v":"two"}'
  })
  await client.delete(refTo(`${KS}/v1`, 'Kustomization', 'vars'))
}
