import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEngineMetrics, serveMetrics } from './engine-metrics.ts'

const object = {
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { namespace: 'flux-system', name: 'apps' },
  status: { conditions: [{ type: 'Ready', status: 'True' }], lastAppliedRevision: 'main@sha1:a' },
}

test('reconciles are told under the names and in the buckets of Flux; those of objects that are gone are forgotten', () => {
  const metrics = createEngineMetrics(5000, () => 42)
  const worked = { kind: 'Kustomization', key: 'flux-system/apps' }
  metrics.onReconciled({ ...worked, tookMs: 5, hasFailed: false })
  metrics.onReconciled({ ...worked, tookMs: 2_000_000, hasFailed: true })
  metrics.onReconciled({ ...worked, key: 'flux-system/gone', tookMs: 1, hasFailed: false })
  const text = metrics.render([object])
  const labels = 'kind="Kustomization",name="apps",namespace="flux-system"'
  for (const line of [
    '# TYPE gotk_reconcile_duration_seconds histogram',
    `gotk_reconcile_duration_seconds_bucket{${labels},le="0.01"} 1`,
    `gotk_reconcile_duration_seconds_bucket{${labels},le="1800"} 1`,
    `gotk_reconcile_duration_seconds_bucket{${labels},le="+Inf"} 2`,
    `gotk_reconcile_duration_seconds_sum{${labels}} 2000.005`,
    `gotk_reconcile_duration_seconds_count{${labels}} 2`,
    'controller_runtime_reconcile_total{controller="kustomization",result="error"} 1',
    'controller_runtime_reconcile_total{controller="kustomization",result="success"} 2',
    'process_start_time_seconds 5',
  ])
    assert.ok(text.split('\n').includes(line), `${line} is not in:\n${text}`)
  assert.match(
    text,
    /gotk_resource_info\{customresource_kind="Kustomization",exported_namespace="flux-system",name="apps",ready="True"/,
  )
  assert.equal(text.includes('gone'), false)
})

test('a port that is taken is said with what to do', async () => {
  const metrics = createEngineMetrics(0, () => 0)
  const taken = await import('node:http').then(({ createServer }) => createServer().listen(0, '127.0.0.1'))
  await new Promise((listening) => taken.once('listening', listening))
  const address = taken.address()
  const port = typeof address === 'object' ? address?.port : undefined
  await assert.rejects(
    serveMetrics(`127.0.0.1:${port}`, () => metrics.render([])),
    { code: 'PORT_IN_USE', where: `127.0.0.1:${port}` },
  )
  taken.close()
})
