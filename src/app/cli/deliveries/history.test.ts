import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeliveryView } from '../../page-view.ts'
import { renderHistory } from './history.ts'

const delivery: DeliveryView = {
  ...{
    service: 'web',
    environment: 'staging',
    version: '1.0.0',
    commit: 'c'.repeat(40),
    state: 'done',
    cause: undefined,
  },
  ...{ startedAt: '2026-01-01T00:00:00Z', endedAt: '2026-01-01T00:00:04Z', borders: [] },
}
const rowOf = (one: DeliveryView): string =>
  renderHistory([one], Date.parse('2026-01-01T00:01:00Z')).split('\n')[1] ?? ''

test('history says who pushed, and of what nobody knows, nothing', () => {
  const push = { name: 'push', state: 'done', detail: 'Ada: feat: x', by: 'deploy-bot' } as const
  assert.match(rowOf({ ...delivery, borders: [push] }), /ccccccc +deploy-bot +healthy +4\.0s$/)
  assert.match(rowOf(delivery), /ccccccc +- +healthy +4\.0s$/)
})
