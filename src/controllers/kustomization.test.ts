import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FINALIZER } from '../kinds/flux-object.ts'
import { type Kustomization, parseKustomization } from '../kinds/kustomization.ts'
import type { Checked } from '../pipeline/health/summarize.ts'
import { type Attempt, decideKustomization, type KustomizationSeen } from './kustomization.ts'

const REVISION = 'main@sha1:a'
const ready = { type: 'Ready', status: 'True', reason: 'ReconciliationSucceeded', message: '', lastTransitionTime: '' }
const entry = { id: 'ns_a__ConfigMap', v: 'v1' }

const kustomization = (changed: { meta?: object; spec?: object; status?: object } = {}): Kustomization =>
  parseKustomization({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'app', namespace: 'ns', uid: 'u', generation: 1, finalizers: [FINALIZER], ...changed.meta },
    spec: {
      interval: '10m',
      retryInterval: '2m',
      timeout: '1m',
      path: './',
      prune: true,
      sourceRef: { kind: 'GitRepository', name: 'app' },
      ...changed.spec,
    },
    status: changed.status ?? {},
  })

const deleted = { deletionTimestamp: '2026-01-01T00:00:00Z' }
const wellBefore = kustomization({ status: { conditions: [ready], inventory: { entries: [entry] } } })
const waiting = kustomization({ spec: { wait: true } })
const paused = kustomization({ spec: { wait: true, suspend: true } })
const begun: Attempt = {
  revision: REVISION,
  digest: 'd',
  generation: 1,
  requestedAt: undefined,
  startedMs: 0,
  wasHealthy: false,
}
const built: Attempt = { ...begun, build: { digest: 'b' } }
const applied: Attempt = { ...built, inventory: [entry], hasChanged: true, changedMs: 0 }
const pruned: Attempt = { ...applied, isPruned: true }
const checking: Attempt = { ...pruned, healthStartedMs: 0 }
const unchanged: Attempt = { ...begun, build: { digest: 'b' }, inventory: [entry], isPruned: true, healthStartedMs: 0 }
const broken = { phase: 'Building manifests', reason: 'BuildFailed', message: 'no such file' } as const
const one = (health: 'Current' | 'InProgress' | 'Failed'): Checked => ({
  ref: { apiVersion: 'v1', kind: 'Pod', namespace: 'ns', name: 'a' },
  judgement: { health, why: '' },
})

const calm: KustomizationSeen = {
  kustomization: kustomization(),
  nowMs: 0,
  monotonicMs: 0,
  dependencyRetryMs: 30_000,
  random: 0.5,
  dueInMs: 0,
  terminationLookInMs: 0,
  source: { kind: 'ready', revision: REVISION, digest: 'd' },
  dependencies: [],
  isBlockNews: true,
  healthGraceMs: 0,
  health: [],
}

/** What a person reads: the step, or the conditions, when it comes again, and the events. */
function show(seen: KustomizationSeen): string {
  const decision = decideKustomization(seen)
  if (decision.kind === 'act') return decision.changes.join(', ')
  const { status, events = [] } = decision.status
  const conditions = (status?.['conditions'] ?? []) as readonly { type: string; status: string; reason: string }[]
  const said = conditions.map((condition) => `${condition.type}=${condition.status} ${condition.reason}`).join(' | ')
  const afterMs = decision.kind === 'wait' ? decision.afterMs : decision.againAfterMs
  const told = events.map(({ severity, reason, isRoutine }) => `${isRoutine ? 'routine' : severity} ${reason}`)
  const parts = [decision.kind, said || 'nothing', ...(afterMs === undefined ? [] : [`again in ${afterMs}`])]
  return [...parts, ...told].join('; ')
}

const WELL = 'done; Ready=True ReconciliationSucceeded'
const cases: readonly [it: string, seen: Partial<KustomizationSeen>, want: string][] = [
  ['begins when it is due', {}, 'begin'],
  ['sleeps until then', { dueInMs: 5 }, 'done; nothing; again in 5'],
  [
    'is held before anything is applied',
    { kustomization: kustomization({ meta: { finalizers: [] } }) },
    'add finalizer',
  ],
  ['touches nothing while suspended', { kustomization: kustomization({ spec: { suspend: true } }) }, 'done; nothing'],
  [
    'shows that its deletion was seen when others hold it',
    {
      kustomization: kustomization({
        meta: { ...deleted, finalizers: ['example.com/x'] },
        status: { conditions: [ready] },
      }),
    },
    'done; Ready=True ReconciliationSucceeded',
  ],
  [
    'is let go when nobody holds it',
    { kustomization: kustomization({ meta: { ...deleted, finalizers: [] } }) },
    'done; nothing',
  ],
  ['is finalized when it is deleted', { kustomization: kustomization({ meta: deleted }) }, 'finalize'],
  [
    'waits for what it deleted to go',
    { kustomization: kustomization({ meta: deleted }), terminationLookInMs: 500 },
    'wait; nothing; again in 500',
  ],
  [
    'does nothing once it has let go',
    { kustomization: kustomization({ meta: { ...deleted, finalizers: ['foreign'] } }) },
    'done; nothing',
  ],
  [
    'names a source that is missing',
    { source: { kind: 'missing', message: 'not found' } },
    'wait; Ready=False ArtifactFailed; again in 30000',
  ],
  [
    'says that its source has nothing',
    { source: { kind: 'no artifact' } },
    'wait; Ready=False ArtifactFailed; again in 30000',
  ],
  ['gives a new source a moment', { source: { kind: 'no artifact', graceMs: 900 } }, 'wait; nothing; again in 900'],
  [
    'waits for what it depends on, and tells it once',
    { dependencies: [{ key: 'ns/base', kustomization: undefined }] },
    'wait; Ready=False DependencyNotReady; again in 30000; info DependencyNotReady',
  ],
  [
    'does not tell it twice',
    { dependencies: [{ key: 'ns/base', kustomization: undefined }], isBlockNews: false },
    'wait; Ready=False DependencyNotReady; again in 30000',
  ],
  [
    'refuses a field that is not served',
    { refusal: { reason: 'NotSupported', message: 'spec.kubeConfig' } },
    'done; Stalled=True NotSupported | Ready=False NotSupported; error NotSupported',
  ],
  ['builds what it began', { attempt: begun }, 'build'],
  ['applies what it built', { attempt: built }, 'apply'],
  ['prunes after the apply', { attempt: applied }, 'prune'],
  [
    'neither applies nor prunes when the build failed',
    { attempt: { ...begun, failure: broken } },
    'wait; Reconciling=True ProgressingWithRetry | Ready=False BuildFailed; again in 120000; error BuildFailed',
  ],
  [
    'does not prune when the apply failed',
    { attempt: { ...built, failure: broken, inventory: [entry] } },
    'wait; Reconciling=True ProgressingWithRetry | Ready=False BuildFailed; again in 120000; error BuildFailed',
  ],
  ['starts anew when the source has moved', { attempt: { ...checking, revision: 'main@sha1:old' } }, 'begin'],
  ['starts anew when the object has changed', { attempt: { ...checking, generation: 0 } }, 'begin'],
  ['starts anew when somebody asks', { attempt: { ...checking, requestedAt: 'earlier' } }, 'begin'],
  ['ends well', { attempt: pruned }, `${WELL}; again in 600000; info ReconciliationSucceeded`],
  [
    'makes no news of a commit that changes nothing',
    { kustomization: wellBefore, attempt: { ...pruned, hasChanged: false } },
    `${WELL}; again in 600000; routine ReconciliationSucceeded`,
  ],
  [
    'makes news of a commit that only removes',
    { kustomization: wellBefore, attempt: { ...pruned, inventory: [], hasChanged: false } },
    `${WELL}; again in 600000; info ReconciliationSucceeded`,
  ],
  [
    'makes news of being well again',
    { attempt: { ...pruned, hasChanged: false } },
    `${WELL}; again in 600000; info ReconciliationSucceeded`,
  ],
  ['checks health when asked to wait', { kustomization: waiting, attempt: pruned }, 'begin health check'],
  [
    'waits for health until its timeout',
    { kustomization: waiting, attempt: checking, health: [one('InProgress')], monotonicMs: 1000 },
    'wait; Reconciling=True Progressing | Ready=Unknown Progressing | Healthy=Unknown Progressing; again in 59000',
  ],
  ...[-864_000_000, 864_000_000].map((nowMs): [string, Partial<KustomizationSeen>, string] => [
    `waits for health as long as ever when the clock is set to ${nowMs}`,
    { kustomization: waiting, attempt: checking, health: [one('InProgress')], nowMs, monotonicMs: 1000 },
    'wait; Reconciling=True Progressing | Ready=Unknown Progressing | Healthy=Unknown Progressing; again in 59000',
  ]),
  [
    'says nothing of objects that need but a moment',
    { kustomization: waiting, attempt: checking, health: [one('InProgress')], monotonicMs: 500, healthGraceMs: 2000 },
    'wait; nothing; again in 1500',
  ],
  [
    'waits no longer for what may still begin than its timeout',
    {
      kustomization: waiting,
      attempt: checking,
      health: [one('InProgress')],
      monotonicMs: 59_500,
      healthGraceMs: 90_000,
    },
    'wait; nothing; again in 500',
  ],
  [
    'says what it waits for once nothing may still begin',
    { kustomization: waiting, attempt: checking, health: [one('InProgress')], monotonicMs: 2000, healthGraceMs: 2000 },
    'wait; Reconciling=True Progressing | Ready=Unknown Progressing | Healthy=Unknown Progressing; again in 58000',
  ],
  [
    'calls it stalled at once when nothing was changed',
    { kustomization: waiting, attempt: unchanged, health: [one('Failed')], monotonicMs: 1000 },
    'wait; Reconciling=True ProgressingWithRetry | Ready=False HealthCheckFailed | Healthy=False HealthCheckFailed; again in 120000; error HealthCheckFailed',
  ],
  [
    'looks again five seconds after the last change, before it calls something stalled',
    { kustomization: waiting, attempt: { ...checking, changedMs: 1000 }, health: [one('Failed')], monotonicMs: 2000 },
    'wait; nothing; again in 4000',
  ],
  [
    'looks again at its timeout at the latest',
    {
      kustomization: waiting,
      attempt: { ...checking, changedMs: 59_000 },
      health: [one('Failed')],
      monotonicMs: 59_500,
    },
    'wait; nothing; again in 500',
  ],
  [
    'gives up on health at its timeout',
    { kustomization: waiting, attempt: checking, health: [one('InProgress')], monotonicMs: 60_000 },
    'wait; Reconciling=True ProgressingWithRetry | Ready=False HealthCheckFailed | Healthy=False HealthCheckFailed; again in 120000; error HealthCheckFailed',
  ],
  [
    'looks again after five seconds when something was applied: the failure may be the one before',
    { kustomization: waiting, attempt: checking, health: [one('Failed')], monotonicMs: 1000 },
    'wait; nothing; again in 4000',
  ],
  [
    'looks again after five seconds when the attempt before it applied something',
    { kustomization: waiting, attempt: { ...checking, hasChanged: false }, health: [one('Failed')], monotonicMs: 1000 },
    'wait; nothing; again in 4000',
  ],
  [
    'gives up at once when all that is left has failed',
    { kustomization: waiting, attempt: { ...checking, changedMs: -5000 }, health: [one('Current'), one('Failed')] },
    'wait; Reconciling=True ProgressingWithRetry | Ready=False HealthCheckFailed | Healthy=False HealthCheckFailed; again in 120000; error HealthCheckFailed',
  ],
  [
    'that is suspended while it waits for health waits on, without a word of the new generation',
    { kustomization: paused, attempt: checking, health: [one('InProgress')], monotonicMs: 1000 },
    'wait; nothing; again in 59000',
  ],
  [
    'that was suspended while it waited for health still ends by its timeout',
    { kustomization: paused, attempt: checking, health: [one('InProgress')], monotonicMs: 60_000 },
    'wait; Reconciling=True ProgressingWithRetry | Ready=False HealthCheckFailed | Healthy=False HealthCheckFailed; again in 120000; error HealthCheckFailed',
  ],
  [
    'that was suspended while it waited for health still ends well',
    { kustomization: paused, attempt: checking, health: [one('Current')] },
    `${WELL} | Healthy=True Succeeded; again in 600000; info Progressing; info ReconciliationSucceeded`,
  ],
  [
    'ends well when all is healthy',
    { kustomization: waiting, attempt: checking, health: [one('Current')] },
    `${WELL} | Healthy=True Succeeded; again in 600000; info Progressing; info ReconciliationSucceeded`,
  ],
]
for (const [it, seen, want] of cases)
  test(`a Kustomization ${it}`, () => assert.equal(show({ ...calm, ...seen }), want))
