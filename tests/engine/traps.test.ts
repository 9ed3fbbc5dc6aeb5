import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { KubeObject } from '../../src/lib/kube/object.ts'
import { conditionOf, readList, readText } from '../../src/lib/kube/read.ts'
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

// Each trap of Flux as a journey, with both settings: what we do instead, and what Flux does.
const fixtures = 'tests/fixtures/sops'
const sealed = readFileSync(`${fixtures}/hybrid.yaml`, 'utf8')
const SOURCE = 'source.toolkit.fluxcd.io/v1'

for (const traps of ['safe', 'flux'] as const)
  test(`traps, --traps ${traps}`, { timeout: LONG_MS }, (t) =>
    inWorld(startKubed, traps, async (world) => {
      const isSafe = traps === 'safe'
      await prepare(world)
      await t.test('a misspelt resources: in kustomization.yaml', () => typo(world, isSafe))
      await t.test('a build of nothing', () => emptyBuild(world, isSafe))
      await t.test('ciphertext, and decryption that is taken away later', () => ciphertext(world, isSafe))
      await t.test('an object of a second owner', () => secondOwner(world, isSafe))
      await t.test('force, and an answer that is invalid but not immutable', () => invalidWithForce(world, isSafe))
      await t.test('a changed ignore of the source', () => changedIgnore(world, isSafe))
      await t.test('an included repository that changes', () => changedInclude(world, isSafe))
      await t.test('a field that a built-in kind does not have', () => unknownField(world, isSafe))
      await t.test('a login that is not there', () => missingLogin(world, isSafe))
      await t.test('a base on another host', () => remoteBase(world))
      await t.test('a controller of Flux in Git', () => fluxItself(world))
      await t.test('a circle of dependencies', () => cycle(world, isSafe))
    }),
  )

const source = (url: string, ignore?: string): KubeObject => ({
  apiVersion: SOURCE,
  kind: 'GitRepository',
  metadata: { name: 'app', namespace: NS },
  spec: { interval: '1h', url, ref: { branch: 'main' }, ...(ignore === undefined ? {} : { ignore }) },
})
const cm = (name: string) => refTo('v1', 'ConfigMap', name)
const isReady = (object: KubeObject): boolean => conditionOf(object, 'Ready')?.status === 'True'
const isFailed = (object: KubeObject): boolean => conditionOf(object, 'Ready')?.status === 'False'
const messageOf = (object: KubeObject): string => conditionOf(object, 'Ready')?.message ?? ''
const appliedAt = (commit: string) => (object: KubeObject) =>
  isReady(object) && readText(object, 'status', 'lastAppliedRevision').endsWith(commit)

async function prepare({ client, push, url }: World): Promise<void> {
  await push({ 'README.md': 'x' }, 'first')
  await apply(client, source(url))
  await eventually(async () => {
    const git = await client.get(refTo(SOURCE, 'GitRepository', 'app'))
    return conditionOf(git, 'Ready')?.status === 'True'
  })
}

async function typo({ client, push }: World, isSafe: boolean): Promise<void> {
  const good = 'resources: [a.yaml]\n'
  const first = await push({ 'typo/a.yaml': configMap('typo', '1'), 'typo/kustomization.yaml': good }, 'good')
  await apply(client, kustomization('typo', './typo'))
  await until(client, 'typo', appliedAt(first))
  const commit = await push({ 'typo/kustomization.yaml': 'resorces: [a.yaml]\n' }, 'typo')
  if (isSafe) {
    assert.match(messageOf(await until(client, 'typo', isFailed)), /resorces/)
    assert.ok(await client.get(cm('typo')))
  } else {
    await until(client, 'typo', appliedAt(commit))
    assert.equal(await client.get(cm('typo')), undefined)
  }
}

async function emptyBuild({ client, push }: World, isSafe: boolean): Promise<void> {
  const first = await push(
    { 'empty/kustomization.yaml': 'resources: [a.yaml]\n', 'empty/a.yaml': configMap('empty', '1') },
    'full',
  )
  await apply(client, kustomization('empty', './empty'))
  await until(client, 'empty', appliedAt(first))
  const commit = await push(
    { 'empty/kustomization.yaml': 'resources: []\nbuildMetadata: [originAnnotations]\n' },
    'empty',
  )
  if (isSafe) {
    const failed = await until(client, 'empty', isFailed)
    assert.match(
      messageOf(failed),
      /is empty and would prune all 1 objects \(ConfigMap\/apps\/empty\); nothing was deleted/,
    )
    assert.ok(await client.get(cm('empty')))
    const allowed = { metadata: { annotations: { 'sluice.dev/prune-all': 'enabled' } } }
    await client.patch(refTo(`${KS}/v1`, 'Kustomization', 'empty'), 'merge', allowed, { fieldManager: 'test' })
    await ask(client, 'empty', 'now')
  } else await until(client, 'empty', appliedAt(commit))
  assert.equal(await client.get(cm('empty')), undefined)
}

async function ciphertext({ client, push }: World, isSafe: boolean): Promise<void> {
  const secret = refTo('v1', 'Secret', 'db')
  const valueOf = async () => Buffer.from(readText(await client.get(secret), 'data', 'user'), 'base64').toString()
  const plain = 'apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\n'
  const keys = { 'sops.agekey': readFileSync(`${fixtures}/keys.agekey`).toString('base64') }
  await apply(client, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'keys', namespace: NS },
    data: keys,
  } as KubeObject)
  const commit = await push({ 'sealed/db.yaml': sealed.replace(/^data:\n( {4}.*\n)+/m, '') }, plain)
  const decryption = { provider: 'sops', secretRef: { name: 'keys' } }
  await apply(client, kustomization('sealed', './sealed', { decryption }))
  await until(client, 'sealed', appliedAt(commit))
  assert.equal(await valueOf(), 'app')
  await client.patch(
    refTo(`${KS}/v1`, 'Kustomization', 'sealed'),
    'merge',
    { spec: { decryption: null } },
    { fieldManager: 'test' },
  )
  if (isSafe) {
    const failed = await until(client, 'sealed', isFailed)
    assert.match(messageOf(failed), /^Secret\/apps\/db is SOPS encrypted, configuring decryption is required/)
    assert.equal(await valueOf(), 'app')
  } else await eventually(async () => (await valueOf()).startsWith('ENC[AES256_GCM'))
}

async function secondOwner({ client, push }: World, isSafe: boolean): Promise<void> {
  const commit = await push(
    { 'one/a.yaml': configMap('shared', '1'), 'two/a.yaml': configMap('shared', '2') },
    'two owners',
  )
  await apply(client, kustomization('one', './one'))
  await until(client, 'one', appliedAt(commit))
  await apply(client, kustomization('two', './two'))
  if (!isSafe) {
    await until(client, 'two', appliedAt(commit))
    assert.deepEqual((await client.get(cm('shared')))?.['data'], { v: '2' })
    return
  }
  assert.match(messageOf(await until(client, 'two', isFailed)), /belongs to Kustomization\/apps\/one.*apps\/two/)
  assert.deepEqual((await client.get(cm('shared')))?.['data'], { v: '1' })
  await eventually(async () => {
    const { items } = await client.list({ apiVersion: 'v1', kind: 'Event', namespace: NS })
    return items.some(
      (event) =>
        readText(event, 'involvedObject', 'name') === 'one' &&
        /wanted by Kustomization\/apps\/two/.test(readText(event, 'message')),
    )
  })
}

async function invalidWithForce({ client, push }: World, isSafe: boolean): Promise<void> {
  const frozen = (value: string): string => `${configMap('frozen', value)}immutable: true\n`
  const first = await push({ 'force/a.yaml': configMap('forced', '1'), 'force/b.yaml': frozen('1') }, 'good')
  await apply(client, kustomization('force', './force', { force: true, retryInterval: '1h' }))
  await until(client, 'force', appliedAt(first))
  const frozenUid = (await client.get(cm('frozen')))?.metadata.uid
  await until(client, 'force', appliedAt(await push({ 'force/b.yaml': frozen('2') }, 'immutable')))
  assert.notEqual((await client.get(cm('frozen')))?.metadata.uid, frozenUid)
  const { uid } = (await client.get(cm('forced')))?.metadata ?? {}
  await push({ 'force/a.yaml': `${configMap('forced', '2')}\n`.replace('{v: "2"}', '{"bad key": "2"}') }, 'invalid')
  await until(client, 'force', isFailed)
  const left = await client.get(cm('forced'))
  assert.equal(left?.metadata.uid, isSafe ? uid : undefined)
}

async function changedIgnore({ client, push, url }: World, isSafe: boolean): Promise<void> {
  const commit = await push({ 'ign/a.yaml': configMap('kept', '1'), 'ign/b.yaml': configMap('ignored', '1') }, 'both')
  await apply(client, kustomization('ign', './ign'))
  await until(client, 'ign', appliedAt(commit))
  await apply(client, source(url, '/ign/b.yaml\n'))
  const seen = async () => {
    const git = await client.get(refTo(SOURCE, 'GitRepository', 'app'))
    return readText(git, 'status', 'observedIgnore') !== '' && conditionOf(git, 'Ready')?.status === 'True'
  }
  await eventually(seen)
  if (isSafe) await eventually(async () => (await client.get(cm('ignored'))) === undefined)
  else {
    await ask(client, 'one', 'a round of another one, so that this one had its chance').catch(() => undefined)
    assert.ok(await client.get(cm('ignored')))
  }
}

/** The including source stays at one commit, the included one follows the branch. */
async function changedInclude({ client, push, url }: World, isSafe: boolean): Promise<void> {
  const commit = await push({ 'inc/a.yaml': configMap('included', '1') }, 'to be included')
  const named = (name: string, spec: object): KubeObject => ({
    ...{ apiVersion: SOURCE, kind: 'GitRepository', metadata: { name, namespace: NS } },
    spec: { interval: '1h', url, ...spec },
  })
  await apply(client, named('inner', { ref: { branch: 'main' } }))
  const include = [{ repository: { name: 'inner' }, fromPath: 'inc', toPath: 'taken' }]
  await apply(client, named('outer', { ref: { commit }, include }))
  const sourceRef = { kind: 'GitRepository', name: 'outer' }
  await apply(client, kustomization('inc', './taken', { sourceRef }))
  await until(client, 'inc', isReady)
  const next = await push({ 'inc/a.yaml': configMap('included', '2') }, 'included anew')
  const included = async () => JSON.stringify((await client.get(cm('included')))?.['data'])
  if (isSafe) return eventually(async () => (await included()) === '{"v":"2"}')
  await eventually(async () => {
    const inner = await client.get(refTo(SOURCE, 'GitRepository', 'inner'))
    return readText(inner, 'status', 'artifact', 'revision').endsWith(next)
  })
  await ask(client, 'one', 'a round of another one, so that this one had its chance, too').catch(() => undefined)
  assert.equal(await included(), '{"v":"1"}')
}

async function unknownField({ client, push }: World, isSafe: boolean): Promise<void> {
  const commit = await push(
    { 'field/a.yaml': `${configMap('field', '1')}date: {w: "2"}\n` },
    'a field that there is not',
  )
  await apply(client, kustomization('field', './field'))
  if (isSafe) {
    await until(client, 'field', (object) => isFailed(object) && /date/.test(messageOf(object)))
    assert.equal(await client.get(cm('field')), undefined)
  } else {
    await until(client, 'field', appliedAt(commit))
    assert.deepEqual((await client.get(cm('field')))?.['data'], { v: '1' })
  }
}

async function missingLogin({ client }: World, isSafe: boolean): Promise<void> {
  const spec = { interval: '1h', url: 'oci://127.0.0.1:9/app', secretRef: { name: 'gone' } }
  await apply(client, { apiVersion: SOURCE, kind: 'OCIRepository', metadata: { name: 'login', namespace: NS }, spec })
  const told = async (): Promise<string[]> =>
    (await client.list({ apiVersion: 'v1', kind: 'Event', namespace: NS })).items
      .filter((event) => readText(event, 'involvedObject', 'name') === 'login')
      .map((event) => `${readText(event, 'type')} ${readText(event, 'message').replace(/.*(?=secrets )/, '')}`)
  const warning = 'Warning secrets "gone" not found'
  const want = isSafe ? [warning] : ["Normal auth secret 'gone' not found", warning]
  await eventually(async () => (await told()).includes(warning))
  assert.deepEqual((await told()).sort(), want)
}

async function cycle({ client, push }: World, isSafe: boolean): Promise<void> {
  const first = await push({ 'free/a.yaml': configMap('free', '1') }, 'free')
  await apply(client, kustomization('free', './free'))
  await until(client, 'free', appliedAt(first))
  await apply(client, kustomization('x', './free', { dependsOn: [{ name: 'y' }] }))
  await apply(client, kustomization('y', './free', { dependsOn: [{ name: 'x' }] }))
  const blocked = await until(
    client,
    'x',
    (object) => /not ready/.test(messageOf(object)) && (!isSafe || /cycle/.test(messageOf(object))),
  )
  assert.equal(/apps\/x -> apps\/y -> apps\/x/.test(messageOf(blocked)), isSafe)
  const commit = await push({ 'free/a.yaml': configMap('free', '2') }, 'outside the circle')
  if (isSafe) return void (await until(client, 'free', appliedAt(commit)))
  const isFetched = async () =>
    readText(await client.get(refTo(SOURCE, 'GitRepository', 'app')), 'status', 'artifact', 'revision').endsWith(commit)
  await eventually(isFetched)
  assert.deepEqual((await client.get(cm('free')))?.['data'], { v: '1' })
  assert.equal(
    readList(await client.get(refTo(`${KS}/v1`, 'Kustomization', 'free')), 'status', 'conditions').length > 0,
    true,
  )
}

/** Left alone in both settings: whoever asks for Flux's ways does not ask for a second Flux. */
async function fluxItself({ client, push }: World): Promise<void> {
  const name = 'source-controller'
  const labels = `labels: {app: ${name}}`
  const image = `containers: [{name: manager, image: "ghcr.io/fluxcd/${name}:v1.9.4"}]`
  const text = [
    'apiVersion: apps/v1\nkind: Deployment',
    `metadata: {name: ${name}}`,
    `spec: {replicas: 0, selector: {matchLabels: {app: ${name}}}, template: {metadata: {${labels}}, spec: {${image}}}}`,
  ].join('\n')
  const commit = await push({ 'itself/a.yaml': configMap('beside', '1'), 'itself/b.yaml': text }, 'flux bootstrap')
  await apply(client, kustomization('itself', './itself', { wait: true }))
  await until(client, 'itself', appliedAt(commit))
  assert.ok(await client.get(cm('beside')))
  assert.equal(await client.get(refTo('apps/v1', 'Deployment', name)), undefined)
}

/** No trap, but a risk: both settings fetch it, and neither goes where no object may send us. */
async function remoteBase({ client, push, url }: World): Promise<void> {
  const lists = (base: string): string => `resources: ["${base}"]\n`
  await push({ 'library/kustomization.yaml': 'resources: [a.yaml]\n', 'library/a.yaml': configMap('far', '1') }, 'base')
  const first = await push({ 'remote/kustomization.yaml': lists(`${url}//library?ref=main`) }, 'remote')
  await apply(client, kustomization('remote', './remote'))
  await until(client, 'remote', appliedAt(first))
  await push({ 'library/a.yaml': configMap('far', '2') }, 'base changes')
  await eventually(async () => readText(await client.get(cm('far')), 'data', 'v') === '2')
  const hostile = ['http://169.254.169.254/latest/meta-data', `${url}//library?ref=--upload-pack=x`, 'file:///etc']
  for (const base of hostile) {
    await push({ 'remote/kustomization.yaml': lists(base) }, 'hostile')
    await until(client, 'remote', (object) => isFailed(object) && messageOf(object).includes(base))
  }
  assert.match(messageOf(await until(client, 'remote', isFailed)), /transport 'file' not allowed/)
}
