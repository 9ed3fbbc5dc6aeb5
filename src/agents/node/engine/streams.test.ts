import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import type { EngineClient } from '../../../adapters/container-engine/client.ts'
import { openIn } from './streams.ts'

const REQUEST = { command: ['sh'], stdin: false, stdout: true, stderr: true, tty: false }

/** A program whose connection is over. */
async function run(state: object): Promise<number> {
  const engine: Pick<EngineClient, 'ask' | 'join'> = {
    ask: async (method) => (method === 'POST' ? { Id: 'e' } : state),
    join: async () => new PassThrough().end(),
  }
  const program = await openIn(engine as EngineClient, 'c', REQUEST, 1)
  program.stdout?.resume()
  return program.exited
}

test('the code of a program that has ended is the one that the engine tells', async () => {
  assert.equal(await run({ Running: false, ExitCode: 7 }), 7)
})

test('a program whose connection ends while it runs has no code', async () => {
  await assert.rejects(run({ Running: true, ExitCode: 0 }), { code: 'NODE_DRIVER', message: /runs on/ })
})
