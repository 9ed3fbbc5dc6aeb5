import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../lib/kube/object.ts'
import { causeOfPod, causeOfWorkload, firstCauses, workloadOf } from './first-cause.ts'

const probe = { httpGet: { path: '/health', port: 'http' } }
const pod = (status: object, metadata: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web-6f-x',
    namespace: 'default',
    labels: { 'pod-template-hash': '6f' },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-6f', uid: '1', controller: true }],
    ...metadata,
  },
  spec: { containers: [{ name: 'web', readinessProbe: probe }] },
  status,
})
const container = (fields: object): object => ({ containerStatuses: [{ name: 'web', ready: false, ...fields }] })

const event = (probe: string, met: string, second: number, container = 'web'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: `e${second}` },
  involvedObject: { uid: 'p', fieldPath: `spec.containers{${container}}` },
  message: `${probe} probe failed: ${met}`,
  lastTimestamp: `2026-01-01T00:00:0${second}Z`,
})

const cases: { it: string; pod: KubeObject; unhealthy?: KubeObject[]; want: string | undefined }[] = [
  { it: 'says nothing of a ready pod', pod: pod({ conditions: [{ type: 'Ready', status: 'True' }] }), want: undefined },
  {
    it: 'says nothing of a pod on its way out',
    pod: pod(container({}), { deletionTimestamp: 'now' }),
    want: undefined,
  },
  {
    it: 'names the image that is not there',
    pod: pod(container({ state: { waiting: { reason: 'ImagePullBackOff', message: 'not in the registry' } } })),
    want: 'pod web-6f-x: container web waits: ImagePullBackOff (not in the registry)',
  },
  {
    it: 'names the login that a registry refuses',
    pod: {
      ...pod(container({ state: { waiting: { reason: 'ErrImagePull', message: 'status 401, UNAUTHORIZED' } } })),
      spec: { containers: [{ name: 'web' }], imagePullSecrets: [{ name: 'pull' }] },
    },
    want: 'pod web-6f-x: container web waits: ErrImagePull (status 401, UNAUTHORIZED); look at its imagePullSecrets: Secret default/pull',
  },
  {
    it: 'says that a registry was shown no login',
    pod: pod(container({ state: { waiting: { reason: 'ImagePullBackOff', message: 'DENIED: no access' } } })),
    want: 'pod web-6f-x: container web waits: ImagePullBackOff (DENIED: no access); the pod has no imagePullSecrets',
  },
  {
    it: 'says how a container that crashes ended',
    pod: pod(
      container({ state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { exitCode: 1 } } }),
    ),
    want: 'pod web-6f-x: container web ended with exit code 1 (sluice logs pod/web-6f-x -p -n default)',
  },
  {
    it: 'says how much memory was too little',
    pod: {
      ...pod(container({ state: { terminated: { exitCode: 137, reason: 'OOMKilled' } } })),
      spec: { containers: [{ name: 'web', resources: { limits: { memory: '64Mi' } } }] },
    },
    want: 'pod web-6f-x: container web ended with exit code 137, OOMKilled: its memory limit is 64Mi (sluice logs pod/web-6f-x -p -n default)',
  },
  {
    it: 'names the probe that fails',
    pod: pod(container({ state: { running: {} } })),
    want: 'pod web-6f-x: container web runs but is not ready: its readiness probe GET /health on port http does not succeed',
  },
  {
    it: 'says what the probe met last',
    pod: pod(container({ state: { running: {} } }), { uid: 'p' }),
    unhealthy: [
      event('Readiness', 'connection refused', 1),
      event('Readiness', 'HTTP probe failed with statuscode: 404', 3),
      event('Readiness', 'of a helper', 4, 'helper'),
    ],
    want: 'pod web-6f-x: container web runs but is not ready: its readiness probe GET /health on port http fails: HTTP probe failed with statuscode: 404',
  },
  {
    it: 'says what the probe met last where many Events are one',
    pod: pod(container({ state: { running: {} } }), { uid: 'p' }),
    unhealthy: [event('Readiness', '9 of 10', 1), event('(combined from similar events): Readiness', '1 of 10', 2)],
    want: 'pod web-6f-x: container web runs but is not ready: its readiness probe GET /health on port http fails: 1 of 10',
  },
  {
    it: 'says nothing of the probes of another pod of that name',
    pod: pod(container({ state: { running: {} } }), { uid: 'another' }),
    unhealthy: [event('Readiness', 'HTTP probe failed with statuscode: 404', 3)],
    want: 'pod web-6f-x: container web runs but is not ready: its readiness probe GET /health on port http does not succeed',
  },
  {
    it: 'says that a container was ended because its probe failed',
    pod: pod(container({ lastState: { terminated: { exitCode: 137, reason: 'Error' } } }), { uid: 'p' }),
    unhealthy: [event('Liveness', 'HTTP probe failed with statuscode: 500', 2)],
    want: 'pod web-6f-x: container web ended with exit code 137: its liveness probe failed: HTTP probe failed with statuscode: 500 (sluice logs pod/web-6f-x -p -n default)',
  },
  {
    it: 'blames no probe for a container that ended by itself',
    pod: pod(container({ lastState: { terminated: { exitCode: 1, reason: 'Error' } } }), { uid: 'p' }),
    unhealthy: [event('Liveness', 'HTTP probe failed with statuscode: 500', 2)],
    want: 'pod web-6f-x: container web ended with exit code 1 (sluice logs pod/web-6f-x -p -n default)',
  },
  {
    it: 'says that there is no node',
    pod: pod({ conditions: [{ type: 'PodScheduled', status: 'False', message: 'no nodes available' }] }),
    want: 'pod web-6f-x has no node: no nodes available',
  },
]
for (const { it, pod: seen, unhealthy = [], want } of cases)
  test(`the cause of a pod ${it}`, () => assert.equal(causeOfPod(seen, unhealthy), want))

test('the causes of a failed health check are its workloads’ own', () => {
  const message = "failed early due to stalled resources: [Deployment/default/web status: 'Failed']"
  const bad = pod(container({ state: { running: {} } }))
  const other = pod(container({ state: { running: {} } }), { namespace: 'staging' })
  const [found] = firstCauses(message, { pods: [other, bad], deployments: [], unhealthy: [] })
  assert.equal(found?.workload, 'default/web')
  assert.match(found.cause, /^pod web-6f-x: container web runs/)
  assert.deepEqual(firstCauses(message, { pods: [other], deployments: [], unhealthy: [] }), [])
  assert.equal(workloadOf(bad), 'web')
})

test('a workload that may have no more pods says what refuses them', () => {
  const condition = { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota: full' }
  const metadata = { name: 'web', namespace: 'default' }
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata, status: { conditions: [condition] } }
  const running = { pods: [], deployments: [deployment], unhealthy: [] }
  assert.equal(causeOfWorkload('default', 'web', running), 'no pod can be made: exceeded quota: full')
  assert.equal(causeOfWorkload('staging', 'web', running), undefined)
})

test('of pods of two revisions the newest one says the cause', () => {
  const at = (creationTimestamp: string, name: string, reason: string): KubeObject =>
    pod(container({ state: { waiting: { reason, message: '' } } }), { name, creationTimestamp })
  const old = at('2026-01-01T00:00:00Z', 'web-6f-a', 'ImagePullBackOff')
  const fresh = at('2026-01-02T00:00:00Z', 'web-6f-b', 'CreateContainerError')
  const want = 'pod web-6f-b: container web waits: CreateContainerError'
  for (const pods of [
    [old, fresh],
    [fresh, old],
  ])
    assert.equal(causeOfWorkload('default', 'web', { pods, deployments: [], unhealthy: [] }), want)
})

test('of many pods that say the same, the Events are read for one', () => {
  let reads = 0
  const events = Array.from({ length: 100 }, (_, index): KubeObject => {
    const { involvedObject, ...told } = event('Readiness', String(index), 1)
    return Object.defineProperty(told, 'involvedObject', { get: () => (reads++, involvedObject) })
  })
  const pods = Array.from({ length: 100 }, () => pod(container({ state: { running: {} } }), { uid: 'p' }))
  assert.match(causeOfWorkload('default', 'web', { pods, deployments: [], unhealthy: events }) ?? '', / fails: \d+$/)
  assert.ok(reads <= 2 * events.length, `read ${reads} times`)
})
