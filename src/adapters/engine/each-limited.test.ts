import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eachLimited } from './each-limited.ts'

test('a list is worked off so many at once, and answered in its order', async () => {
  let [running, most] = [0, 0]
  const work = async (item: number): Promise<number> => {
    most = Math.max(most, ++running)
    await new Promise(setImmediate)
    running--
    return item * 2
  }
  assert.deepEqual(await eachLimited([1, 2, 3, 4, 5], 2, work), [2, 4, 6, 8, 10])
  assert.equal(most, 2)
})

test('after a failure nothing more is begun', async () => {
  const begun: number[] = []
  const work = async (item: number): Promise<void> => {
    begun.push(item)
    await new Promise(setImmediate)
    if (item === 1) throw new Error('no')
  }
  await assert.rejects(eachLimited([1, 2, 3, 4, 5, 6], 2, work), /no/)
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  assert.deepEqual(begun, [1, 2])
})
