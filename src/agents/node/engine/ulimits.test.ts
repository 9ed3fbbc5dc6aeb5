import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseUlimits } from './ulimits.ts'

test('limits of a process are read as an engine takes them', () => {
  const text = [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max processes             unlimited            unlimited            processes ',
    'Max open files            1024                 20000                files     ',
  ].join('\n')
  assert.deepEqual(parseUlimits(text), [
    { Name: 'nofile', Soft: 1024, Hard: 20_000 },
    { Name: 'nproc', Soft: 32_768, Hard: 32_768 },
  ])
})
