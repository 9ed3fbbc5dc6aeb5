import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseImagePolicy, parseImageRepository, parseImageUpdateAutomation } from '../kinds/image.ts'
import type { KubeObject } from '../lib/kube/object.ts'
import { summarizeScan } from '../pipeline/image/scan.ts'
import { decideImagePolicy, type ImagePolicySeen } from './image-policy.ts'
import { decideImageRepository, imageFault, type ImageRepositorySeen } from './image-repository.ts'
import { type AutomationSeen, decideImageUpdateAutomation } from './image-update-automation.ts'

const object = (
  kind: string,
  spec: object,
  status: object = { observedGeneration: -1 },
  meta: object = {},
): KubeObject => ({
  apiVersion: 'image.toolkit.fluxcd.io/v1',
  kind,
  metadata: { name: 'app', namespace: 'ns', uid: 'u', generation: 1, finalizers: ['finalizers.fluxcd.io'], ...meta },
  spec,
  status,
})

/** `Type=Status Reason: message`, joined: what a person reads. */
function show(decision: { kind: string; status?: unknown; changes?: unknown }): string {
  if (decision.kind === 'act') return `act ${JSON.stringify(decision.changes)}`
  const written = decision.status as {
    status?: { conditions?: { type: string; status: string; reason: string; message: string }[] }
  }
  if (!written.status) return `${decision.kind} nothing`
  return (written.status.conditions ?? [])
    .map((one) => `${one.type}=${one.status} ${one.reason}: ${one.message}`)
    .join(' | ')
}

const repository = (spec: object = {}, status?: object, meta?: object) =>
  parseImageRepository(object('ImageRepository', { image: 'r.io/app', interval: '10m', ...spec }, status, meta))
const calmRepository: ImageRepositorySeen = {
  repository: repository(),
  nowMs: 0,
  random: 0.5,
  traps: 'safe',
  dueInMs: 0,
  hasTags: false,
  failures: 0,
}
const found = { kind: 'scanned' as const, result: summarizeScan(['1.0.0'], []) }
const repositories: readonly [it: string, seen: Partial<ImageRepositorySeen>, want: string][] = [
  ['gets its finalizer first', { repository: repository({}, undefined, { finalizers: [] }) }, 'act ["add finalizer"]'],
  [
    'loses it when deleted',
    { repository: repository({}, undefined, { deletionTimestamp: 'x' }) },
    'act ["remove finalizer"]',
  ],
  ['is left alone while suspended', { repository: repository({ suspend: true }) }, 'done nothing'],
  ['is scanned when due', {}, 'act ["scan"]'],
  ['waits when not due', { dueInMs: 1000 }, 'done nothing'],
  [
    'says what it found',
    { outcome: found },
    'Ready=True Succeeded: successful scan: found 1 tags with checksum 160432618',
  ],
  [
    'says what failed, and tries again',
    { outcome: { kind: 'failed', reason: 'ReadOperationFailed', message: 'scan failed: x' }, failures: 1 },
    'Reconciling=True ProgressingWithRetry: scanning: first scan | Ready=False ReadOperationFailed: scan failed: x',
  ],
  [
    'stalls on a tag in its image',
    { repository: repository({ image: 'r.io/app:1' }) },
    "Stalled=True ImageURLInvalid: image 'r.io/app:1' should not include a tag; remove ':1' | Ready=False ImageURLInvalid: image 'r.io/app:1' should not include a tag; remove ':1'",
  ],
]
for (const [it, seen, want] of repositories)
  test(`ImageRepository ${it}`, () => assert.equal(show(decideImageRepository({ ...calmRepository, ...seen })), want))

const hex = 'ab'.repeat(32)
const images: readonly [image: string, fault: string | undefined][] = [
  ['127.0.0.1:5000/app', undefined],
  ['nginx', undefined],
  ['https://r.io/app', "image 'https://r.io/app' should not include URL scheme; remove 'https://'"],
  ['r.io:5000/app:1', "image 'r.io:5000/app:1' should not include a tag; remove ':1'"],
  [`r.io/app@sha256:${hex}`, `image 'r.io/app@sha256:${hex}' should not include a tag; remove ':${hex}'`],
  ['r.io/app@sha256:ab', 'could not parse reference: r.io/app@sha256:ab'],
  ['r.io/APP', 'could not parse reference: r.io/APP'],
  ['r.io/app:', 'could not parse reference: r.io/app:'],
  ['r.io/x', 'could not parse reference: r.io/x'],
  ['x', 'could not parse reference: x'],
  ['r.io/a..b', undefined],
  ['r.io/a..b:1', "image 'r.io/a..b:1' should not include a tag; remove ':1'"],
  ['r io/ab', 'could not parse reference: r io/ab'],
  ['r.io:x/ab', 'could not parse reference: r.io:x/ab'],
  ['[::1]:5000/ab', undefined],
]
for (const [image, fault] of images)
  test(`spec.image ${image} is judged as by Flux`, () => assert.equal(imageFault(image), fault))

const policy = (spec: object = {}, status?: object) =>
  parseImagePolicy(
    object(
      'ImagePolicy',
      { imageRepositoryRef: { name: 'app' }, policy: { semver: { range: '1.x' } }, ...spec },
      status,
    ),
  )
const scanned = (...tags: string[]) => ({ kind: 'scanned' as const, image: 'r.io/app', tags, olderByMs: 60_000 })
const calmPolicy: ImagePolicySeen = {
  policy: policy(),
  repository: scanned('1.0.0', '1.1.0'),
  traps: 'safe',
  nowMs: 0,
  failures: 0,
  knownMs: 60_000,
  digestDueInMs: 0,
  isNewScan: false,
}
const reflecting = policy({ digestReflectionPolicy: 'IfNotPresent' })
const policies: readonly [it: string, seen: Partial<ImagePolicySeen>, want: string][] = [
  ['resolves', {}, 'Ready=True Succeeded: Latest image tag for r.io/app resolved to 1.1.0'],
  [
    'says what was before',
    { policy: policy({}, { latestRef: { name: 'r.io/app', tag: '1.0.0' } }) },
    'Ready=True Succeeded: Latest image tag for r.io/app resolved to 1.1.0 (previously r.io/app:1.0.0)',
  ],
  [
    'waits for the first scan',
    { repository: { kind: 'unscanned', wasScanned: false, isSuspended: false } },
    "Reconciling=True Progressing: ImageRepository 'ns/app' has not been scanned yet | Ready=Unknown Progressing: ImageRepository 'ns/app' has not been scanned yet",
  ],
  [
    'says that the first scan will not come',
    { repository: { kind: 'unscanned', wasScanned: false, isSuspended: true } },
    "Reconciling=True Progressing: ImageRepository 'ns/app' is suspended and has not been scanned | Ready=Unknown Progressing: ImageRepository 'ns/app' is suspended and has not been scanned",
  ],
  [
    'stalls on a rule that is none before there are tags, as in Flux',
    {
      policy: policy({ policy: {} }),
      repository: { kind: 'unscanned', wasScanned: false, isSuspended: false },
      traps: 'flux',
    },
    'Stalled=True InvalidPolicy: invalid policy: given ImagePolicyChoice object is invalid | Ready=False InvalidPolicy: invalid policy: given ImagePolicyChoice object is invalid',
  ],
  [
    'that is new waits for a repository that may have been applied with it',
    { repository: { kind: 'missing' }, knownMs: 250 },
    'wait nothing',
  ],
  [
    'names the repository that is missing',
    { repository: { kind: 'missing' } },
    'Reconciling=True ProgressingWithRetry: processing object: new generation -1 -> 1 | Ready=False DependencyNotReady: failed to get the referred ImageRepository: referenced ImageRepository does not exist: ImageRepository.image.toolkit.fluxcd.io "app" not found',
  ],
  [
    'says as Flux does that one made with its repository finds no tags yet, however soon they are there',
    { repository: { ...scanned('1.0.0'), olderByMs: 1000 }, traps: 'flux' },
    'Reconciling=True ProgressingWithRetry: processing object: new generation -1 -> 1 | Ready=False DependencyNotReady: retrying in 30s error: no tags in database',
  ],
  [
    'says it once',
    {
      policy: policy({}, { observedGeneration: -1, conditions: [{ type: 'Ready', status: 'False' }] }),
      repository: { ...scanned('1.0.0'), olderByMs: 1000 },
      traps: 'flux',
    },
    'Ready=True Succeeded: Latest image tag for r.io/app resolved to 1.0.0',
  ],
  [
    'says which tags there were and why none',
    { repository: scanned('2.0.0', 'latest') },
    'Reconciling=True ProgressingWithRetry: processing object: new generation -1 -> 1 | Ready=False Failure: unable to determine latest version from provided list: none of 2 tags qualifies: 2.0.0 (is outside 1.x), latest (is not a version)',
  ],
  [
    'says it as Flux does when asked',
    { repository: scanned('2.0.0'), traps: 'flux' },
    'Reconciling=True ProgressingWithRetry: processing object: new generation -1 -> 1 | Ready=False Failure: unable to determine latest version from provided list',
  ],
  [
    'stalls on a range that is none',
    { policy: policy({ policy: { semver: { range: 'nope' } } }) },
    'Stalled=True InvalidPolicy: invalid policy: improper constraint: "nope" | Ready=False InvalidPolicy: invalid policy: improper constraint: "nope"',
  ],
  [
    'reaches no other namespace where that is blocked',
    { repository: { kind: 'blocked' } },
    "Reconciling=True ProgressingWithRetry: processing object: new generation -1 -> 1 | Ready=False AccessDenied: failed to get the referred ImageRepository: cannot access 'ImageRepository/ns/app', cross-namespace references have been blocked",
  ],
  ['looks its digest up', { policy: reflecting }, 'act [{"kind":"look up digest","image":"r.io/app","tag":"1.1.0"}]'],
  [
    'reflects its digest',
    { policy: reflecting, digest: { kind: 'known', tag: '1.1.0', digest: 'sha256:ab' } },
    'Ready=True Succeeded: Latest image tag for r.io/app resolved to 1.1.0 with digest sha256:ab',
  ],
]
for (const [it, seen, want] of policies)
  test(`ImagePolicy ${it}`, () => assert.equal(show(decideImagePolicy({ ...calmPolicy, ...seen })), want))

const automation = (spec: object = {}, status?: object) =>
  parseImageUpdateAutomation(
    object(
      'ImageUpdateAutomation',
      { interval: '10m', sourceRef: { kind: 'GitRepository', name: 'app' }, git: {}, ...spec },
      status,
    ),
  )
const settled = {
  observedGeneration: 1,
  observedSourceRevision: 'main@sha1:a',
  observedPolicies: { app: { name: 'r.io/app', tag: '1.0.0' } },
  conditions: [
    { type: 'Ready', status: 'True', reason: 'Succeeded', message: 'repository up-to-date', lastTransitionTime: 'x' },
  ],
}
const calmAutomation: AutomationSeen = {
  automation: automation({}, settled),
  sourceRevision: 'main@sha1:a',
  lastSeenRevision: '',
  isSourceEdited: false,
  policies: { app: { name: 'r.io/app', tag: '1.0.0' } },
  traps: 'safe',
  crossNamespace: true,
  nowMs: 0,
  random: 0.5,
  dueInMs: 1000,
  failures: 0,
}
const template = automation({ git: { commit: { messageTemplate: '{{ .Updated.Images }}' } } })
const automations: readonly [it: string, seen: Partial<AutomationSeen>, want: string][] = [
  ['does nothing when nothing changed', {}, 'done nothing'],
  ['runs at first', { automation: automation() }, 'act ["run"]'],
  ['runs for another choice', { policies: { app: { name: 'r.io/app', tag: '1.1.0' } } }, 'act ["run"]'],
  ['runs for another revision', { sourceRevision: 'main@sha1:b' }, 'act ["run"]'],
  [
    'does not run for the revision under its own push',
    { sourceRevision: 'main@sha1:b', lastSeenRevision: 'main@sha1:b' },
    'done nothing',
  ],
  ['runs when its interval is over', { dueInMs: 0 }, 'act ["run"]'],
  [
    'reaches no other namespace where that is blocked',
    {
      automation: automation({ sourceRef: { kind: 'GitRepository', name: 'app', namespace: 'other' } }),
      crossNamespace: false,
    },
    "Stalled=True AccessDenied: can't access 'GitRepository/other/app', cross-namespace references have been blocked | Ready=False AccessDenied: can't access 'GitRepository/other/app', cross-namespace references have been blocked",
  ],
  ['takes old templates', { automation: template }, 'act ["run"]'],
  [
    'says that the branch is up to date',
    { outcome: { kind: 'up-to-date', sourceRevision: 'main@sha1:a', problems: [] } },
    'Ready=True Succeeded: repository up-to-date',
  ],
  [
    'names markers that it did not follow',
    {
      outcome: { kind: 'up-to-date', sourceRevision: 'main@sha1:a', problems: [{ where: 'a.yaml:3', problem: 'no' }] },
    },
    'Ready=True Succeeded: repository up-to-date; 1 marker was not followed: a.yaml:3: no',
  ],
  [
    'names the source that is missing',
    { sourceRevision: undefined },
    'Reconciling=True ProgressingWithRetry: reconciliation in progress | Ready=False SourceManagerFailed: failed configuring source manager: referenced git repository does not exist: GitRepository.source.toolkit.fluxcd.io "app" not found',
  ],
]
for (const [it, seen, want] of automations)
  test(`ImageUpdateAutomation ${it}`, () =>
    assert.equal(show(decideImageUpdateAutomation({ ...calmAutomation, ...seen })), want))

test('ImageUpdateAutomation stops at what only a change of the object can help', () => {
  const outcome = { kind: 'failed', reason: 'RemovedTemplateField', message: 'm', isStalled: true } as const
  const settledStatus = { observedGeneration: 1 }
  const faults: [seen: Partial<AutomationSeen>, want: RegExp][] = [
    [{ outcome }, /^Stalled=True RemovedTemplateField: m/],
    [
      {
        automation: automation({ policySelector: { matchExpressions: [{ key: 'a', operator: 'Is' }] } }, settledStatus),
      },
      /^Stalled=True InvalidPolicySelector: failed to parse policy selector: "Is" is not a valid label selector operator/,
    ],
    [
      {
        automation: automation({ policySelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } }, settledStatus),
      },
      /policy selector: values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty/,
    ],
    [
      { automation: automation({ git: { push: { refspec: '+main:main' } } }, settledStatus) },
      /^Stalled=True InvalidSourceConfiguration: push refspec must not specify a force update/,
    ],
    [
      { automation: automation({ git: { push: { refspec: ':main' } } }, settledStatus) },
      /^Stalled=True InvalidSourceConfiguration: push refspec must not specify a deletion/,
    ],
  ]
  for (const [seen, want] of faults)
    assert.match(show(decideImageUpdateAutomation({ ...calmAutomation, ...seen })), want)
})

test('a settled image object, looked at again, is written the same: a second run changes nothing', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const tags = Array.from({ length: seed % 7 }, (_, i) => `${(seed * (i + 3)) % 3}.${(seed + i) % 5}.${i}`)
    const range = ['1.x', '>=0.0.0', '~2.1', 'nope'][seed % 4]
    let seen: ImagePolicySeen = {
      ...calmPolicy,
      policy: policy({ policy: { semver: { range } } }),
      repository: scanned(...tags),
    }
    const first = decideImagePolicy(seen)
    assert.equal(first.kind, 'done')
    const status = first.kind === 'done' ? first.status.status! : {}
    seen = { ...seen, policy: policy({ policy: { semver: { range } } }, status) }
    const second = decideImagePolicy(seen)
    assert.deepEqual(second.kind === 'done' && { ...second.status.status }, withProgress(status, second))
    assert.equal(second.kind === 'done' && second.status.event, undefined)
  }
})

/** The progress text of a failure may move from the generation to "in progress"; all else stays. */
function withProgress(status: object, second: unknown): object {
  const { status: written } = (second as { status: { status: { conditions: object[] } } }).status
  return { ...status, conditions: written.conditions }
}

test('ImageUpdateAutomation shows the choices it ran with, so that one made meanwhile is not lost', () => {
  const ranWith = { app: { name: 'r.io/app', tag: '1.0.0' } }
  const policies = { app: { name: 'r.io/app', tag: '1.1.0' } }
  const outcome = { kind: 'up-to-date', sourceRevision: 'main@sha1:a', problems: [] } as const
  const decision = decideImageUpdateAutomation({ ...calmAutomation, policies, ranWith, outcome })
  assert.equal(decision.kind, 'done')
  assert.deepEqual(decision.kind === 'done' && decision.status.status?.['observedPolicies'], ranWith)
})

// Each trap in both settings: what Flux does, and what we do unless asked for it.
const changedPath = automation({ update: { path: './other' } }, { ...settled, observedGeneration: 0 })
const problems = [{ where: 'deploy.yaml:3', problem: '"ns:nope" names no ImagePolicy (known here: app)' }]
const done = { kind: 'up-to-date', sourceRevision: 'main@sha1:a', problems } as const
const traps: readonly [it: string, seen: Partial<AutomationSeen>, want: string][] = [
  ['a changed update.path takes effect at once', { automation: changedPath, traps: 'safe' }, 'act ["run"]'],
  ['a changed object asks the remote, as in Flux', { automation: changedPath, traps: 'flux' }, 'act ["run"]'],
  [
    'a run that found nothing new says so, as in Flux',
    { traps: 'flux', outcome: { ...done, isSkipped: true } },
    'Ready=True Succeeded: repository up-to-date',
  ],
  ['another spec of the source starts a run, as in Flux', { traps: 'flux', isSourceEdited: true }, 'act ["run"]'],
  [
    'a new revision of the source starts no run, as in Flux',
    { traps: 'flux', sourceRevision: 'main@sha1:b' },
    'done nothing',
  ],
  [
    'a marker that names nothing is said, with file and line',
    { outcome: done, traps: 'safe' },
    'Ready=True Succeeded: repository up-to-date; 1 marker was not followed: deploy.yaml:3: "ns:nope" names no ImagePolicy (known here: app)',
  ],
  [
    'a marker that names nothing is not said, as in Flux',
    { outcome: done, traps: 'flux' },
    'Ready=True Succeeded: repository up-to-date',
  ],
]
for (const [it, seen, want] of traps)
  test(`ImageUpdateAutomation: ${it}`, () =>
    assert.equal(show(decideImageUpdateAutomation({ ...calmAutomation, ...seen })), want))

test('ImagePolicy says that an interval is missing, and who may not use a repository', () => {
  const always = policy({ policy: { semver: { range: '*' } }, digestReflectionPolicy: 'Always' })
  assert.match(
    show(decideImagePolicy({ ...calmPolicy, policy: always })),
    /^Stalled=True IntervalNotConfigured: spec\.interval must be set/,
  )
  for (const [hasAccessFrom, why] of [
    [false, "due to missing ACL labels on 'accessFrom'"],
    [true, "due to ACL labels mismatch on namespace 'ns'"],
  ] as const)
    assert.ok(
      show(decideImagePolicy({ ...calmPolicy, repository: { kind: 'forbidden', hasAccessFrom } })).includes(why),
    )
})

test('ImageRepository leaves a registry alone for as long as it wants', () => {
  const outcome = { kind: 'failed', reason: 'ReadOperationFailed', message: 'busy', retryAfterMs: 3_600_000 } as const
  const decision = decideImageRepository({ ...calmRepository, outcome, failures: 1 })
  assert.equal(decision.kind === 'wait' && decision.afterMs, 3_600_000)
})

test('ImageRepository refuses the logins of clouds by name', () => {
  const cloud = parseImageRepository(object('ImageRepository', { image: 'r.io/app', interval: '1m', provider: 'aws' }))
  assert.match(
    show(decideImageRepository({ ...calmRepository, repository: cloud })),
    /^Stalled=True NotSupported: spec\.provider aws/,
  )
})

test('a policy that is none is told again, by Flux, at every scan', () => {
  const message = 'invalid policy: improper constraint: "nope"'
  const conditions = ['Stalled', 'Ready'].map((type) => ({
    type,
    status: type === 'Ready' ? 'False' : 'True',
    reason: 'InvalidPolicy',
    message,
    observedGeneration: 1,
    lastTransitionTime: '2026-01-01T00:00:00Z',
  }))
  const spec = { policy: { semver: { range: 'nope' } } }
  const known = policy(spec, { observedGeneration: 1, conditions })
  const isTold = (traps: 'safe' | 'flux', isNewScan: boolean): boolean => {
    const decision = decideImagePolicy({ ...calmPolicy, policy: known, traps, isNewScan })
    return decision.kind === 'done' && decision.status.event !== undefined
  }
  assert.deepEqual([isTold('flux', true), isTold('flux', false), isTold('safe', true)], [true, false, false])
})

test('an ImageRepository that others still hold shows that its deletion and the last request were seen', () => {
  const conditions = [{ type: 'Ready', status: 'True', reason: 'Succeeded', message: '', lastTransitionTime: '' }]
  const annotations = { 'reconcile.fluxcd.io/requestedAt': 'now' }
  const held = { deletionTimestamp: 'x', finalizers: ['example.com/x'], generation: 2, annotations }
  const statusOf = (meta: object): unknown => {
    const seen = { ...calmRepository, repository: repository({}, { conditions, observedGeneration: 1 }, meta) }
    const decision = decideImageRepository(seen)
    assert.ok(decision.kind === 'done')
    return decision.status.status
  }
  assert.deepEqual(statusOf(held), { conditions, observedGeneration: 2, lastHandledReconcileAt: 'now' })
  assert.equal(statusOf({ ...held, finalizers: [] }), undefined)
})
