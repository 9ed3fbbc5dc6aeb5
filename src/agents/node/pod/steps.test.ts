import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signalOf } from './steps.ts'

const signals: [word: string | undefined, want: string][] = [
  [undefined, 'SIGTERM'],
  ['SIGQUIT', 'SIGQUIT'],
  ['QUIT', 'SIGQUIT'],
  ['sigint', 'SIGINT'],
  ['3', 'SIGQUIT'],
  ['SIGWHATEVER', 'SIGTERM'],
  ['0', 'SIGTERM'],
]
for (const [word, want] of signals)
  test(`the signal ${word ?? 'of nobody'} is ${want}`, () => assert.equal(signalOf(word), want))
