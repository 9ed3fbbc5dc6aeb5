import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firstSeen } from '../../../../tests/support/seen-pod.ts'
import { decidePod, type Run, type Seen } from './decide.ts'
import type { Pod, PodSpec, PodStatus } from './shapes.ts'
import { renderPodStatus } from './status.ts'

const NOW = 1_000_000_000
const TIME = '1970-01-12T13:46:40Z'
const pod = (status: PodStatus): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default', uid: 'u', generation: 2 },
  spec: { containers: [{ name: 'web', image: 'i' }] },
  status,
})
const calm = firstSeen(pod({}), NOW)

test('of a pod that its node did not take nothing is said but why, however often it is looked at', () => {
  const refused: PodStatus = {
    qosClass: 'Burstable',
    phase: 'Failed',
    reason: 'OutOfcpu',
    message: 'Pod was rejected: no',
    conditions: [
      { type: 'PodScheduled', status: 'True' },
      { type: 'example.com/of-others', status: 'True' },
    ],
  }
  const status = renderPodStatus({ ...calm, pod: pod(refused) }, '10.0.0.1')
  assert.deepEqual(status, {
    ...refused,
    observedGeneration: 2,
    conditions: [{ type: 'example.com/of-others', status: 'True' }],
    startTime: TIME,
  })
  assert.deepEqual(renderPodStatus({ ...calm, nowMs: NOW + 5_000, pod: pod(status) }, '10.0.0.1'), status)
})

const run = (container: string, code?: number, restartsInARow = 0): [string, Run] => {
  const exit = code === undefined ? {} : { exit: { code, signal: undefined, atMs: NOW - 1_000 } }
  return [
    container,
    { uid: 'u', container, attempt: 1, imageId: 'x', startedAtMs: NOW - 5_000, restartsInARow, ...exit },
  ]
}
const sidecar = { name: 'side', image: 'i', restartPolicy: 'Always' }
const beside: PodSpec = { containers: [{ name: 'web', image: 'i' }], initContainers: [sidecar], restartPolicy: 'Never' }
const seenWith = (spec: PodSpec, ...runs: [string, Run][]): Seen => ({
  ...calm,
  pod: { ...pod({ phase: 'Pending' }), spec },
  sandbox: { uid: 'u', ip: '10.42.0.2' },
  runs: new Map(runs),
})

// as v1.37.2 answers (getPhase, convertToAPIContainerStatuses)
const phases: { it: string; runs: [string, Run][]; want: string }[] = [
  { it: 'waits for its container', runs: [run('side')], want: 'Pending' },
  { it: 'runs', runs: [run('side'), run('web')], want: 'Running' },
  { it: 'goes on while its sidecar runs', runs: [run('side'), run('web', 0)], want: 'Running' },
  { it: 'goes on while its sidecar runs after a failure', runs: [run('side'), run('web', 1)], want: 'Running' },
  { it: 'is done', runs: [run('side', 137), run('web', 0)], want: 'Succeeded' },
  { it: 'has failed', runs: [run('side', 0), run('web', 1)], want: 'Failed' },
]
for (const { it, runs, want } of phases)
  test(`a pod with a sidecar ${it}: ${want}`, () => {
    assert.equal(renderPodStatus(seenWith(beside, ...runs), '10.0.0.1').phase, want)
  })

test('a sidecar that ended well is shown as it ended, one that failed as it waits', () => {
  const stateOf = (code: number) => {
    const seen = seenWith(beside, run('side', code, 3), run('web'))
    return Object.keys(renderPodStatus(seen, '10.0.0.1').initContainerStatuses?.[0]?.state ?? {})
  }
  assert.deepEqual(stateOf(0), ['terminated'])
  assert.deepEqual(stateOf(1), ['waiting'])
})

const anew = { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [42] } }
const together: PodSpec = {
  containers: [
    { name: 'web', image: 'i', restartPolicy: 'Never', restartPolicyRules: [anew] },
    { name: 'other', image: 'i' },
  ],
  initContainers: [{ name: 'init', image: 'i' }],
}
const restartingOf = (seen: Seen) =>
  renderPodStatus(seen, '10.0.0.1').conditions?.find(({ type }) => type === 'AllContainersRestarting')?.status

test('all containers are ended, then forgotten, then begin as those of a new pod, when one ends by such a rule', () => {
  const started = { images: new Map([['i', { state: 'ready', id: 'x' } as const]]) }
  const inRun = { ...seenWith(together, run('init', 0), run('web', 42), run('other')), ...started }
  assert.deepEqual(decidePod(inRun).steps, [{ do: 'kill', container: 'other' }])
  assert.equal(restartingOf(inRun), 'True')
  const ended = { ...inRun, runs: new Map([run('init', 0), run('web', 42), run('other', 137)]) }
  assert.deepEqual(decidePod(ended).steps, [{ do: 'reset' }])
  const reset = { ...inRun, runs: new Map(), former: ended.runs }
  assert.deepEqual(decidePod(reset).steps, [{ do: 'start', container: 'init', attempt: 2, restartsInARow: 0 }])
  assert.equal(restartingOf(reset), 'False')
})

test('who ends so again and again waits before it begins anew, the others do not', () => {
  const former = new Map([run('init', 0), run('web', 42, 3), run('other', 137)])
  const images = new Map([['i', { state: 'ready', id: 'x' } as const]])
  const seen = { ...seenWith(together, run('init', 0)), former, images }
  const { steps, againAtMs } = decidePod(seen)
  assert.deepEqual(
    steps.map((step) => 'container' in step && step.container),
    ['other'],
  )
  assert.equal(againAtMs, NOW - 1_000 + 40_000)
})

test('the status of what begins anew is that of the original', () => {
  const former = new Map([run('init', 0), run('web', 42), run('other', 137)])
  const seen = { ...seenWith(together), former }
  const status = renderPodStatus({ ...seen, pod: { ...seen.pod, status: { phase: 'Running' } } }, '10.0.0.1')
  const message = 'The container is removed because RestartAllContainers in place'
  const [web] = status.containerStatuses ?? []
  assert.equal(status.phase, 'Running')
  assert.equal(web?.restartCount, 2)
  assert.deepEqual(web?.state, { waiting: { reason: 'RestartingAllContainers', message } })
  assert.deepEqual(web?.lastState, { terminated: { exitCode: 137, reason: 'RestartingAllContainers', message } })
})

test('a container is shown with its mounts and, once it began, with who it is and what it was given', () => {
  const volumeMounts = [
    { name: 'a', mountPath: '/a' },
    { name: 'b', mountPath: '/b', readOnly: true },
    { name: 'c', mountPath: '/c', readOnly: true, recursiveReadOnly: 'IfPossible' },
  ]
  const shown = [
    { name: 'a', mountPath: '/a' },
    { name: 'b', mountPath: '/b', readOnly: true, recursiveReadOnly: 'Disabled' },
    { name: 'c', mountPath: '/c', readOnly: true, recursiveReadOnly: 'Enabled' },
  ]
  const spec: PodSpec = { containers: [{ name: 'web', image: 'i', volumeMounts }], restartPolicy: 'Never' }
  const before = renderPodStatus(seenWith(spec), '10.0.0.1').containerStatuses?.[0]
  assert.deepEqual(before?.volumeMounts, shown)
  assert.equal(before?.user, undefined)
  const requests = { cpu: '1' }
  const [name, ended] = run('web', 1)
  const user = { uid: 1000, gid: 3000, groups: [3000, 4000] }
  const given = new Map([['web', { requests }]])
  const after = renderPodStatus({ ...seenWith(spec, [name, { ...ended, user }]), given }, '10.0.0.1')
  const status = after.containerStatuses?.[0]
  assert.deepEqual(status?.user, { linux: { uid: 1000, gid: 3000, supplementalGroups: [3000, 4000] } })
  assert.deepEqual([status?.resources, status?.allocatedResources], [{ requests }, requests])
})

test('a pod without a place waits by the reason of a kubelet, and says what it waits for', () => {
  const setupFault = { reason: 'FailedMount', message: 'configmap "x" not found', retryAtMs: NOW, failures: 1 }
  const seen = { ...seenWith({ containers: [{ name: 'web', image: 'i' }] }), sandbox: undefined, setupFault }
  const { state } = renderPodStatus(seen, '10.0.0.1').containerStatuses?.[0] ?? {}
  assert.deepEqual(state, { waiting: { reason: 'ContainerCreating', message: 'configmap "x" not found' } })
})
