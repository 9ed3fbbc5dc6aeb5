import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_HELPERS } from '../../../tests/support/no-helpers.ts'
import { foldFacts } from '../../../tests/support/fold-facts.ts'
import type { Fact } from '../../pipeline/record/fact.ts'
import { historyOf } from '../../pipeline/record/query.ts'
import type { Helpers } from '../../pipeline/record/wait.ts'
import { deliveryView, pageView } from './record-view.ts'

const facts: readonly Fact[] = [
  {
    at: '2026-01-01T00:00:00Z',
    kind: 'build',
    kustomization: 'flux-system/production',
    revision: 'main@sha1:abc',
    ok: true,
    workloads: [{ namespace: 'default', name: 'web', images: ['r/web:1.0.0'] }],
  },
  { at: '2026-01-01T00:00:01Z', kind: 'policy', policy: 'default/web', image: 'r/web', tag: '1.1.0', considered: 2 },
]

const kustomization = (name: string) => ({
  ...{ apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' },
  metadata: { namespace: 'flux-system', name },
})
const helpers: Helpers = {
  ...NO_HELPERS,
  kustomizations: [kustomization('flux-system'), kustomization('production')],
}
const context = {
  at: 'now',
  notice: undefined,
  serviceUrl: () => 'http://127.0.0.1:1',
  helpers,
  facts,
  dispatchFaults: [],
}

test('the page shows a service by environment, with the borders still to come', () => {
  const view = pageView(foldFacts(facts), context)
  assert.deepEqual(view.environments, ['production'])
  const cell = view.services[0]?.cells[0]
  assert.equal(cell?.version, '1.1.0')
  assert.equal(cell.state, 'running')
  assert.deepEqual(
    cell.borders.map((border) => `${border.name} ${border.state}`),
    ['policy done', 'write-back waiting', 'source waiting', 'build waiting', 'apply waiting', 'health waiting'],
  )
  assert.deepEqual(view.lines, ['00:00:01  policy      default/web selects r/web:1.1.0 of 2 tags'])
})

test('what was delivered and has no ready pod is not called healthy', () => {
  const pod = { kind: 'pod', namespace: 'default', workload: 'web', image: 'r/web:1.1.0', digest: 'sha256:1' } as const
  const told: readonly Fact[] = [
    ...facts,
    {
      ...facts[0],
      at: '2026-01-01T00:00:03Z',
      workloads: [{ namespace: 'default', name: 'web', images: ['r/web:1.1.0'] }],
    },
    { at: '2026-01-01T00:00:04Z', ...pod, pod: 'web-1', ready: true },
    {
      at: '2026-01-01T00:00:05Z',
      kind: 'health',
      kustomization: 'flux-system/production',
      revision: 'r',
      state: 'healthy',
    },
  ] as Fact[]
  const cell = (more: readonly Fact[]) => pageView(foldFacts([...told, ...more]), context).services[0]?.cells[0]
  assert.equal(cell([])?.state, 'done')
  const down = cell([{ at: '2026-01-01T00:00:06Z', ...pod, pod: 'web-1', ready: false }])
  assert.deepEqual([down?.state, down?.cause], ['waiting', 'no pod of it is ready'])
  const scaledToNone = cell([{ at: '2026-01-01T00:00:06Z', ...pod, pod: 'web-1', ready: false, gone: true }])
  assert.equal(scaledToNone?.state, 'done')
})

test('what was delivered is not called healthy while its pods run an image that somebody set by hand', () => {
  const pod = { kind: 'pod', namespace: 'default', workload: 'web', pod: 'web-1', ready: true } as const
  const image = { kind: 'image', image: 'r/web', tag: '1.1.0', digest: 'sha256:1', commit: 'c', runId: '1' } as const
  const told = [
    { at: '2026-01-01T00:00:00Z', ...image },
    ...arrived.slice(0, -1),
    { at: '2026-01-01T00:00:04Z', ...pod, image: 'r/web:1.1.0', digest: 'sha256:1' },
    ...arrived.slice(-1),
  ] as Fact[]
  const cell = (more: readonly Fact[]) => pageView(foldFacts([...told, ...more]), context).services[0]?.cells[0]
  assert.deepEqual([cell([])?.state, cell([])?.cause], ['done', undefined])
  const byHand: Fact = { at: '2026-01-01T00:00:06Z', ...pod, image: 'r/web:0.9.0', digest: 'sha256:9' }
  assert.equal(cell([byHand])?.state, 'waiting')
  assert.match(cell([byHand])?.cause ?? '', /^its pods run r\/web:0\.9\.0, which was not delivered but set by hand/)
  // in the middle of a rollout of both
  const other: Fact = { at: '2026-01-01T00:00:07Z', ...pod, pod: 'web-2', image: 'r/web:1.1.0', digest: 'sha256:1' }
  assert.equal(cell([byHand, other])?.state, 'done')
})

test('a delivery that was overtaken says so', () => {
  const later: Fact = {
    at: '2026-01-01T00:00:02Z',
    kind: 'policy',
    policy: 'default/web',
    image: 'r/web',
    tag: '1.2.0',
    considered: 3,
  }
  const views = historyOf(foldFacts([...facts, later]), { limit: 9 }).map((delivery) => deliveryView(delivery, helpers))
  assert.equal(views.find((view) => view.version === '1.1.0')?.cause, 'a newer one took its place')
})

const root = { kustomization: 'flux-system/flux-system', revision: 'main@sha1:bad0001' } as const
const refused: Fact = {
  ...{ at: '2026-01-01T00:00:07Z', kind: 'apply', ...root, ok: false, changes: [], cause: 'namespace "x" not found' },
} as Fact
const wrong: Fact = {
  ...{
    at: '2026-01-01T00:00:07Z',
    kind: 'build',
    kustomization: 'flux-system/production',
    revision: 'main@sha1:bad0002',
  },
  ...{ ok: false, cause: 'web.yaml:3: bad', workloads: [] },
} as Fact
const failedRun: Fact = {
  ...{
    at: '2026-01-01T00:00:07Z',
    kind: 'run',
    runId: '9',
    workflow: 'Build web',
    event: 'push',
    ref: 'refs/heads/main',
  },
  ...{ commit: 'bad0003', state: 'failed', cause: 'step Test: exit code 1' },
} as Fact
const arrived: readonly Fact[] = [
  ...facts,
  {
    ...facts[0],
    at: '2026-01-01T00:00:03Z',
    workloads: [{ namespace: 'default', name: 'web', images: ['r/web:1.1.0'] }],
  } as Fact,
  {
    ...{
      at: '2026-01-01T00:00:05Z',
      kind: 'health',
      kustomization: 'flux-system/production',
      revision: 'main@sha1:abc',
    },
    state: 'healthy',
  } as Fact,
]

const stops: { it: string; facts: readonly Fact[]; want: object[]; cell: unknown[] }[] = [
  { it: 'nothing while all is well', facts: [], want: [], cell: ['1.1.0', undefined, 'health done'] },
  {
    it: 'a Kustomization that carries no service',
    facts: [refused],
    want: [{ environment: 'flux-system', services: [], commit: 'bad0001', cause: 'apply: namespace "x" not found' }],
    cell: ['1.1.0', undefined, 'health done'],
  },
  {
    it: 'a build once, with the service that it holds up and the commit that broke it',
    facts: [wrong, { ...wrong, at: '2026-01-01T00:00:08Z', revision: 'main@sha1:later' } as Fact],
    want: [{ environment: 'production', services: ['web'], commit: 'bad0002', cause: 'build: web.yaml:3: bad' }],
    cell: ['1.1.0', 'build', 'source done, build failed, apply waiting, health waiting'],
  },
  {
    it: 'the build of a later revision that holds up what waits for its health',
    facts: [
      {
        ...{ at: '2026-01-01T00:00:06Z', kind: 'policy', policy: 'default/web', image: 'r/web', tag: '1.2.0' },
        considered: 3,
      } as Fact,
      {
        ...{ at: '2026-01-01T00:00:06Z', kind: 'write-back', automation: 'default/web', branch: 'main' },
        ...{ commit: 'next', images: [{ image: 'r/web', tag: '1.2.0' }] },
      } as Fact,
      {
        ...{ at: '2026-01-01T00:00:07Z', kind: 'build', kustomization: 'flux-system/production', ok: true },
        ...{ revision: 'main@sha1:next', workloads: [{ namespace: 'default', name: 'web', images: ['r/web:1.2.0'] }] },
      } as Fact,
      { ...wrong, at: '2026-01-01T00:00:08Z' } as Fact,
    ],
    want: [{ environment: 'production', services: ['web'], commit: 'bad0002', cause: 'build: web.yaml:3: bad' }],
    cell: ['1.1.0', 'build', 'source done, build failed'],
  },
  {
    it: 'a build that holds up a newer version, which does not run',
    facts: [
      wrong,
      {
        ...{ at: '2026-01-01T00:00:08Z', kind: 'policy', policy: 'default/web', image: 'r/web', tag: '1.2.0' },
        considered: 3,
      } as Fact,
      {
        ...{ at: '2026-01-01T00:00:09Z', kind: 'write-back', automation: 'default/web', branch: 'main' },
        ...{ commit: 'later', images: [{ image: 'r/web', tag: '1.2.0' }] },
      } as Fact,
    ],
    want: [{ environment: 'production', services: ['web'], commit: 'bad0002', cause: 'build: web.yaml:3: bad' }],
    cell: ['1.1.0', 'build', 'source done, build failed, apply waiting, health waiting'],
  },
  {
    it: 'a workload that is not healthy once, by its own cause',
    facts: [
      {
        ...{ at: '2026-01-01T00:00:07Z', kind: 'health', kustomization: 'flux-system/production' },
        ...{ revision: 'main@sha1:bad0004', state: 'unhealthy', cause: 'no image\nfailed after 1ms' },
        ...{ objects: ['Deployment/default/web'], causes: [{ workload: 'default/web', cause: 'no image' }] },
      } as Fact,
    ],
    want: [{ environment: 'production', services: ['web'], commit: 'bad0004', cause: 'health: no image' }],
    cell: ['1.1.0', 'health', 'health failed'],
  },
  {
    it: 'a run, while the version from before still runs',
    facts: [failedRun],
    want: [
      {
        environment: 'production',
        services: ['web'],
        commit: 'bad0003',
        cause: 'ci: Build web: step Test: exit code 1',
        next: 'sluice logs run/9',
      },
    ],
    cell: ['1.1.0', 'ci', 'ci failed'],
  },
]
for (const { it, facts: more, want, cell } of stops)
  test(`the page names ${it}`, () => {
    const view = pageView(foldFacts([...arrived, ...more]), context)
    assert.deepEqual(view.stops, want)
    const { version, stoppedAt, borders = [] } = view.services[0]?.cells[0] ?? {}
    const said = borders.map(({ name, state }) => `${name} ${state}`).join(', ')
    assert.deepEqual([version, stoppedAt], cell.slice(0, 2))
    assert.ok(said.includes(String(cell[2])), said)
  })

test('a Kustomization that was taken away stops nothing any more', () => {
  const view = pageView(foldFacts([...arrived, refused]), { ...context, helpers: { ...helpers, kustomizations: [] } })
  assert.deepEqual(view.stops, [])
})

test('what is suspended or not ready is named, unless a stop says why', () => {
  const notReady = {
    status: { conditions: [{ type: 'Ready', status: 'False', reason: 'Failed', message: 'authentication required' }] },
  }
  const source = { ...kustomization('app'), kind: 'GitRepository', ...notReady }
  const suspended = { ...kustomization('production'), spec: { suspend: true } }
  const told = { ...kustomization('flux-system'), ...notReady }
  const seen = { ...helpers, kustomizations: [suspended, told], sources: [source] }
  assert.deepEqual(pageView(foldFacts([...arrived, refused]), { ...context, helpers: seen }).holds, [
    {
      object: 'GitRepository flux-system/app',
      cause: 'is not ready: authentication required',
      next: 'it has no login: name a Secret in spec.secretRef',
    },
    {
      object: 'Kustomization flux-system/production',
      cause: 'is suspended (sluice resume kustomization production -n flux-system)',
    },
  ])
})

test('an Alert that reaches nobody says why and what to do, until it does or is suspended', () => {
  const alert = { ...kustomization('ops'), kind: 'Alert', spec: { providerRef: { name: 'chat' } } }
  const provider = { ...kustomization('chat'), kind: 'Provider' }
  const fault = { alert: 'flux-system/ops', provider: 'chat', sinceMs: 0, cause: 'connection refused' }
  const holdsOf = (others: Helpers['others'], dispatchFaults = [fault]) =>
    pageView(foldFacts(arrived), { ...context, helpers: { ...helpers, others }, dispatchFaults }).holds
  const isHeld = { spec: { suspend: true } }
  assert.deepEqual(holdsOf([alert, provider], []), [])
  assert.deepEqual(holdsOf([alert, provider]), [
    {
      object: 'Alert flux-system/ops',
      cause: 'reaches nobody since 1970-01-01T00:00:00Z: connection refused',
      next: 'look at the address and the Secret of Provider flux-system/chat, and whether its server answers; what waits is sent again by itself, for a day',
    },
  ])
  assert.deepEqual(holdsOf([alert], []), [
    {
      object: 'Alert flux-system/ops',
      cause: 'reaches nobody: there is no Provider flux-system/chat',
      next: 'create it, or name another in spec.providerRef; what waits is sent then, for a day',
    },
  ])
  assert.deepEqual(holdsOf([alert, provider], [{ ...fault, provider: 'before' }]), [])
  assert.deepEqual(
    holdsOf([{ ...alert, ...isHeld }, provider]).map(({ cause }) => cause.slice(0, 12)),
    ['is suspended'],
  )
  assert.deepEqual(
    holdsOf([alert, { ...provider, ...isHeld }]).map(({ object }) => object),
    ['Provider flux-system/chat'],
  )
})
