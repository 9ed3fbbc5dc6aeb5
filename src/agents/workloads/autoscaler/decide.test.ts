import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideAutoscaler } from './decide.ts'
import type { Autoscaler, AutoscalerSeen, Measurement } from './shapes.ts'

const nowMs = Date.parse('2026-11-23T04:00:00Z')
const autoscaler: Autoscaler = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'h', namespace: 'a', uid: 'h' },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    minReplicas: 1,
    maxReplicas: 10,
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }],
  },
}
/** Pods that ask for 100m each and use so much. */
const using = (...usage: (number | undefined)[]): Measurement => ({
  pods: usage.map((used) => ({ usage: used, request: 100, isReady: true })),
})
const see = (replicas: number, measured: Measurement, rest: Partial<AutoscalerSeen> = {}): AutoscalerSeen => ({
  autoscaler,
  scale: { replicas, current: replicas },
  measured: [measured],
  recommended: [],
  scaled: [],
  nowMs,
  ...rest,
})

const cases: { it: string; seen: AutoscalerSeen; resizeTo: number | undefined; reason: string }[] = [
  {
    it: 'doubles when pods use twice what they should',
    seen: see(2, using(100, 100)),
    resizeTo: 4,
    reason: 'SucceededRescale',
  },
  { it: 'stays within ten per cent', seen: see(2, using(54, 54)), resizeTo: undefined, reason: 'ReadyForNewScale' },
  { it: 'shrinks', seen: see(4, using(10, 10, 10, 10)), resizeTo: 1, reason: 'SucceededRescale' },
  {
    it: 'does not shrink while it needed more a moment ago',
    seen: see(4, using(10, 10, 10, 10), { recommended: [{ atMs: nowMs - 60_000, replicas: 4 }] }),
    resizeTo: undefined,
    reason: 'ScaleDownStabilized',
  },
  {
    it: 'grows four pods in 15 s at most from one',
    seen: see(1, using(1000)),
    resizeTo: 5,
    reason: 'SucceededRescale',
  },
  {
    it: 'takes a pod without a number as idle when growing',
    seen: see(2, using(105, undefined)),
    resizeTo: undefined,
    reason: 'ReadyForNewScale',
  },
  {
    it: 'obeys the maximum',
    seen: see(8, using(...Array<number>(8).fill(100))),
    resizeTo: 10,
    reason: 'SucceededRescale',
  },
  {
    it: 'comes down to the maximum without metrics',
    seen: see(12, { error: 'none' }),
    resizeTo: 10,
    reason: 'SucceededRescale',
  },
  {
    it: 'stays when there are no metrics',
    seen: see(3, { error: 'none' }),
    resizeTo: undefined,
    reason: 'SucceededGetScale',
  },
  { it: 'is off at nought', seen: see(0, using()), resizeTo: undefined, reason: 'SucceededGetScale' },
  {
    it: 'says that the target is missing',
    seen: see(0, using(), { scale: { error: 'deployments.apps "web" not found' } }),
    resizeTo: undefined,
    reason: 'FailedGetScale',
  },
]
for (const { it, seen, resizeTo, reason } of cases)
  test(`an autoscaler ${it}`, () => {
    const plan = decideAutoscaler(seen)
    assert.equal(plan.resizeTo, resizeTo)
    assert.equal(plan.status.conditions?.find(({ type }) => type === 'AbleToScale')?.reason, reason)
  })
