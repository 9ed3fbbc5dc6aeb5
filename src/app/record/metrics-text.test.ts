import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_HELPERS } from '../../../tests/support/no-helpers.ts'
import { foldFacts } from '../../../tests/support/fold-facts.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import type { Fact } from '../../pipeline/record/fact.ts'
import type { Helpers } from '../../pipeline/record/wait.ts'
import { renderMetrics } from './metrics-text.ts'

const at = (second: number): string => `2026-01-01T00:00:0${second}Z`
const of = { kustomization: 'flux-system/production', revision: 'main@sha1:abc' } as const
const facts: readonly Fact[] = [
  { at: at(0), kind: 'policy', policy: 'default/web', image: 'r/web', tag: '1', considered: 1 },
  {
    ...{ at: at(1), kind: 'build', ...of, ok: true },
    workloads: [{ namespace: 'default', name: 'web', images: ['r/web:1'] }],
  },
  { at: at(2), kind: 'health', ...of, state: 'healthy' },
]
const suspended: KubeObject = {
  ...{ apiVersion: 'v1', kind: 'Kustomization', metadata: { namespace: 'flux-system', name: 'pro"d' } },
  ...{ spec: { suspend: true }, status: { conditions: [{ type: 'Ready', status: 'True' }] } },
}
const helpers: Helpers = {
  ...NO_HELPERS,
  kustomizations: [suspended],
}

test('the metrics tell of services, deliveries and objects', () => {
  const figures = { residentBytes: 7, startedAtSeconds: 1, isDiskFull: false }
  const samples = renderMetrics(foldFacts(facts), helpers, figures)
    .split('\n')
    .filter((line) => !line.startsWith('#'))
  assert.deepEqual(samples, [
    'sluice_service_state{service="web",environment="production",state="healthy"} 1',
    'sluice_deliveries_total{service="web",environment="production",result="healthy"} 1',
    'sluice_last_delivery_seconds{service="web",environment="production"} 2',
    'gotk_resource_info{customresource_kind="Kustomization",exported_namespace="flux-system",name="pro\\"d",ready="True",suspended="true",revision=""} 1',
    'sluice_disk_full 0',
    'process_resident_memory_bytes 7',
    'process_start_time_seconds 1',
    '',
  ])
})

test('a service whose pods run what nobody delivered is not healthy', () => {
  const pod = { kind: 'pod', namespace: 'default', workload: 'web', pod: 'web-1', ready: true } as const
  const image = { kind: 'image', image: 'r/web', tag: '1', digest: 'sha256:1', commit: 'c', runId: '1' } as const
  const [policy, build, health] = facts as [Fact, Fact, Fact]
  const delivered: Fact = { at: at(2), ...pod, image: 'r/web:1', digest: 'sha256:1' }
  const byHand: Fact = { at: at(3), ...pod, image: 'r/web:9', digest: 'sha256:9' }
  const ledger = foldFacts([{ at: at(0), ...image }, policy, build, delivered, health, byHand])
  const figures = { residentBytes: 7, startedAtSeconds: 1, isDiskFull: false }
  assert.match(renderMetrics(ledger, helpers, figures), /environment="production",state="waiting"} 1/)
})
