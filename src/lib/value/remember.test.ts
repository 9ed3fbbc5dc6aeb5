import assert from 'node:assert/strict'
import { test } from 'node:test'
import { remember } from './remember.ts'

test('what was made is remembered, until there is too much of it', () => {
  const made: string[] = []
  const sizeOf = remember(2, (key) => {
    made.push(key)
    return key === '' ? undefined : key.length
  })
  assert.deepEqual(['a', 'a', '', '', 'a'].map(sizeOf), [1, 1, undefined, undefined, 1])
  assert.deepEqual(made, ['a', ''])
  assert.deepEqual(['bb', 'bb', 'a'].map(sizeOf), [2, 2, 1])
  assert.deepEqual(made, ['a', '', 'bb', 'a'])
})

test('what could not be made is made again', () => {
  let tries = 0
  const odd = remember(2, () => {
    if (++tries === 1) throw new Error('no')
    return tries
  })
  assert.throws(() => odd('a'))
  assert.deepEqual([odd('a'), odd('a')], [2, 2])
})
