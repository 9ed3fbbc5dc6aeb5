import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod, Service } from '../shapes.ts'
import { createTriggers } from './trigger.ts'

const at = (second: number): string => `2026-01-01T00:00:0${second}Z`
const ms = (second: number): number => Date.parse(at(second))
const service = { metadata: { name: 's', creationTimestamp: at(1) } } as unknown as Service
const pod = (name: string, second: number): Pod =>
  ({
    metadata: { name },
    status: { conditions: [{ type: 'Ready', lastTransitionTime: at(second) }] },
  }) as unknown as Pod

test('the first look at a service tells of its creation, the next of the first change since', () => {
  const { since, forget } = createTriggers()
  assert.equal(since('n/s', service, [pod('a', 2)]), ms(1))
  assert.equal(since('n/s', service, [pod('a', 2)]), undefined)
  assert.equal(since('n/s', service, [pod('a', 5), pod('b', 4)]), ms(4))
  assert.equal(since('n/s', service, [pod('b', 4)]), undefined)
  forget('n/s')
  assert.equal(since('n/s', service, []), ms(1))
})
