import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { manualClock } from '../../../../tests/support/manual-clock.ts'
import { clusterOf, reconcile } from '../../../../tests/support/one-object.ts'
import { FINALIZER } from '../../../kinds/flux-object.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Registries } from '../registries.ts'
import { imageUpdateAutomationController } from './automation-controller.ts'
import { imageRepositoryController } from './repository-controller.ts'
import { createTagStore } from './tag-store.ts'

const KEY = 'ns/app'

/** `was`: the object that it replaces, whose status stays. */
const object = (kind: string, generation: number, spec: object, was?: KubeObject): KubeObject => ({
  apiVersion: 'image.toolkit.fluxcd.io/v1',
  kind,
  metadata: {
    ...{ name: 'app', namespace: 'ns', uid: 'u', generation, resourceVersion: String(generation) },
    finalizers: [FINALIZER],
  },
  spec: { interval: '1h', ...spec },
  ...(was ? { status: was['status'] } : {}),
})

type Condition = { readonly type: string; readonly message: string; readonly observedGeneration: number }

const readyOf = ({ status }: KubeObject): Condition | undefined =>
  (status as { conditions: Condition[] }).conditions.find(({ type }) => type === 'Ready')

test('an ImageRepository that is changed while it is scanned is scanned again for the change', async () => {
  const first = object('ImageRepository', 1, { image: 'r.io/app' })
  const { cluster, context } = clusterOf(first)
  const tags = createTagStore()
  const registries = {
    clientFor: async () => ({
      async listTags() {
        cluster.now = object('ImageRepository', 2, { image: 'r.io/app', exclusionList: ['^b'] }, cluster.now)
        return ['a', 'b']
      },
    }),
  } as unknown as Registries
  const controller = imageRepositoryController(context, tags, registries)
  const observed = async (): Promise<unknown> => {
    await reconcile(controller, KEY)
    const { observedGeneration, observedExclusionList } = cluster.now['status'] as Record<string, unknown>
    return { observedGeneration, observedExclusionList, tags: tags.get(KEY)?.tags }
  }
  const byDefault = ['^.*\\.sig$']
  assert.deepEqual(await observed(), { observedGeneration: 1, observedExclusionList: byDefault, tags: ['b', 'a'] })
  assert.deepEqual(await observed(), { observedGeneration: 2, observedExclusionList: ['^b'], tags: ['a'] })
})

for (const interval of ['720h', '8760h', '1.0005s'])
  test(`an ImageRepository that is scanned every ${interval} gives the registry that time, too`, async () => {
    const { cluster, context } = clusterOf(object('ImageRepository', 1, { image: 'r.io/app', interval }))
    const registries = {
      clientFor: async () => ({
        schemeOf: () => 'https',
        async listTags(_: unknown, { signal }: { signal: AbortSignal }) {
          // one turn of the timers: those that are over have fired
          await new Promise((resolve) => setTimeout(resolve, 2))
          signal.throwIfAborted()
          return ['a']
        },
      }),
    } as unknown as Registries
    await reconcile(imageRepositoryController(context, createTagStore(), registries), KEY)
    assert.equal(readyOf(cluster.now)?.message, 'successful scan: found 1 tags with checksum 68682078')
  })

test('an ImageRepository is scanned again for an image that is pushed while it is scanned', async () => {
  const { context } = clusterOf(object('ImageRepository', 1, { image: 'r.io/app' }))
  let push: (image: string) => void = () => undefined
  const cache = { ...context.caches.open({ apiVersion: '', kind: '' }), onChange: () => () => undefined }
  const watching = { ...context, registryAliases: {}, caches: { open: () => cache } as never }
  const pushed: string[] = ['a']
  const registries = {
    clientFor: async () => ({
      async listTags() {
        const tags = [...pushed]
        if (tags.length === 1) pushed.push('b')
        if (tags.length === 1) push('r.io/app')
        return tags
      },
    }),
  } as unknown as Registries
  const tags = createTagStore()
  const onImageChanged = (handler: typeof push): void => void (push = handler)
  const controller = imageRepositoryController({ ...watching, onImageChanged }, tags, registries)
  await controller.watch({ now: () => undefined, after: () => undefined })
  await reconcile(controller, KEY)
  await reconcile(controller, KEY)
  assert.deepEqual(tags.get(KEY)?.tags, ['b', 'a'])
})

test('what an ImageUpdateAutomation comes to is told of the object that ran, not of what it was changed to meanwhile', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'automation-'))
  try {
    const signedBy = (name: string) => ({
      sourceRef: { kind: 'GitRepository', name: 'app' },
      git: { push: { branch: 'main' }, commit: { signingKey: { secretRef: { name } } } },
    })
    const { cluster, context } = clusterOf(object('ImageUpdateAutomation', 1, signedBy('first')))
    const changing = {
      ...context.client,
      async get() {
        cluster.now = object('ImageUpdateAutomation', 2, signedBy('second'), cluster.now)
        return undefined
      },
    }
    const controller = imageUpdateAutomationController(
      {
        ...context,
        stateDir,
        traps: 'safe',
        client: changing,
        sources: { get: () => undefined } as never,
        registryAliases: {},
      },
      { list: () => [] } as never,
    )
    const told = async (): Promise<unknown> => {
      await reconcile(controller, KEY)
      const ready = readyOf(cluster.now)
      return [ready?.observedGeneration, /signing key secret '(\w+)'/.exec(ready?.message ?? '')?.[1]]
    }
    assert.deepEqual(await told(), [1, 'first'])
    assert.deepEqual(await told(), [2, 'second'])
  } finally {
    rmSync(stateDir, { recursive: true })
  }
})

test('an ImageRepository is told once that nothing of what it scans has changed, and not that a request was taken back', async () => {
  const spec = { image: 'r.io/app', interval: '1h' }
  const { cluster, context } = clusterOf(object('ImageRepository', 1, spec))
  const told: string[] = []
  const tell: typeof context.tell = ({ message }) => void told.push(message)
  const registries = { clientFor: async () => ({ listTags: async () => ['a'] }) } as unknown as Registries
  const controller = imageRepositoryController({ ...context, tell, traps: 'flux' }, createTagStore(), registries)
  const asked = (requestedAt?: string): void => {
    const annotations: Record<string, string> =
      requestedAt === undefined ? {} : { 'reconcile.fluxcd.io/requestedAt': requestedAt }
    cluster.now = { ...cluster.now, metadata: { ...cluster.now.metadata, annotations } }
  }
  await reconcile(controller, KEY)
  cluster.now = object('ImageRepository', 2, { ...spec, timeout: '5s' }, cluster.now)
  await reconcile(controller, KEY)
  await reconcile(controller, KEY)
  asked('now')
  await reconcile(controller, KEY)
  asked()
  await reconcile(controller, KEY)
  assert.deepEqual(
    told.map((message) => message.split(',')[0]),
    [
      'successful scan: found 1 tags with checksum 68682078',
      'no change in repository configuration since last scan',
      'tags did not change',
    ],
  )
})

for (const [it, setByMs, traps] of [
  ['an hour back', -3_600_000, 'safe'],
  ['ten days back', -864_000_000, 'safe'],
  ['ten days back, with the traps of Flux,', -864_000_000, 'flux'],
  ['ten days forward', 864_000_000, 'safe'],
] as const)
  test(`a clock that is set ${it} makes no scan earlier or later`, async () => {
    const clock = manualClock(Date.parse('2026-11-28T12:00:00Z'))
    const { context } = clusterOf(object('ImageRepository', 1, { image: 'r.io/app' }), clock)
    let scans = 0
    const registries = { clientFor: async () => ({ listTags: async () => [`${scans++}`] }) } as unknown as Registries
    const controller = imageRepositoryController({ ...context, traps }, createTagStore(), registries)
    await reconcile(controller, KEY)
    clock.set(setByMs)
    await reconcile(controller, KEY)
    assert.equal(scans, 1)
    clock.advance(1.1 * 3_600_000)
    await reconcile(controller, KEY)
    assert.equal(scans, 2)
  })

test('an ImageRepository whose scan ends in a fault of the program is scanned again', async () => {
  const { context } = clusterOf(object('ImageRepository', 1, { image: 'r.io/app' }))
  let scans = 0
  const listTags = async (): Promise<string[]> => {
    if (scans++ === 0) throw new TypeError('a bug')
    return ['a']
  }
  const registries = { clientFor: async () => ({ listTags, schemeOf: () => 'https' }) } as unknown as Registries
  const tags = createTagStore()
  const controller = imageRepositoryController(context, tags, registries)
  await assert.rejects(reconcile(controller, KEY), /a bug/)
  await reconcile(controller, KEY)
  assert.deepEqual(tags.get(KEY)?.tags, ['a'])
})
