import assert from 'node:assert/strict'
import { test } from 'node:test'
import { afterProbe, dueProbes, freshHealth, type Health, type ProbeKind } from './probe-state.ts'
import type { Container } from '../shapes.ts'

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
