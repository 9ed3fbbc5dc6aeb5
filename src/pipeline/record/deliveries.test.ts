import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deliveries } from './deliveries.ts'
import { newDelivery } from './ledger.ts'

const calm = { service: 'web', environment: 'staging', kind: 'image', commit: 'c', startedAt: '' } as const

test('deliveries are found by their service as they were begun, and by what they are now', () => {
  const deliveries = new Deliveries()
  const add = (id: string, also: Partial<typeof calm> | { readonly service: string; readonly environment?: string }) =>
    deliveries.set(id, newDelivery({ ...calm, id, ...also }))
  add('second', {})
  add('first', {})
  add('elsewhere', { service: 'web', environment: 'production' })
  add('renamed', {})
  add('renamed', { service: 'shop' })
  const ids = (environment: string, service: string) => deliveries.ofService(environment, service).map(({ id }) => id)
  assert.deepEqual(ids('staging', 'web'), ['second', 'first'])
  assert.deepEqual(ids('production', 'web'), ['elsewhere'])
  assert.deepEqual(ids('staging', 'shop'), ['renamed'])
})
