import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNobodyThere } from './ask-node.ts'

const rows: [error: { code: string; syscall?: string }, isNobody: boolean][] = [
  [{ code: 'ECONNREFUSED', syscall: 'connect' }, true],
  [{ code: 'ECONNRESET', syscall: 'connect' }, true],
  [{ code: 'ECONNRESET', syscall: 'read' }, false],
  [{ code: 'EHOSTUNREACH', syscall: 'connect' }, false],
]
for (const [error, isNobody] of rows)
  test(`a node whose kubelet answers ${error.code} to ${error.syscall} ${isNobody ? 'starts or stops' : 'is told of'}`, () =>
    assert.equal(isNobodyThere(Object.assign(new Error(), error)), isNobody))
