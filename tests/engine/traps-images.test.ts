import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createRegistryClient } from '../../src/adapters/registry/client.ts'
import { serveRegistryd } from '../../src/embedded/registryd/serve.ts'
import type { KubeObject } from '../../src/lib/kube/object.ts'
import { conditionOf, read, readText } from '../../src/lib/kube/read.ts'
import { apply, eventually, inWorld, NS, refTo, startKubed, type World } from '../support/engine-world.ts'
import { LONG_MS } from '../support/wait.ts'

// The traps of Flux's image kinds as journeys, with both settings: what we do instead, and what Flux does.
const IMAGE = 'image.toolkit.fluxcd.io/v1'
type Images = World & { readonly host: string; readonly pushImage: (repository: string, tag: string) => Promise<void> }

for (const traps of ['safe', 'flux'] as const)
  test(`traps of images, --traps ${traps}`, { timeout: LONG_MS }, (t) =>
    inWorld(startKubed, traps, (plain) =>
      withRegistry(plain, async (world) => {
        const isSafe = traps === 'safe'
        await prepare(world)
        await t.test('a marker that is wrong, unknown or of another namespace', () => badMarkers(world, isSafe))
        await t.test('a digest marker of a policy that reflects no digest', () => emptiedDigest(world, isSafe))
        await t.test('a changed update.path', () => changedPath(world, isSafe))
        await t.test('one tag that is no number', () => oddTag(world, isSafe))
        await t.test('a template with the removed .Updated', () => removedField(world, isSafe))
      }),
    ),
  )

async function withRegistry(world: World, run: (images: Images) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-traps-images-'))
  const { host, close } = await serveRegistryd({ root: dir, port: 0 })
  const registry = createRegistryClient()
  const mediaType = 'application/vnd.oci.image.index.v1+json'
  try {
    await run({
      ...world,
      host,
      async pushImage(repository, tag) {
        const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: [], annotations: { tag } }))
        await registry.putManifest({ host, repository }, tag, { bytes, mediaType })
      },
    })
  } finally {
    registry.close()
    await close()
    rmSync(dir, { recursive: true, force: true })
  }
}

const object = (apiVersion: string, kind: string, name: string, spec: object): KubeObject => ({
  ...{ apiVersion, kind, metadata: { name, namespace: NS }, spec },
})
const line = (name: string, value: string, setter: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata:\n  image: ${value} # {"$imagepolicy": "${setter}"}\n`
const policy = (name: string, repository: string, chosen: object): KubeObject =>
  object(IMAGE, 'ImagePolicy', name, { imageRepositoryRef: { name: repository }, policy: chosen })

async function message({ client }: World, kind: string, name: string, fits: RegExp): Promise<string> {
  let shown = ''
  await eventually(
    async () => {
      const ready = conditionOf(await client.get(refTo(IMAGE, kind, name)), 'Ready')
      shown = `${ready?.status} ${ready?.reason}: ${ready?.message}`
      return fits.test(shown)
    },
    () => shown,
  )
  return shown
}

async function prepare(world: Images): Promise<void> {
  const { client, push, pushImage, host, url } = world
  await pushImage('web', '1.0.0')
  // Flux fails where update.path names nothing, and Git keeps no empty folder.
  await push({ 'deploy/kept.txt': '' }, 'first')
  const secretRef = { name: 'git' }
  await apply(client, {
    ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'git', namespace: NS } },
    stringData: { username: 'x', password: 't' },
  } as KubeObject)
  const git = { interval: '1h', url, ref: { branch: 'main' }, secretRef }
  await apply(client, object('source.toolkit.fluxcd.io/v1', 'GitRepository', 'app', git))
  await apply(client, object(IMAGE, 'ImageRepository', 'web', { interval: '1h', image: `${host}/web` }))
  await apply(client, policy('web', 'web', { semver: { range: '>=1.0.0' } }))
  await message(world, 'ImagePolicy', 'web', /resolved to 1\.0\.0/)
  await apply(client, automation())
  await message(world, 'ImageUpdateAutomation', 'app', /^True Succeeded: repository up-to-date/)
}

const automation = (path = './deploy', messageTemplate?: string): KubeObject => {
  const author = { name: 'Bot', email: 'bot@example.com' }
  const commit = { author, ...(messageTemplate === undefined ? {} : { messageTemplate }) }
  const sourceRef = { kind: 'GitRepository', name: 'app' }
  const spec = { interval: '1h', sourceRef, git: { commit }, update: { path, strategy: 'Setters' } }
  return object(IMAGE, 'ImageUpdateAutomation', 'app', spec)
}

/** Until the automation has looked at a commit (Flux does when it is asked); the branch may have moved on by its own push. */
async function lookedAt({ client }: World, commit: string): Promise<void> {
  const asked = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': commit } } }
  await client.patch(refTo(IMAGE, 'ImageUpdateAutomation', 'app'), 'merge', asked, { fieldManager: 'test' })
  await eventually(async () => {
    const shown = await client.get(refTo(IMAGE, 'ImageUpdateAutomation', 'app'))
    const seen = readText(shown, 'status', 'observedSourceRevision')
    const pushed = readText(shown, 'status', 'lastPushCommit')
    return seen.endsWith(commit) || (pushed !== '' && seen.endsWith(pushed))
  })
}

async function badMarkers(world: Images, isSafe: boolean): Promise<void> {
  const files = {
    'deploy/wrong.yaml': line('wrong', 'x:1', 'apps'),
    'deploy/unknown.yaml': line('unknown', 'x:1', `${NS}:nope`),
    'deploy/foreign.yaml': line('foreign', 'x:1', 'other:web'),
  }
  await lookedAt(world, await world.push(files, 'markers'))
  const shown = await message(world, 'ImageUpdateAutomation', 'app', isSafe ? /3 markers/ : /up-to-date$/)
  for (const name of ['wrong', 'unknown', 'foreign']) {
    assert.equal(shown.includes(`deploy/${name}.yaml:5`), isSafe, shown)
    assert.match(await world.pull(`deploy/${name}.yaml`), / image: x:1 /)
  }
  await world.push(
    { 'deploy/wrong.yaml': null, 'deploy/unknown.yaml': null, 'deploy/foreign.yaml': null },
    'no markers',
  )
}

async function emptiedDigest(world: Images, isSafe: boolean): Promise<void> {
  const old = `sha256:${'a'.repeat(64)}`
  const path = 'deploy/digest.yaml'
  await lookedAt(world, await world.push({ [path]: line('digest', old, `${NS}:web:digest`) }, 'digest'))
  if (isSafe) {
    await message(world, 'ImageUpdateAutomation', 'app', /deploy\/digest\.yaml:5: .*asks for a digest, but the policy/)
    assert.match(await world.pull(path), new RegExp(old))
  } else await eventually(async () => / image: ""/.test(await world.pull(path)))
  await world.push({ [path]: null }, 'no digest')
}

async function changedPath(world: Images, isSafe: boolean): Promise<void> {
  const path = 'elsewhere/web.yaml'
  const old = `${world.host}/web:0.9.0`
  await lookedAt(world, await world.push({ [path]: line('web', old, `${NS}:web`) }, 'elsewhere'))
  await apply(world.client, automation('./elsewhere'))
  await eventually(async () => {
    const shown = await world.client.get(refTo(IMAGE, 'ImageUpdateAutomation', 'app'))
    return shown?.metadata.generation === read(shown, 'status', 'observedGeneration')
  })
  if (isSafe) await eventually(async () => (await world.pull(path)).includes('web:1.0.0'))
  else {
    assert.ok((await world.pull(path)).includes(old))
    await lookedAt(world, await world.push({ 'README.md': 'y' }, 'anything'))
    await eventually(async () => (await world.pull(path)).includes('web:1.0.0'))
  }
}

async function oddTag(world: Images, isSafe: boolean): Promise<void> {
  for (const tag of ['7', '12', 'latest']) await world.pushImage('builds', tag)
  const spec = { interval: '1h', image: `${world.host}/builds` }
  await apply(world.client, object(IMAGE, 'ImageRepository', 'builds', spec))
  await apply(world.client, policy('builds', 'builds', { numerical: { order: 'asc' } }))
  const shown = await message(world, 'ImagePolicy', 'builds', isSafe ? /^True/ : /^False.*latest/)
  assert.match(shown, isSafe ? /resolved to 12/ : /failed to parse|invalid/)
}

async function removedField(world: Images, isSafe: boolean): Promise<void> {
  const template = '{{ range .Updated.Images }}now {{ . }}{{ end }}'
  await apply(world.client, automation('./elsewhere', template))
  await world.pushImage('web', '1.1.0')
  const asked = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'again' } } }
  await world.client.patch(refTo(IMAGE, 'ImageRepository', 'web'), 'merge', asked, { fieldManager: 'test' })
  // Flux notices when there is a message to write.
  if (!isSafe) return void (await message(world, 'ImageUpdateAutomation', 'app', /^False RemovedTemplateField/))
  await eventually(async () => (await world.pull('elsewhere/web.yaml')).includes('web:1.1.0'))
}
