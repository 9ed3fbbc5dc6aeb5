import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeliveryView } from '../../page-view.ts'
import { renderDelivery } from './trace.ts'

const going: DeliveryView = {
  ...{ service: 'web', environment: 'production', version: '1.2.0', commit: 'c'.repeat(40), state: 'running' },
  ...{ startedAt: '2026-01-01T00:00:00Z', endedAt: undefined, cause: undefined, runId: undefined },
  borders: [{ name: 'build', state: 'waiting', detail: '' }],
}
test('a delivery that a later revision holds up is traced with the cause, though each of its own borders went well', () => {
  const borders = [{ name: 'build', state: 'done', detail: 'revision main@sha1:1' }] as const
  const text = renderDelivery({ ...going, borders, state: 'failed', cause: 'build: web.yaml:3: bad' })
  assert.match(text, /: stopped\n {2}build: web\.yaml:3: bad\n {2}✔ build/)
})

const titles: { it: string; delivery: Partial<DeliveryView>; want: string }[] = [
  { it: 'is on its way', delivery: {}, want: 'on its way' },
  {
    it: 'says where it waits for what does not come by itself',
    delivery: { borders: [{ name: 'build', state: 'waiting', detail: 'web.yaml:3: bad' }] },
    want: 'waits at build',
  },
  { it: 'has stopped', delivery: { state: 'failed' }, want: 'stopped' },
]
for (const { it, delivery, want } of titles)
  test(`a delivery that is traced ${it}`, () => {
    const [title] = renderDelivery({ ...going, ...delivery }).split('\n')
    assert.equal(title, `web 1.2.0 in production, commit cccccccccccc: ${want}`)
  })
