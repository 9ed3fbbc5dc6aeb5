import assert from 'node:assert/strict'
import { test } from 'node:test'
import { afterProbe, dueProbes, freshHealth, type Health, healthOf, type ProbeKind } from './probe-state.ts'
import type { Container, ContainerStatus, Pod, PodStatus } from '../shapes.ts'

const probe = { httpGet: { port: 80 } }
const base: Container = { name: 'web', image: 'web:1' }

function after(container: Container, results: readonly [ProbeKind, boolean][]): Health {
  return results.reduce((health, [kind, ok]) => afterProbe(health, container, kind, ok), freshHealth(container))
}

test('without probes a container is started and ready', () => {
  assert.deepEqual(freshHealth(base), { isStarted: true, isReady: true, failed: undefined, row: {} })
})

test('readiness passes at once and falls after three failures', () => {
  const container = { ...base, readinessProbe: probe }
  assert.equal(freshHealth(container).isReady, false)
  assert.equal(after(container, [['readiness', true]]).isReady, true)
  assert.equal(
    after(container, [
      ['readiness', true],
      ['readiness', false],
      ['readiness', false],
    ]).isReady,
    true,
  )
  assert.equal(
    after(container, [
      ['readiness', true],
      ['readiness', false],
      ['readiness', false],
      ['readiness', false],
    ]).isReady,
    false,
  )
})

test('liveness asks for a restart after its threshold in a row', () => {
  const container = { ...base, livenessProbe: { ...probe, failureThreshold: 2 } }
  assert.equal(
    after(container, [
      ['liveness', false],
      ['liveness', true],
      ['liveness', false],
    ]).failed,
    undefined,
  )
  assert.equal(
    after(container, [
      ['liveness', false],
      ['liveness', false],
    ]).failed,
    'liveness',
  )
})

test('until it has started only the startup probe runs', () => {
  const container = { ...base, startupProbe: probe, readinessProbe: probe, livenessProbe: probe }
  assert.deepEqual(dueProbes(container, freshHealth(container)), ['startup'])
  const started = after(container, [['startup', true]])
  assert.deepEqual(dueProbes(container, started), ['readiness', 'liveness'])
  assert.equal(started.isReady, false)
  assert.deepEqual(dueProbes(container, freshHealth(container), true), [])
  assert.deepEqual(dueProbes(container, started, true), ['readiness'])
})

test('a probe for which the container is ended is not asked again, the others are', () => {
  const container = { ...base, livenessProbe: { ...probe, failureThreshold: 1 }, readinessProbe: probe }
  assert.deepEqual(dueProbes(container, after(container, [['liveness', false]])), ['readiness'])
})

const probed: Container = { ...base, startupProbe: probe, readinessProbe: probe }
const shown = (over: Partial<ContainerStatus>): ContainerStatus => ({
  name: 'web',
  image: 'i',
  imageID: '',
  ready: true,
  started: true,
  restartCount: 2,
  state: { running: { startedAt: '2026-11-28T00:00:00Z' } },
  lastState: {},
  ...over,
})
const known: { it: string; status: PodStatus; want: [isStarted: boolean, isReady: boolean] }[] = [
  { it: 'a run of a pod without a status', status: {}, want: [false, false] },
  { it: 'a run that was ready', status: { containerStatuses: [shown({})] }, want: [true, true] },
  { it: 'a sidecar that was ready', status: { initContainerStatuses: [shown({})] }, want: [true, true] },
  { it: 'a run that was not ready', status: { containerStatuses: [shown({ ready: false })] }, want: [true, false] },
  { it: 'a later run', status: { containerStatuses: [shown({ restartCount: 1 })] }, want: [false, false] },
  {
    it: 'a run that had not started',
    status: { containerStatuses: [shown({ started: false, ready: false })] },
    want: [false, false],
  },
]
for (const { it, status, want } of known)
  test(`the health of ${it} is taken over from its status`, () => {
    const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [probed] }, status }
    const { isStarted, isReady } = healthOf(pod, probed, 2)
    assert.deepEqual([isStarted, isReady], want)
  })
