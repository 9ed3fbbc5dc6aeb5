import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeMeter } from './meter.ts'
import { statusPage } from './status-page.ts'

test('the page of the status says since when the server runs', () => {
  const page = statusPage(Date.UTC(2026, 10, 7, 19, 4, 45), (56 * 60 + 30) * 1000)
  assert.match(page, /^Started {2}Sat Nov {2}7 19:04:45 UTC 2026\nUp {2}0 hr 56 min 30 sec$/m)
})

test('what the checks of the server said is counted by check and endpoint', () => {
  const meter = makeMeter(
    () => 0,
    () => undefined,
  )
  assert.equal(meter.renderChecks(), '')
  meter.judged('readyz', 'etcd', false)
  meter.judged('readyz', 'etcd', true)
  meter.judged('livez', 'ping', true)
  const lines = meter
    .renderChecks()
    .split('\n')
    .filter((line) => !line.startsWith('#'))
  assert.deepEqual(lines, [
    'kubernetes_healthcheck{name="etcd",type="readyz"} 1',
    'kubernetes_healthcheck{name="ping",type="livez"} 1',
    'kubernetes_healthchecks_total{name="etcd",status="error",type="readyz"} 1',
    'kubernetes_healthchecks_total{name="etcd",status="success",type="readyz"} 1',
    'kubernetes_healthchecks_total{name="ping",status="success",type="livez"} 1',
  ])
})
