import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FailedRun, runFailure } from './run-failure.ts'

const calm: FailedRun = {
  command: ['/bin/sh', '-c', 'make it'],
  code: 1,
  said: '',
  network: 'none',
  where: 'Dockerfile:9',
}
const cases: { it: string; run: Partial<FailedRun>; message: string; hint?: RegExp }[] = [
  { it: 'says what was run', run: {}, message: 'RUN make it returned a non-zero code: 1' },
  { it: 'says its last words', run: { said: 'no rule' }, message: 'RUN make it returned a non-zero code: 1: no rule' },
  {
    it: 'hints at the program that is missing, not at the network',
    run: { code: 127, command: ['/bin/sh', '-c', 'apk add curl'], said: '/bin/sh: apk: not found' },
    message: 'RUN apk add curl returned a non-zero code: 127: /bin/sh: apk: not found',
    hint: /no such program/,
  },
  {
    it: 'hints at the network where the words are about it',
    run: { said: 'curl: (6) Could not resolve host: example.com' },
    message: 'RUN make it returned a non-zero code: 1: curl: (6) Could not resolve host: example.com',
    hint: /--network=host/,
  },
  {
    it: 'does not hint at a network that it had',
    run: { said: 'Could not resolve host: x', network: 'host' },
    message: 'RUN make it returned a non-zero code: 1: Could not resolve host: x',
  },
]
for (const { it, run, message, hint } of cases)
  test(`a RUN that failed ${it}`, () => {
    const error = runFailure({ ...calm, ...run })
    assert.deepEqual([error.message, error.where], [message, 'Dockerfile:9'])
    if (hint === undefined) assert.equal(error.hint, undefined)
    else assert.match(error.hint ?? '', hint)
  })
