import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FINALIZER } from '../kinds/flux-object.ts'
import { type GitRepository, parseGitRepository } from '../kinds/git-repository.ts'
import type { ArtifactStatus } from '../kinds/source.ts'
import { WORDS } from './git-repository.ts'
import { decideSource, type SourceSeen } from './source.ts'
import type { LookOutcome } from './source.ts'

const artifact = (commit: string): ArtifactStatus => ({
  digest: `sha256:${commit}`,
  lastUpdateTime: '2026-01-01T00:00:00Z',
  path: `gitrepository/ns/app/${commit}.tar.gz`,
  revision: `main@sha1:${commit}`,
  size: 1,
  url: 'http://x',
})

const repository = (changed: { meta?: object; spec?: object; status?: object } = {}): GitRepository =>
  parseGitRepository({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'app', namespace: 'ns', uid: 'u', generation: 1, finalizers: [FINALIZER], ...changed.meta },
    spec: { url: 'http://git/app.git', interval: '10m', ref: { branch: 'main' }, ...changed.spec },
    status: changed.status ?? {},
  })

const deleted = { deletionTimestamp: '2026-01-01T00:00:00Z' }
const stored = (commit: string): Extract<LookOutcome, { kind: 'stored' }> => ({
  kind: 'stored',
  artifact: artifact(commit),
  included: [],
  news: "stored artifact for commit 'change'",
})
const failed: Extract<LookOutcome, { kind: 'failed' }> = {
  kind: 'failed',
  reason: 'GitOperationFailed',
  message: 'no route',
  condition: 'FetchFailed',
}
const ready = { type: 'Ready', status: 'True', reason: 'Succeeded', message: '', lastTransitionTime: '' }
const hasA = { artifact: artifact('a'), conditions: [ready, { ...ready, type: 'ArtifactInStorage' }] }

const verifying = (status: Record<string, unknown> = {}) =>
  repository({ spec: { verify: { mode: 'HEAD', secretRef: { name: 'keys' } } }, status })

const calm: SourceSeen<GitRepository> = {
  source: repository(),
  nowMs: 0,
  random: 0.5,
  dueInMs: 0,
  failures: 0,
  knownMs: 60_000,
}

/** What a person reads: the step, or the conditions, when it comes again, and the event. */
function show(seen: SourceSeen<GitRepository>): string {
  const decision = decideSource(seen, WORDS)
  if (decision.kind === 'act') return decision.changes.join(', ')
  const { status, verification, event, recovery } = decision.status
  const conditions = (status?.['conditions'] ?? []) as readonly { type: string; status: string; reason: string }[]
  const said = conditions.map((condition) => `${condition.type}=${condition.status} ${condition.reason}`).join(' | ')
  const afterMs = decision.kind === 'wait' ? decision.afterMs : decision.againAfterMs
  const parts = [decision.kind, said || 'nothing', ...(afterMs === undefined ? [] : [`again in ${afterMs}`])]
  const told = [verification, event, recovery].flatMap((one) => (one ? [`${one.severity} ${one.reason}`] : []))
  return [...parts, ...told].join('; ')
}

const SUCCEEDED = 'Ready=True Succeeded | ArtifactInStorage=True Succeeded'
const RETRYING =
  'Reconciling=True ProgressingWithRetry | Ready=False GitOperationFailed | FetchFailed=True GitOperationFailed'
const cases: readonly [it: string, seen: Partial<SourceSeen<GitRepository>>, want: string][] = [
  ['looks when a look is due', {}, 'look at the remote'],
  ['sleeps until then', { dueInMs: 5 }, 'done; nothing; again in 5'],
  ['is held before anything is stored', { source: repository({ meta: { finalizers: [] } }) }, 'add finalizer'],
  ['looks at nothing while suspended', { source: repository({ spec: { suspend: true } }) }, 'done; nothing'],
  [
    'removes what it stored when it is deleted, suspended or not',
    { source: repository({ meta: deleted, spec: { suspend: true } }) },
    'remove artifacts and finalizer',
  ],
  [
    'does nothing once it has let go',
    { source: repository({ meta: { ...deleted, finalizers: ['foreign'] } }) },
    'done; nothing',
  ],
  ['tells a new artifact', { outcome: stored('a') }, `done; ${SUCCEEDED}; again in 600000; info NewArtifact`],
  [
    'tells first that the signature is good',
    { source: verifying(), outcome: { ...stored('a'), verified: { mode: 'HEAD', message: 'verified' } } },
    `done; ${SUCCEEDED} | SourceVerified=True Succeeded; again in 600000; trace Succeeded; info NewArtifact`,
  ],
  [
    'does not tell again that a signature is good',
    {
      source: verifying({ ...hasA, conditions: [{ ...ready, type: 'SourceVerified', message: 'verified' }] }),
      outcome: { kind: 'unchanged', revision: 'main@sha1:a', verified: { mode: 'HEAD', message: 'verified' } },
    },
    `done; ${SUCCEEDED} | SourceVerified=True Succeeded; again in 600000; trace ArtifactUpToDate`,
  ],
  [
    'tells nothing when the same content is stored again',
    { source: repository({ status: hasA }), outcome: stored('a') },
    `done; ${SUCCEEDED}; again in 600000`,
  ],
  [
    'tells nothing when Flux packed the same to another archive',
    {
      source: repository({
        status: { ...hasA, observedGeneration: 1, artifact: { ...artifact('a'), digest: 'sha256:flux' } },
      }),
      outcome: stored('a'),
    },
    `done; ${SUCCEEDED}; again in 600000`,
  ],
  [
    'tells when another spec makes something else of the same revision',
    {
      source: repository({
        meta: { generation: 2 },
        status: { ...hasA, observedGeneration: 1, artifact: { ...artifact('a'), digest: 'sha256:before' } },
      }),
      outcome: stored('a'),
    },
    `done; ${SUCCEEDED}; again in 600000; info NewArtifact`,
  ],
  [
    'tells Alerts nothing when nothing moved',
    { source: repository({ status: hasA }), outcome: { kind: 'unchanged', revision: 'main@sha1:a', isBriefly: true } },
    `done; ${SUCCEEDED}; again in 600000; trace GitOperationSucceeded`,
  ],
  [
    'tells in other words when all was cloned and nothing moved',
    { source: repository({ status: hasA }), outcome: { kind: 'unchanged', revision: 'main@sha1:a' } },
    `done; ${SUCCEEDED}; again in 600000; trace ArtifactUpToDate`,
  ],
  [
    'tells that it is well again',
    {
      source: repository({ status: { ...hasA, conditions: [{ ...ready, type: 'FetchFailed' }] } }),
      outcome: stored('a'),
    },
    `done; ${SUCCEEDED}; again in 600000; info Succeeded`,
  ],
  [
    'tells that it is well again, also when nothing is new',
    {
      source: repository({ status: { ...hasA, conditions: [{ ...ready, type: 'FetchFailed' }] } }),
      outcome: { kind: 'unchanged', revision: 'main@sha1:a', isBriefly: true },
    },
    `done; ${SUCCEEDED}; again in 600000; trace GitOperationSucceeded; info Succeeded`,
  ],
  [
    'tries a dead remote again soon',
    { outcome: failed, failures: 1 },
    `wait; ${RETRYING}; again in 750; error GitOperationFailed`,
  ],
  [
    'that is new is looked at again before a fault is told: what it lacks may have been applied with it',
    { outcome: failed, failures: 1, knownMs: 250 },
    'wait; nothing; again in 500',
  ],
  [
    'never waits longer for a dead remote than its interval',
    { outcome: failed, failures: 40 },
    `wait; ${RETRYING}; again in 600000; error GitOperationFailed`,
  ],
  [
    'says beside a failure that the last artifact is still there',
    { source: repository({ status: hasA }), outcome: failed, failures: 1 },
    `wait; ${RETRYING.replace('FetchFailed', 'ArtifactInStorage=True Succeeded | FetchFailed')}; again in 750; error GitOperationFailed`,
  ],
  [
    'puts what an older spec left behind what the new one has',
    {
      source: repository({
        status: { ...hasA, conditions: [ready, { ...ready, type: 'ArtifactInStorage', observedGeneration: -1 }] },
      }),
      outcome: failed,
      failures: 1,
    },
    `wait; ${RETRYING} | ArtifactInStorage=True Succeeded; again in 750; error GitOperationFailed`,
  ],
  [
    'stalls on what only a change can help',
    { outcome: { ...failed, reason: 'NotSupported', isStalled: true } },
    'done; Stalled=True NotSupported | Ready=False NotSupported | FetchFailed=True NotSupported; error NotSupported',
  ],
  [
    'tells no Alert of an include that is not there yet',
    { outcome: { ...failed, reason: 'NotFound', condition: 'IncludeUnavailable' }, failures: 1 },
    'wait; Reconciling=True ProgressingWithRetry | Ready=False NotFound | IncludeUnavailable=True NotFound; again in 750; trace NotFound',
  ],
  [
    'says that the artifact is behind when its files cannot be stored',
    {
      source: repository({ status: hasA }),
      outcome: { ...failed, condition: 'StorageOperationFailed', reason: 'CopyFailure', revision: 'main@sha1:b' },
      failures: 1,
    },
    'wait; Reconciling=True ProgressingWithRetry | Ready=False CopyFailure | ArtifactInStorage=True Succeeded | ArtifactOutdated=True NewRevision | StorageOperationFailed=True CopyFailure; again in 750; error CopyFailure',
  ],
]
for (const [it, seen, want] of cases)
  test(`a GitRepository ${it}`, () => assert.equal(show({ ...calm, ...seen }), want))

test('a failed look keeps the artifact of the last good one', () => {
  const decision = decideSource({ ...calm, source: repository({ status: hasA }), outcome: failed }, WORDS)
  assert.ok(decision.kind === 'wait')
  assert.deepEqual(decision.status.status?.['artifact'], hasA.artifact)
})

for (const keepsVerified of [true, false])
  test(`what was verified before verify was removed ${keepsVerified ? 'stays where no commit was fetched, as in Flux' : 'goes'}`, () => {
    const conditions = [...hasA.conditions, { ...ready, type: 'SourceVerified', message: 'verified' }]
    const source = repository({ status: { ...hasA, conditions, sourceVerificationMode: 'HEAD' } })
    const outcome = { kind: 'unchanged', revision: 'main@sha1:a', isBriefly: true, keepsVerified } as const
    const decision = decideSource({ ...calm, source, outcome }, WORDS)
    assert.ok(decision.kind === 'done')
    const status = decision.status.status as { sourceVerificationMode?: string; conditions: { type: string }[] }
    assert.equal(status.sourceVerificationMode, keepsVerified ? 'HEAD' : undefined)
    assert.equal(
      status.conditions.some(({ type }) => type === 'SourceVerified'),
      keepsVerified,
    )
  })

const broken: Extract<LookOutcome, { kind: 'failed' }> = { ...failed, condition: 'StorageOperationFailed' }
const observed = { ...hasA, observedGeneration: 1 }
const progresses: readonly [it: string, outcome: LookOutcome, status: object, want: string][] = [
  ['nothing was known', failed, {}, 'building artifact'],
  ['the spec has changed', failed, hasA, 'processing object: new generation -1 -> 1'],
  ['nothing has changed', failed, observed, 'reconciliation in progress'],
  ['the revision is known', { ...broken, revision: 'main@sha1:a' }, observed, 'reconciliation in progress'],
  [
    'the revision is new',
    { ...broken, revision: 'main@sha1:b' },
    observed,
    "building artifact: new upstream revision 'main@sha1:b'",
  ],
  [
    'it is not sure that it could be fetched',
    { ...failed, revision: 'main@sha1:b' },
    observed,
    'reconciliation in progress',
  ],
  [
    'other sources go in',
    { ...failed, includesDiffer: true },
    observed,
    'building artifact: included artifacts differ from last observed includes',
  ],
]
for (const [it, outcome, status, want] of progresses)
  test(`beside a failure stands how far it came: ${it}`, () => {
    const decision = decideSource({ ...calm, source: repository({ status }), outcome }, WORDS)
    assert.ok(decision.kind === 'wait')
    const conditions = decision.status.status?.['conditions'] as readonly { type: string; message: string }[]
    assert.equal(conditions.find(({ type }) => type === 'Reconciling')?.message, want)
  })

test('a suspended object without a status answers that it was asked', () => {
  const meta = { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } }
  const decision = decideSource({ ...calm, source: repository({ meta, spec: { suspend: true } }) }, WORDS)
  assert.ok(decision.kind === 'done')
  assert.deepEqual(decision.status.status, { lastHandledReconcileAt: 'now' })
})

test('what somebody else still holds after its deletion offers no artifact any more', () => {
  const meta = { ...deleted, generation: 2, finalizers: ['example.com/x'] }
  const source = repository({ meta, status: { ...hasA, observedGeneration: 1 } })
  const decision = decideSource({ ...calm, source }, WORDS)
  assert.ok(decision.kind === 'done')
  const { artifact: offered, observedGeneration } = decision.status.status ?? {}
  assert.deepEqual([offered, observedGeneration], [undefined, 2])
})
