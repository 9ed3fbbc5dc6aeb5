import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limitsOf, memoryVolumeBytes, podLimitsOf } from './limits.ts'
import type { Container, Pod } from './shapes.ts'

const GIB = 2 ** 30

const cases: { it: string; qosClass: string; resources: Container['resources']; want: object }[] = [
  { it: 'ends best effort first', qosClass: 'BestEffort', resources: {}, want: { outOfMemoryScore: 1000 } },
  {
    it: 'ends sooner who asked for less',
    qosClass: 'Burstable',
    resources: { requests: { memory: '1Gi', cpu: '250m' } },
    want: { cpuRequestMillis: 250, outOfMemoryScore: 750 },
  },
  {
    it: 'takes what is allowed for what is asked for',
    qosClass: 'Guaranteed',
    resources: { limits: { memory: '64Mi', cpu: '1.5' } },
    want: { memoryBytes: 64 * 2 ** 20, cpuMillis: 1500, cpuRequestMillis: 1500, outOfMemoryScore: 0 },
  },
  {
    it: 'never stands before the server',
    qosClass: 'Burstable',
    resources: { requests: { memory: '8Gi' } },
    want: { outOfMemoryScore: 3 },
  },
]

for (const { it, qosClass, resources, want } of cases)
  test(`a container's limits: ${it}`, () => {
    const container: Container = { name: 'web', image: 'web:1', ...(resources === undefined ? {} : { resources }) }
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web' },
      spec: { containers: [container] },
      status: { qosClass },
    }
    assert.deepEqual(limitsOf(pod, container, 4 * GIB), want)
  })

const asking = (name: string, memory: string | undefined, restartPolicy?: string): Container => ({
  name,
  image: 'i',
  ...(memory === undefined ? {} : { resources: { requests: { memory } } }),
  ...(restartPolicy === undefined ? {} : { restartPolicy }),
})

// scores of v1.37.2 (pkg/kubelet/qos) on a machine of 8 GiB
const scores: { it: string; spec: Partial<Pod['spec']>; of: Container; want: number }[] = [
  { it: 'one that asks for none', spec: {}, of: asking('a', undefined), want: 999 },
  {
    it: 'one that asks for 0 although it is limited',
    spec: {},
    of: { ...asking('a', '0'), resources: { limits: { memory: '8Gi' }, requests: { memory: '0' } } },
    want: 999,
  },
  {
    it: 'a part of what the pod asks for as a whole',
    spec: { resources: { requests: { memory: '2Gi' } } },
    of: asking('a', undefined),
    want: 750,
  },
  {
    it: 'a sidecar beside one that asks for more',
    spec: { containers: [asking('w', '1Gi')] },
    of: asking('s', '64Mi', 'Always'),
    want: 875,
  },
  {
    it: 'a sidecar that asks for more itself',
    spec: { containers: [asking('w', '1Gi')] },
    of: asking('s', '4Gi', 'Always'),
    want: 500,
  },
  {
    it: "the node's own",
    spec: { priority: 2_000_001_000, priorityClassName: 'system-node-critical' },
    of: asking('a', undefined),
    want: 0,
  },
]
for (const { it, spec, of, want } of scores)
  test(`the kernel ends by ${want}: ${it}`, () => {
    const isSidecar = of.restartPolicy !== undefined
    const own = isSidecar ? { initContainers: [of] } : { containers: [of] }
    const whole = { containers: [of], ...own, ...spec }
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: whole,
      status: { qosClass: 'Burstable' },
    }
    assert.equal(limitsOf(pod, of, 8 * GIB).outOfMemoryScore, want)
  })

test('a container without limits has those of its pod', () => {
  const container = asking('a', undefined)
  const spec = { containers: [container], resources: { limits: { cpu: '500m', memory: '64Mi' } } }
  const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec, status: { qosClass: 'Burstable' } }
  const { memoryBytes, cpuMillis, cpuRequestMillis } = limitsOf(pod, container, GIB)
  assert.deepEqual(
    { memoryBytes, cpuMillis, cpuRequestMillis },
    { memoryBytes: 2 ** 26, cpuMillis: 500, cpuRequestMillis: 500 },
  )
})

const limited = (memory?: string): Container => ({
  name: 'c',
  image: 'i',
  resources: { limits: { cpu: '1', ...(memory && { memory }) } },
})
// as v1.37.2 answers (calculateEmptyDirMemorySize)
const volumes: { it: string; spec: Partial<Pod['spec']>; sizeLimit?: string; want: number }[] = [
  { it: 'as large as the machine where nothing is limited', spec: {}, want: 4 * GIB },
  { it: 'as large as it says', spec: {}, sizeLimit: '1Gi', want: GIB },
  { it: 'as large as the machine where it says nothing of worth', spec: {}, sizeLimit: '0', want: 4 * GIB },
  { it: 'no larger than the machine', spec: {}, sizeLimit: '8Gi', want: 4 * GIB },
  {
    it: 'no larger than its pod',
    spec: { containers: [limited('1Gi'), limited('1Gi')] },
    sizeLimit: '3Gi',
    want: 2 * GIB,
  },
  { it: 'smaller than its pod', spec: { containers: [limited('1Gi')] }, sizeLimit: '512Mi', want: GIB / 2 },
  { it: 'not bound by a part of its pod', spec: { containers: [limited('1Gi'), limited()] }, want: 4 * GIB },
  {
    it: 'bound by the largest of its init containers',
    spec: { containers: [limited('1Gi')], initContainers: [limited('2Gi')] },
    want: 2 * GIB,
  },
  { it: 'bound by its pod as a whole', spec: { resources: { limits: { memory: '1Gi' } } }, want: GIB },
]
for (const { it, spec, sizeLimit, want } of volumes)
  test(`a volume in memory is ${it}`, () => {
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: { containers: [limited()], ...spec },
    }
    assert.equal(memoryVolumeBytes(pod, sizeLimit, 4 * GIB), want)
  })

const bounded = (name: string, limits: Record<string, string>, restartPolicy?: string): Container => ({
  ...asking(name, undefined, restartPolicy),
  resources: { limits },
})

// as v1.37.2 (pkg/kubelet/cm, ResourceConfigForPod) sets the group of a pod
const groups: { it: string; spec: Pod['spec']; want: object }[] = [
  { it: 'nothing asked for', spec: { containers: [asking('a', undefined)] }, want: { cpuRequestMillis: 0 } },
  {
    it: 'the sum where each has a limit',
    spec: { containers: [bounded('a', { memory: '1Gi', cpu: '1' }), bounded('b', { memory: '1Gi', cpu: '500m' })] },
    want: { memoryBytes: 2 * GIB, cpuMillis: 1500, cpuRequestMillis: 0 },
  },
  {
    it: 'no limit where one container has none',
    spec: { containers: [bounded('a', { memory: '1Gi' }), asking('b', '1Gi')] },
    want: { cpuRequestMillis: 0 },
  },
  {
    it: 'its own limits',
    spec: {
      containers: [bounded('a', { memory: '1Gi' }), asking('b', undefined)],
      resources: { limits: { memory: '3Gi', cpu: '2' }, requests: { cpu: '250m' } },
    },
    want: { memoryBytes: 3 * GIB, cpuMillis: 2000, cpuRequestMillis: 250 },
  },
  {
    it: 'the larger of what begins it and what goes on, a sidecar included',
    spec: {
      initContainers: [bounded('i', { memory: '8Gi' }), bounded('s', { memory: '1Gi' }, 'Always')],
      containers: [bounded('a', { memory: '1Gi' })],
    },
    want: { memoryBytes: 8 * GIB, cpuRequestMillis: 0 },
  },
]
for (const { it, spec, want } of groups)
  test(`the limits of a pod: ${it}`, () =>
    assert.deepEqual(podLimitsOf({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec }), want))

test('a container that is alone in its pod has the limits of its pod to the thousandth', () => {
  const written = [
    ...Array.from({ length: 4000 }, (_, index) => ({ k: index + 1, cpu: `${index + 1}m` })),
    ...[350, 410, 570, 700, 1400, 2300].flatMap((k) =>
      [`${k / 1000}`, `${k}000u`, `${k}e-3`].map((cpu) => ({ k, cpu })),
    ),
  ]
  const wrong = written.filter(({ k, cpu }) => {
    const container = bounded('a', { cpu })
    const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [container] } }
    return limitsOf(pod, container, GIB).cpuMillis !== k || podLimitsOf(pod).cpuMillis !== k
  })
  assert.deepEqual(wrong, [])
})
