import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Pod } from '../shapes.ts'
import { afterFailedRescale, decideAutoscaler, isSameStatus } from './decide.ts'
import { metricsByPod, type PodMetricsList } from './samples.ts'
import type { Autoscaler, AutoscalerSeen, AutoscalerStatus, Measurement, MetricSpec } from './shapes.ts'
import { unofferedError } from './unoffered.ts'

/** What Kubernetes 1.37.2's own controller decided of pods and metrics like these. */
type Recorded = {
  readonly name: string
  readonly now: string
  readonly replicas: number
  readonly spec: Autoscaler['spec']
  readonly pods: readonly Pod[]
  readonly metrics: NonNullable<PodMetricsList['items']>
  readonly outcome: { readonly replicas: number; readonly status: AutoscalerStatus; readonly events: readonly object[] }
}
const recorded = JSON.parse(readFileSync('tests/fixtures/autoscaler-decisions.json', 'utf8')) as Recorded[]

for (const { name, outcome, ...given } of recorded)
  test(`an autoscaler decides as the original: ${name}`, () => {
    const seen = seenOf(name, given)
    const { resizeTo, status, tell } = decideAutoscaler(seen)
    const { lastScaleTime: _, conditions = [], ...fields } = status
    assert.equal(resizeTo ?? given.replicas, outcome.replicas)
    assert.deepEqual(
      {
        ...fields,
        conditions: conditions.map(({ type, status, reason, message }) => ({ type, status, reason, message })),
      },
      outcome.status,
    )
    const byReason = (a: object, b: object): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)
    assert.deepEqual([...tell].sort(byReason), [...outcome.events].sort(byReason))
  })

function seenOf(
  namespace: string,
  { now, replicas, spec, pods, metrics }: Omit<Recorded, 'name' | 'outcome'>,
): AutoscalerSeen {
  const nowMs = Date.parse(now)
  const measure = (metric: MetricSpec): Measurement => {
    const { name = '', container = undefined } = metric.containerResource ?? { name: metric.resource?.name }
    if (name === '') return { error: unofferedError(metric, namespace) }
    if (metrics.length > 0) return { pods, metrics: metricsByPod(metrics, name, container) }
    return { error: `unable to get metrics for resource ${name}: no metrics returned from resource metrics API` }
  }
  return {
    autoscaler: { ...autoscaler, metadata: { name: 'h', namespace, generation: 1 }, spec },
    scale: { replicas, selection: { selector: 'app=web', rivals: ['h'] } },
    measured: (spec.metrics ?? []).map(measure),
    recommended: [{ atMs: nowMs, replicas }],
    scaled: [],
    nowMs,
  }
}

const nowMs = Date.parse('2026-11-23T04:00:00Z')
const autoscaler: Autoscaler = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'h', namespace: 'a', uid: 'h' },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    maxReplicas: 10,
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }],
  },
}

/** So many pods that ask for 100m each and use so much. */
function see(replicas: number, usage: number, rest: Partial<AutoscalerSeen> = {}): AutoscalerSeen {
  const since = '2026-11-23T03:00:00Z'
  const pods = Array.from({ length: replicas }, (_, at): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `web-${at}` },
    spec: { containers: [{ name: 'web', image: 'web', resources: { requests: { cpu: '100m' } } }] },
    status: {
      phase: 'Running',
      startTime: since,
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: since }],
    },
  }))
  const metric = { usage, atMs: nowMs, windowMs: 15_000 }
  const metrics = new Map(pods.map(({ metadata }) => [metadata.name, metric]))
  const scale = { replicas, selection: { selector: 'app=web', rivals: ['h'] } }
  return { autoscaler, scale, measured: [{ pods, metrics }], recommended: [], scaled: [], nowMs, ...rest }
}

const slowly = {
  ...autoscaler,
  spec: { ...autoscaler.spec, behavior: { scaleUp: { policies: [{ type: 'Pods', value: 3, periodSeconds: 60 }] } } },
}
const selection = (selector: string, rivals: string[] = ['h']): Partial<AutoscalerSeen> => ({
  scale: { replicas: 2, selection: { selector, rivals } },
})
const cases: {
  it: string
  seen: AutoscalerSeen
  resizeTo: number | undefined
  reasons: [able: string, active: string | undefined]
}[] = [
  {
    it: 'does not shrink while it needed more a moment ago',
    seen: see(4, 10, { recommended: [{ atMs: nowMs - 60_000, replicas: 4 }] }),
    resizeTo: undefined,
    reasons: ['ScaleDownStabilized', 'ValidMetricFound'],
  },
  {
    it: 'shrinks when that was long ago',
    seen: see(4, 10, { recommended: [{ atMs: nowMs - 300_000, replicas: 4 }] }),
    resizeTo: 1,
    reasons: ['SucceededRescale', 'ValidMetricFound'],
  },
  {
    it: 'counts what it added in the period of a policy',
    seen: see(5, 500, { autoscaler: slowly, scaled: [{ atMs: nowMs - 30_000, change: 2 }] }),
    resizeTo: 6,
    reasons: ['SucceededRescale', 'ValidMetricFound'],
  },
  {
    it: 'counts what it took away in the period of a policy',
    seen: see(5, 500, {
      autoscaler: slowly,
      scaled: [
        { atMs: nowMs - 30_000, change: -1 },
        { atMs: nowMs - 61_000, change: 5 },
      ],
    }),
    resizeTo: 9,
    reasons: ['SucceededRescale', 'ValidMetricFound'],
  },
  {
    it: 'says that the target is missing',
    seen: see(0, 0, { scale: { error: 'deployments.apps "web" not found' } }),
    resizeTo: undefined,
    reasons: ['FailedGetScale', undefined],
  },
  {
    it: 'says that the target has no selector',
    seen: see(2, 100, selection('')),
    resizeTo: undefined,
    reasons: ['SucceededGetScale', 'InvalidSelector'],
  },
  {
    it: 'does not fight with another over the same pods',
    seen: see(2, 100, selection('app=web', ['h', 'k'])),
    resizeTo: undefined,
    reasons: ['SucceededGetScale', 'AmbiguousSelector'],
  },
]
for (const { it, seen, resizeTo, reasons } of cases)
  test(`an autoscaler ${it}`, () => {
    const plan = decideAutoscaler(seen)
    const reasonOf = (type: string): string | undefined =>
      plan.status.conditions?.find((each) => each.type === type)?.reason
    assert.equal(plan.resizeTo, resizeTo)
    assert.deepEqual([reasonOf('AbleToScale'), reasonOf('ScalingActive')], reasons)
  })

test('an autoscaler that could not resize its target says so, and remembers no new size', () => {
  const seen = see(2, 100)
  const { resizeTo, status, tell } = afterFailedRescale(seen, decideAutoscaler(seen), 'forbidden')
  const [able] = status.conditions ?? []
  assert.deepEqual([resizeTo, status.desiredReplicas, status.lastScaleTime], [undefined, 0, undefined])
  assert.deepEqual([able?.reason, able?.status], ['FailedUpdateScale', 'False'])
  const why = 'cpu resource utilization (percentage of request) above target'
  assert.equal(tell.at(-1)?.message, `New size: 4; reason: ${why}; error: forbidden`)
})

test('an autoscaler that saw the same twice writes nothing', () => {
  const { status } = decideAutoscaler(see(2, 50))
  const again = { ...autoscaler, status }
  assert.ok(isSameStatus(again, decideAutoscaler(see(2, 50, { autoscaler: again })).status))
})

test('a condition that comes later stands behind those that are told already', () => {
  const conditions = ['AbleToScale', 'ScaledToZero'].map((type) => ({
    type,
    status: 'False',
    reason: 'x',
    message: 'y',
  }))
  const [first] = recorded
  assert.ok(first)
  const seen = seenOf('a', first)
  const { status } = decideAutoscaler({
    ...seen,
    autoscaler: { ...seen.autoscaler, status: { conditions } },
    scale: { replicas: 0, selection: { selector: 'app=web', rivals: ['h'] } },
  })
  assert.deepEqual(
    status.conditions?.map(({ type }) => type),
    ['AbleToScale', 'ScaledToZero', 'ScalingActive'],
  )
})

const woken: { it: string; conditions: readonly string[]; minReplicas?: number; want: number | undefined }[] = [
  { it: 'leaves alone what somebody else made nothing', conditions: [], want: undefined },
  { it: 'wakes what an autoscaler made nothing', conditions: ['ScaledToZero'], want: 1 },
  { it: 'wakes it to its least', conditions: ['ScaledToZero'], minReplicas: 3, want: 4 },
  {
    it: 'wakes it to more than it may grow at once, where its least is more',
    conditions: ['ScaledToZero'],
    minReplicas: 6,
    want: 6,
  },
]
for (const { it, conditions, minReplicas, want } of woken)
  test(`an autoscaler ${it}`, () => {
    const { measured } = see(5, 100)
    const spec = { ...autoscaler.spec, ...(minReplicas !== undefined && { minReplicas }) }
    const status = {
      conditions: conditions.map((type) => ({ type, status: 'True', reason: 'Was', message: '' })),
    }
    const scale = { replicas: 0, selection: { selector: 'app=web', rivals: ['h'] } }
    const rest = { measured: want === 1 ? see(1, 50).measured : measured, scale }
    const seen = see(5, 100, { ...rest, autoscaler: { ...autoscaler, spec, status } })
    assert.equal(decideAutoscaler(seen).resizeTo, want)
  })

test('an autoscaler counts what containers ask for of a resource that a pod as a whole does not name', () => {
  const seen = see(2, 100)
  const [measured] = seen.measured
  assert.ok(measured && 'pods' in measured)
  const pods = measured.pods.map((pod) => ({
    ...pod,
    spec: { ...pod.spec, resources: { requests: { memory: '1Gi' } } },
  }))
  assert.equal(decideAutoscaler({ ...seen, measured: [{ ...measured, pods }] }).resizeTo, 4)
})
