import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tooLarge } from './memory-watch.ts'

const one = (key: string, pod: string, usedBytes: number, memoryBytes?: number, podMemoryBytes?: number) => ({
  ...{ key, pid: 1, pod, usedBytes, memoryBytes, podMemoryBytes },
})

test('what uses more than it may is ended, and of a pod that does what uses most', () => {
  const watched = [
    one('within', 'a', 9, 10),
    one('over', 'a', 11, 10),
    one('small', 'b', 4, 10, 10),
    one('large', 'b', 7, 10, 10),
    one('alone', 'c', 9, undefined, 10),
    // the pod is within its limit when the one that is over itself is gone
    one('first', 'd', 11, 10, 12),
    one('second', 'd', 5, 10, 12),
  ]
  assert.deepEqual(tooLarge(watched), ['over', 'first', 'large'])
})
