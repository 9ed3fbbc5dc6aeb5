import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeContext } from './context.ts'
import type { Memory } from './memory.ts'
import { perform, signalOf } from './steps.ts'

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

test('an image that the driver cannot look for is told, and looked for again later', async () => {
  const told: string[] = []
  const context: unknown = {
    clock: { nowMs: () => 0, monotonicMs: () => 0 },
    driver: () => ({ findImage: async () => Promise.reject(new Error('the engine is away')) }),
    record: (_: unknown, ...words: readonly string[]) => told.push(words.slice(0, 3).join(' ')),
  }
  const memory: unknown = { pod: { spec: { containers: [{ name: 'web', image: 'i' }] } }, images: new Map() }
  const step = { do: 'pull', image: 'i', container: 'web', policy: 'IfNotPresent' } as const
  await perform(context as NodeContext, memory as Memory, step)
  const message = 'Failed to inspect image "i": the engine is away'
  assert.deepEqual(told, [`Warning InspectFailed ${message}`, 'Warning Failed Error: ImageInspectError'])
  const { retryAtMs, ...fault } = (memory as { images: Map<string, { retryAtMs: number }> }).images.get('i') ?? {}
  assert.deepEqual(fault, { state: 'failed', reason: 'ImageInspectError', message, failures: 1 })
  assert.ok(retryAtMs)
})
