import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evaluateReadyExpr } from './ready-expr.ts'

const object = {
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name: 'app', namespace: 'ns' },
  spec: { interval: '10m', timeout: '90s', path: './app' },
}
const cases: readonly [expression: string, isReady: boolean][] = [
  ['dep.spec.interval == "10m0s"', true],
  ['dep.spec.interval == "10m"', false],
  ['self.spec.timeout == "1m30s" && dep.spec.path == "./app"', true],
]
for (const [expression, isReady] of cases)
  test(`readyExpr reads durations as Go writes them: ${expression}`, () =>
    assert.deepEqual(evaluateReadyExpr(expression, object, object), { isReady }))
