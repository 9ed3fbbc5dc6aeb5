import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isForLoopback, isLoopback } from './loopback.ts'

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

const headers: readonly (readonly [host: string | undefined, isOurs: boolean])[] = [
  ['127.0.0.1', true],
  ['127.0.0.1:4711', true],
  ['LocalHost:4711', true],
  ['app.localhost:4711', true],
  ['[::1]:4711', true],
  ['evil.example.com', false],
  ['evil.example.com:4711', false],
  ['127.0.0.1.example.com:4711', false],
  ['localhost.example.com', false],
  ['192.168.0.1:4711', false],
  ['', false],
  [undefined, false],
]
for (const [host, want] of headers)
  test(`a request as ${host} is ${want ? '' : 'not '}meant for loopback`, () => assert.equal(isForLoopback(host), want))
