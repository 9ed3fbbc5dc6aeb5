import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../src/lib/kube/object.ts'
import { conditionOf, readText } from '../../src/lib/kube/read.ts'
import {
  apply,
  configMap,
  eventually,
  inWorld,
  kustomization,
  NS,
  refTo,
  startKubed,
  type World,
} from '../support/engine-world.ts'
import { LONG_MS } from '../support/wait.ts'

// The traps of Flux's sources as journeys, with both settings: what we do instead, and what Flux does.
const SOURCE = 'source.toolkit.fluxcd.io/v1'

for (const traps of ['safe', 'flux'] as const)
  test(`traps of sources, --traps ${traps}`, { timeout: LONG_MS }, (t) =>
    inWorld(startKubed, traps, async (world) => {
      const isSafe = traps === 'safe'
      await world.push({ 'app/a.yaml': configMap('a', '1'), 'app2/b.yaml': configMap('b', '1') }, 'first')
      await t.test('a folder whose name begins like a sparse one', () => sparsePrefix(world, isSafe))
      await t.test('the ref HEAD', () => headRef(world, isSafe))
      await t.test('a slash at the end of the address', () => slashAtEnd(world, isSafe))
      await t.test('many events of one reason', () => combinedEvents(world, isSafe))
    }),
  )

const repository = (name: string, url: string, more: object): KubeObject => ({
  apiVersion: SOURCE,
  kind: 'GitRepository',
  metadata: { name, namespace: NS },
  spec: { interval: '1h', url, ref: { branch: 'main' }, ...more },
})

/** The source once it is ready, or has failed. */
async function ended({ client }: World, name: string): Promise<KubeObject> {
  let found: KubeObject | undefined
  await eventually(async () => {
    found = await client.get(refTo(SOURCE, 'GitRepository', name))
    const ready = conditionOf(found, 'Ready')
    return ready?.status === 'True' || (ready?.status === 'False' && ready.reason !== 'Progressing')
  })
  return found!
}

const verdictOf = (object: KubeObject): string => {
  const ready = conditionOf(object, 'Ready')
  return `${ready?.status} ${ready?.message}`
}

async function sparsePrefix(world: World, isSafe: boolean): Promise<void> {
  const { client, url } = world
  await apply(client, repository('sparse', url, { sparseCheckout: ['app'] }))
  await apply(client, kustomization('sparse', './', { sourceRef: { kind: 'GitRepository', name: 'sparse' } }))
  await eventually(async () => (await client.get(refTo('v1', 'ConfigMap', 'a'))) !== undefined)
  const other = await client.get(refTo('v1', 'ConfigMap', 'b'))
  assert.equal(other === undefined, isSafe)
}

async function headRef(world: World, isSafe: boolean): Promise<void> {
  await apply(world.client, repository('head', world.url, { ref: { name: 'HEAD' } }))
  const verdict = verdictOf(await ended(world, 'head'))
  assert.match(verdict, isSafe ? /^True / : /^False .*unable to resolve commit object for '0{40}': object not found/)
}

async function slashAtEnd(world: World, isSafe: boolean): Promise<void> {
  await apply(world.client, repository('slash', `${world.url}/`, {}))
  const verdict = verdictOf(await ended(world, 'slash'))
  assert.match(verdict, isSafe ? /^True / : /^False .*unable to clone '.*\/app\.git\/': repository not found/)
}

const PUSHES = 12

async function combinedEvents(world: World, isSafe: boolean): Promise<void> {
  const { client, push, url } = world
  await apply(client, repository('busy', url, {}))
  for (let count = 0; count < PUSHES; count++) {
    const commit = await push({ 'app/a.yaml': configMap('a', `${count}`) }, `change ${count}`)
    await eventually(async () => {
      const revision = readText(
        await client.get(refTo(SOURCE, 'GitRepository', 'busy')),
        'status',
        'artifact',
        'revision',
      )
      return revision.endsWith(commit)
    })
  }
  let texts: readonly string[] = []
  await eventually(async () => {
    const { items } = await client.list({ apiVersion: 'v1', kind: 'Event', namespace: NS })
    const own = items.filter((event) => readText(event, 'involvedObject', 'name') === 'busy')
    texts = own.map((event) => readText(event, 'message'))
    return texts.some((text) => text.endsWith(`'change ${PUSHES - 1}'`))
  })
  assert.equal(
    texts.some((text) => text.startsWith('(combined from similar events): ')),
    !isSafe,
  )
}
