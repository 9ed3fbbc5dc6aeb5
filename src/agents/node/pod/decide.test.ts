import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firstSeen } from '../../../../tests/support/seen-pod.ts'
import { restartDelayMs } from './backoff.ts'
import { withOthersConditions } from './conditions.ts'
import { decidePod, pullPolicyOf, type Run, type Seen, type Step } from './decide.ts'
import { freshHealth } from './probes/probe-state.ts'
import type { Container, Pod, PodSpec } from './shapes.ts'
import { renderPodStatus } from './status.ts'

const NOW = 1_000_000_000
const IMAGE = 'registry.sluice.local/web:1.0.0'
const web: Container = { name: 'web', image: IMAGE }
const setup: Container = { name: 'setup', image: IMAGE }
const sidecars = ['first', 'second'].map((name): Container => ({ name, image: IMAGE, restartPolicy: 'Always' }))

const pod = (spec: Partial<PodSpec> = {}, metadata: object = {}, status?: Pod['status']): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web-1', namespace: 'default', uid: 'u1', ...metadata },
  spec: { containers: [web], ...spec },
  ...(status === undefined ? {} : { status }),
})

const run = (name: string, over: Partial<Run> = {}): [string, Run] => [
  name,
  {
    uid: 'u1',
    container: name,
    attempt: 0,
    imageId: 'x@sha256:1',
    startedAtMs: NOW - 60_000,
    restartsInARow: 0,
    ...over,
  },
]

const exit = (code: number, agoMs = 0) => ({ code, signal: undefined, atMs: NOW - agoMs })

const calm: Seen = {
  ...firstSeen(pod(), NOW),
  sandbox: { uid: 'u1', ip: '10.42.0.2' },
  images: new Map([[IMAGE, { state: 'ready', id: 'x@sha256:1' }]]),
}

const leaving = { deletionTimestamp: '2026-11-23T00:00:00Z', deletionGracePeriodSeconds: 30 }

const cases: { it: string; seen: Partial<Seen>; steps: readonly Partial<Step>[]; againAtMs?: number }[] = [
  { it: 'makes a place first', seen: { sandbox: undefined }, steps: [{ do: 'setup' }] },
  {
    it: 'waits before it makes a place again',
    seen: { sandbox: undefined, setupFault: { reason: 'FailedMount', message: '', retryAtMs: NOW + 5, failures: 1 } },
    steps: [],
    againAtMs: NOW + 5,
  },
  { it: 'pulls what is not known', seen: { images: new Map() }, steps: [{ do: 'pull', policy: 'IfNotPresent' }] },
  { it: 'does not pull twice at once', seen: { images: new Map(), inFlight: new Set([`pull ${IMAGE}`]) }, steps: [] },
  {
    it: 'has no more patience with a container than a later deletion gives it',
    seen: {
      pod: pod({}, { ...leaving, deletionGracePeriodSeconds: 5 }),
      runs: new Map([run('web')]),
      drain: 'done',
      stopping: new Map([['web', { killAtMs: NOW + 20_000 }]]),
    },
    steps: [{ do: 'hurry', container: 'web', graceMs: 5_000 }],
  },
  {
    it: 'gives the time after a hook though the grace is shorter',
    seen: {
      pod: pod({}, { ...leaving, deletionGracePeriodSeconds: 5 }),
      runs: new Map([run('web')]),
      drain: 'done',
      stopping: new Map([['web', { killAtMs: NOW + 7_000 }]]),
    },
    steps: [],
    againAtMs: NOW + 7_000,
  },
  {
    it: 'leaves a sidecar the patience that it was given a moment after it was decided, with the time after its hook',
    seen: {
      pod: pod({ initContainers: sidecars }, { ...leaving, deletionTimestamp: new Date(NOW + 9_000).toISOString() }),
      runs: new Map([run('second'), run('web', { exit: exit(0) })]),
      drain: 'done',
      stopping: new Map([['second', { killAtMs: NOW + 9_000 + 40 + 2_000 }]]),
    },
    steps: [],
    againAtMs: NOW + 11_040,
  },
  {
    it: 'has no more patience with a sidecar than a later deletion gives it',
    seen: {
      pod: pod({ initContainers: sidecars }, { ...leaving, deletionGracePeriodSeconds: 5 }),
      runs: new Map([run('second'), run('web', { exit: exit(0) })]),
      drain: 'done',
      stopping: new Map([['second', { killAtMs: NOW + 20_000 }]]),
    },
    steps: [{ do: 'hurry', container: 'second', graceMs: 5_000 }],
  },
  {
    it: 'starts a container again that ended after now: the clock was set back',
    seen: { runs: new Map([run('web', { restartsInARow: 5, exit: exit(1, -3_600_000) })]) },
    steps: [{ do: 'start', container: 'web' }],
  },
  {
    it: 'does not wait longer than the longest pause for what failed before the clock was set back',
    seen: {
      images: new Map([
        [IMAGE, { state: 'failed', reason: 'ErrImagePull', message: '', retryAtMs: NOW + 3_600_000, failures: 1 }],
      ]),
    },
    steps: [{ do: 'pull' }],
  },
  { it: 'starts the container', seen: {}, steps: [{ do: 'start', attempt: 0, restartsInARow: 0 }] },
  { it: 'leaves a running container alone', seen: { runs: new Map([run('web')]) }, steps: [] },
  {
    it: 'runs init containers first',
    seen: { pod: pod({ initContainers: [setup] }) },
    steps: [{ do: 'start', container: 'setup' }],
  },
  {
    it: 'waits for an init container',
    seen: { pod: pod({ initContainers: [setup] }), runs: new Map([run('setup')]) },
    steps: [],
  },
  {
    it: 'ends what runs in a network that is gone, sidecars last, before it makes a new place',
    seen: {
      pod: pod({ initContainers: sidecars }),
      ...{ sandbox: undefined, isCutOff: true },
      runs: new Map([run('first'), run('second'), run('web')]),
    },
    steps: [{ do: 'stop', container: 'web', graceMs: 30_000, why: 'Stopping container web' }],
  },
  {
    it: 'makes a new place when nothing runs in the one that is gone',
    seen: { sandbox: undefined, isCutOff: true, runs: new Map([run('web', { exit: exit(143) })]) },
    steps: [{ do: 'setup' }],
  },
  {
    it: 'makes no new place for a pod whose containers are not started again',
    seen: {
      pod: pod({ restartPolicy: 'Never' }),
      ...{ sandbox: undefined, isCutOff: true, runs: new Map([run('web', { exit: exit(143) })]) },
    },
    steps: [],
  },
  {
    it: 'begins in a new place with its init containers',
    seen: {
      pod: pod({ initContainers: [setup, sidecars[0] ?? setup] }),
      runs: new Map(
        ['setup', 'first', 'web'].map((name) => run(name, { exit: exit(name === 'web' ? 1 : 0), isElsewhere: true })),
      ),
    },
    steps: [{ do: 'start', container: 'setup', attempt: 1 }],
  },
  {
    it: 'goes on in a new place after the init container, with the sidecars first',
    seen: {
      pod: pod({ initContainers: [setup, sidecars[0] ?? setup] }),
      runs: new Map([
        run('setup', { attempt: 1, exit: exit(0) }),
        ...['first', 'web'].map((name) => run(name, { exit: exit(1), isElsewhere: true })),
      ]),
    },
    steps: [{ do: 'start', container: 'first', attempt: 1 }],
  },
  {
    it: 'ends a sidecar that is not well in the words for init containers',
    seen: {
      pod: pod({ initContainers: [sidecars[0] ?? setup] }),
      runs: new Map([run('first'), run('web')]),
      health: new Map([['first', { ...freshHealth(sidecars[0] ?? setup), failed: 'liveness' }]]),
    },
    steps: [{ do: 'stop', container: 'first', why: 'Init container first failed liveness probe' }],
  },
  {
    it: 'goes on after the init container',
    seen: { pod: pod({ initContainers: [setup] }), runs: new Map([run('setup', { exit: exit(0) })]) },
    steps: [{ do: 'start', container: 'web' }],
  },
  {
    it: 'starts beside a sidecar',
    seen: {
      pod: pod({ initContainers: [{ ...setup, restartPolicy: 'Always' }] }),
      runs: new Map([run('setup')]),
      health: new Map([['setup', freshHealth(setup)]]),
    },
    steps: [{ do: 'start', container: 'web' }],
  },
  {
    it: 'restarts at once the first time',
    seen: { runs: new Map([run('web', { exit: exit(1) })]) },
    steps: [{ do: 'start', attempt: 1, restartsInARow: 1 }],
  },
  {
    it: 'waits 10 s the second time',
    seen: { runs: new Map([run('web', { attempt: 1, restartsInARow: 1, exit: exit(1) })]) },
    steps: [],
    againAtMs: NOW + 10_000,
  },
  {
    it: 'forgets restarts after ten quiet minutes',
    seen: { runs: new Map([run('web', { restartsInARow: 5, startedAtMs: NOW - 700_000, exit: exit(1) })]) },
    steps: [{ do: 'start', restartsInARow: 1 }],
  },
  {
    it: 'does not restart by policy Never',
    seen: { pod: pod({ restartPolicy: 'Never' }), runs: new Map([run('web', { exit: exit(1) })]) },
    steps: [],
  },
  {
    it: 'does not restart what ended well by OnFailure',
    seen: { pod: pod({ restartPolicy: 'OnFailure' }), runs: new Map([run('web', { exit: exit(0) })]) },
    steps: [],
  },
  {
    it: 'stops what fails its liveness probe',
    seen: { runs: new Map([run('web')]), health: new Map([['web', { ...freshHealth(web), failed: 'liveness' }]]) },
    steps: [{ do: 'stop', graceMs: 30_000, why: 'Container web failed liveness probe, will be restarted' }],
  },
  {
    it: 'has the patience of the probe that ends it',
    seen: {
      pod: pod({
        containers: [{ ...web, livenessProbe: { terminationGracePeriodSeconds: 3 } }],
        restartPolicy: 'Never',
      }),
      runs: new Map([run('web')]),
      health: new Map([['web', { ...freshHealth(web), failed: 'liveness' }]]),
    },
    steps: [{ do: 'stop', graceMs: 3_000, why: 'Container web failed liveness probe' }],
  },
  {
    it: 'starts a container by its own policy',
    seen: {
      pod: pod({ restartPolicy: 'Never', containers: [{ ...web, restartPolicy: 'OnFailure' }] }),
      runs: new Map([run('web', { exit: exit(1) })]),
    },
    steps: [{ do: 'start' }],
  },
  {
    it: 'ends its sidecars when its containers are over',
    seen: {
      pod: pod({ restartPolicy: 'Never', initContainers: sidecars }),
      runs: new Map([run('first'), run('second'), run('web', { exit: exit(0) })]),
    },
    steps: [{ do: 'stop', container: 'second', why: 'Stopping container second' }],
  },
  {
    it: 'ends containers before sidecars',
    seen: {
      pod: pod({ initContainers: sidecars }, leaving),
      runs: new Map([run('first'), run('second'), run('web')]),
      drain: 'done',
    },
    steps: [{ do: 'stop', container: 'web', graceMs: 30_000 }],
  },
  {
    it: 'gives sidecars what is left of its patience',
    seen: {
      pod: pod({ initContainers: sidecars }, { ...leaving, deletionTimestamp: new Date(NOW + 9_000).toISOString() }),
      runs: new Map([run('first'), run('second'), run('web', { exit: exit(0) })]),
      drain: 'done',
    },
    steps: [{ do: 'stop', container: 'second', graceMs: 9_000 }],
  },
  {
    it: 'gives sidecars two seconds when nothing is left',
    seen: {
      pod: pod({ initContainers: sidecars }, { ...leaving, deletionTimestamp: new Date(NOW - 9_000).toISOString() }),
      runs: new Map([run('first'), run('second', { exit: exit(0) }), run('web', { exit: exit(0) })]),
      drain: 'done',
    },
    steps: [{ do: 'stop', container: 'first', graceMs: 2_000 }],
  },
  {
    it: 'ends everything at once when it is evicted',
    seen: {
      pod: pod({ initContainers: sidecars }),
      runs: new Map([run('first'), run('second'), run('web')]),
      evicted: { reason: 'Evicted', message: '' },
    },
    steps: [{ do: 'kill' }, { do: 'kill' }, { do: 'kill' }],
  },
  {
    it: 'has no patience left when it is deleted by force',
    seen: {
      pod: pod({}, { ...leaving, deletionGracePeriodSeconds: 0 }),
      runs: new Map([run('web')]),
      stopping: new Map([['web', { killAtMs: NOW + 20_000 }]]),
    },
    steps: [{ do: 'kill' }],
  },
  {
    it: 'drains before anything is stopped',
    seen: { pod: pod({}, leaving), runs: new Map([run('web')]) },
    steps: [{ do: 'drain', timeoutMs: 10_000 }],
  },
  {
    it: 'stops when drained',
    seen: { pod: pod({}, leaving), runs: new Map([run('web')]), drain: 'done' },
    steps: [{ do: 'stop', graceMs: 30_000 }],
  },
  {
    it: 'waits for what was told to stop',
    seen: {
      pod: pod({}, leaving),
      runs: new Map([run('web')]),
      drain: 'done',
      stopping: new Map([['web', { killAtMs: NOW + 9 }]]),
    },
    steps: [],
    againAtMs: NOW + 9,
  },
  {
    it: 'kills when patience ends',
    seen: {
      pod: pod({}, leaving),
      runs: new Map([run('web')]),
      drain: 'done',
      stopping: new Map([['web', { killAtMs: NOW }]]),
    },
    steps: [{ do: 'kill' }],
  },
  {
    it: 'kills at once without grace',
    seen: { pod: pod({}, { ...leaving, deletionGracePeriodSeconds: 0 }), runs: new Map([run('web')]) },
    steps: [{ do: 'kill' }],
  },
  {
    it: 'takes the place away',
    seen: { pod: pod({}, leaving), runs: new Map([run('web', { exit: exit(0) })]) },
    steps: [{ do: 'teardown' }],
  },
  { it: 'finishes', seen: { pod: pod({}, leaving), sandbox: undefined }, steps: [{ do: 'finish' }] },
  {
    it: 'starts nothing after its deadline',
    seen: {
      pod: pod({ activeDeadlineSeconds: 1 }, {}, { startTime: new Date(NOW - 5_000).toISOString() }),
      runs: new Map([run('web')]),
    },
    steps: [{ do: 'stop', why: 'Stopping container web' }],
  },
]
for (const { it, seen, steps, againAtMs } of cases)
  test(`a pod ${it}`, () => {
    const decision = decidePod({ ...calm, ...seen })
    assert.equal(decision.steps.length, steps.length, JSON.stringify(decision.steps))
    steps.forEach((want, index) => assert.deepEqual({ ...decision.steps[index], ...want }, decision.steps[index]))
    if (againAtMs !== undefined) assert.equal(decision.againAtMs, againAtMs)
  })

test('restarts wait 0, 10, 20 … 300 seconds', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6, 7, 20].map(restartDelayMs),
    [0, 10, 20, 40, 80, 160, 300, 300].map((s) => s * 1000),
  )
})

test('latest and no tag are pulled always, a version only when it is not there', () => {
  const policy = (image: string, imagePullPolicy?: string) =>
    pullPolicyOf({ ...web, image, ...(imagePullPolicy ? { imagePullPolicy } : {}) })
  for (const image of ['web', 'web:latest', 'host:5000/web']) assert.equal(policy(image), 'Always')
  for (const image of ['h:5000/a/web:1', 'web:1.0.0', 'web@sha256:ab']) assert.equal(policy(image), 'IfNotPresent')
  assert.equal(policy('web:1', 'Always'), 'Always')
  assert.equal(policy('web', 'Never'), 'Never')
})

const statuses: { it: string; seen: Partial<Seen>; phase: string; ready: string; state: string }[] = [
  { it: 'Pending while it is made', seen: {}, phase: 'Pending', ready: 'False', state: 'ContainerCreating' },
  {
    it: 'Running and ready',
    seen: { runs: new Map([run('web')]), health: new Map([['web', freshHealth(web)]]) },
    phase: 'Running',
    ready: 'True',
    state: 'running',
  },
  {
    it: 'still ready while it leaves',
    seen: { pod: pod({}, leaving), runs: new Map([run('web')]), health: new Map([['web', freshHealth(web)]]) },
    phase: 'Running',
    ready: 'True',
    state: 'running',
  },
  {
    it: 'not ready without its gates',
    seen: {
      pod: pod({ readinessGates: [{ conditionType: 'example.com/a' }] }),
      runs: new Map([run('web')]),
      health: new Map([['web', freshHealth(web)]]),
    },
    phase: 'Running',
    ready: 'False',
    state: 'running',
  },
  {
    it: 'not ready without its sidecar, and initialized',
    seen: {
      pod: pod({ initContainers: sidecars.slice(1) }),
      runs: new Map([run('second', { exit: exit(1) }), run('web')]),
      health: new Map([['web', freshHealth(web)]]),
    },
    phase: 'Running',
    ready: 'False',
    state: 'running',
  },
  {
    it: 'in creation until its hook is through',
    seen: {
      pod: pod({ containers: [{ ...web, lifecycle: { postStart: { exec: {} } } }] }),
      runs: new Map([run('web')]),
      inFlight: new Set(['start web']),
    },
    phase: 'Running',
    ready: 'False',
    state: 'ContainerCreating',
  },
  {
    it: 'Running until its sidecar has ended, too',
    seen: {
      pod: pod({ restartPolicy: 'Never', initContainers: sidecars.slice(1) }, {}, { phase: 'Running' }),
      runs: new Map([run('second'), run('web', { exit: exit(0) })]),
    },
    phase: 'Running',
    ready: 'False',
    state: 'Completed',
  },
  {
    it: 'Succeeded when its sidecar was ended',
    seen: {
      pod: pod({ restartPolicy: 'Never', initContainers: sidecars.slice(1) }, {}, { phase: 'Running' }),
      runs: new Map([run('second', { exit: exit(137) }), run('web', { exit: exit(0) })]),
    },
    phase: 'Succeeded',
    ready: 'False',
    state: 'Completed',
  },
  {
    it: 'Running until what its deadline ends has ended',
    seen: {
      pod: pod({ activeDeadlineSeconds: 1 }, {}, { phase: 'Running', startTime: new Date(NOW - 5_000).toISOString() }),
      runs: new Map([run('web')]),
    },
    phase: 'Running',
    ready: 'False',
    state: 'running',
  },
  {
    it: 'waiting for the next try of its image',
    seen: {
      images: new Map([
        [IMAGE, { state: 'failed', reason: 'ErrImagePull', message: 'no', retryAtMs: NOW + 1, failures: 1 }],
      ]),
    },
    phase: 'Pending',
    ready: 'False',
    state: 'ImagePullBackOff',
  },
  {
    it: 'in CrashLoopBackOff',
    seen: { runs: new Map([run('web', { attempt: 3, restartsInARow: 3, exit: exit(1) })]) },
    phase: 'Running',
    ready: 'False',
    state: 'CrashLoopBackOff',
  },
  {
    it: 'Succeeded',
    seen: { pod: pod({ restartPolicy: 'Never' }), runs: new Map([run('web', { exit: exit(0) })]) },
    phase: 'Succeeded',
    ready: 'False',
    state: 'Completed',
  },
  {
    it: 'Failed',
    seen: { pod: pod({ restartPolicy: 'Never' }), runs: new Map([run('web', { exit: exit(2) })]) },
    phase: 'Failed',
    ready: 'False',
    state: 'Error',
  },
  {
    it: 'without its image',
    seen: {
      images: new Map([
        [IMAGE, { state: 'failed', reason: 'ErrImagePull', message: 'no', retryAtMs: NOW, failures: 1 }],
      ]),
    },
    phase: 'Pending',
    ready: 'False',
    state: 'ErrImagePull',
  },
  {
    it: 'Failed when it leaves before it ran',
    seen: { pod: pod({}, leaving) },
    phase: 'Failed',
    ready: 'False',
    state: 'ContainerStatusUnknown',
  },
  {
    it: 'Pending while it leaves and still starts',
    seen: { pod: pod({}, leaving), inFlight: new Set(['start web']) },
    phase: 'Pending',
    ready: 'False',
    state: 'ContainerCreating',
  },
  {
    it: 'Succeeded when it was stopped and ended well',
    seen: { pod: pod({}, leaving), runs: new Map([run('web', { exit: exit(0) })]) },
    phase: 'Succeeded',
    ready: 'False',
    state: 'Completed',
  },
]
for (const { it, seen, phase, ready, state } of statuses)
  test(`a pod is shown ${it}`, () => {
    const status = renderPodStatus({ ...calm, ...seen }, '10.42.0.1')
    const shown = status.containerStatuses?.[0]?.state
    assert.equal(status.phase, phase)
    assert.equal(status.conditions?.find(({ type }) => type === 'Ready')?.status, ready)
    assert.equal(shown?.running ? 'running' : (shown?.waiting?.reason ?? shown?.terminated?.reason), state)
  })

test('a pod that failed says nothing of a deadline; one that was late does, once nothing of it runs', () => {
  const failed = { pod: pod({ restartPolicy: 'Never' }), runs: new Map([run('web', { exit: exit(2) })]) }
  const first = renderPodStatus({ ...calm, ...failed }, '10.42.0.1')
  const second = renderPodStatus({ ...calm, ...failed, pod: { ...failed.pod, status: first } }, '10.42.0.1')
  assert.equal(second.phase, 'Failed')
  assert.equal(second.reason, undefined)
  const late = pod({ activeDeadlineSeconds: 1 }, {}, { startTime: new Date(NOW - 5_000).toISOString() })
  const ended = new Map([run('web', { exit: exit(143) })])
  const status = renderPodStatus({ ...calm, pod: late, runs: ended }, '10.42.0.1')
  assert.deepEqual([status.phase, status.reason], ['Failed', 'DeadlineExceeded'])
  const again = renderPodStatus({ ...calm, pod: { ...late, status }, runs: ended }, '10.42.0.1')
  assert.deepEqual([again.phase, again.reason, again.message], ['Failed', 'DeadlineExceeded', status.message])
})

test('last messages of all containers together are limited', () => {
  const names = ['a', 'b', 'c']
  const containers = names.map((name): Container => ({ ...web, name }))
  const runs = new Map(names.map((name) => run(name, { exit: exit(1), message: 'x'.repeat(4096 + names.length) })))
  const { containerStatuses = [] } = renderPodStatus(
    { ...calm, pod: pod({ containers, restartPolicy: 'Never' }), runs },
    '10.42.0.1',
  )
  assert.deepEqual(
    containerStatuses.map(({ state }) => state.terminated?.message?.length),
    [4096, 4096, 4096],
  )
})

test('a status that was written is rendered the same again', () => {
  const seen = { ...calm, runs: new Map([run('web')]), health: new Map([['web', freshHealth(web)]]) }
  const status = renderPodStatus(seen, '10.42.0.1')
  assert.deepEqual(renderPodStatus({ ...seen, nowMs: NOW + 5_000, pod: pod({}, {}, status) }, '10.42.0.1'), status)
})

test('conditions of others come and go as the object shows them', () => {
  const own = renderPodStatus(calm, '10.42.0.1')
  const target = { type: 'DisruptionTarget', status: 'True' }
  const marked = withOthersConditions(own, { conditions: [{ type: 'Ready', status: 'True' }, target] })
  assert.deepEqual(marked.conditions, [...(own.conditions ?? []), target])
  assert.deepEqual(renderPodStatus({ ...calm, pod: pod({}, {}, marked) }, '10.42.0.1'), marked)
  assert.deepEqual(withOthersConditions(marked, {}), own)
})
