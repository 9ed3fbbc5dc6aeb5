import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLoopback } from './loopback.ts'

const cases: readonly (readonly [host: string, isLoopback: boolean])[] = [
  ['127.0.0.1', true],
  ['127.8.8.8', true],
  ['localhost', true],
  ['::1', true],
  ['0.0.0.0', false],
  ['127.example.com', false],
  ['localhost.example.com', false],
  ['192.168.0.1', false],
]
for (const [host, want] of cases)
  test(`${host} is ${want ? '' : 'not '}loopback`, () => assert.equal(isLoopback(host), want))
