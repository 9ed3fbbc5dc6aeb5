import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runProgram } from './run-program.ts'

const calm = { input: '', env: {}, timeoutMs: 10_000 }

test('a program gets its input and the environment that is given, and answers both outputs and its code', async () => {
  process.env['SLUICE_TEST_SECRET'] = 'x'
  const script = 'cat; echo "$GIVEN ${SLUICE_TEST_SECRET-unseen}" >&2; exit 3'
  const end = await runProgram('sh', ['-c', script], { ...calm, input: 'in', env: { GIVEN: 'given' } })
  delete process.env['SLUICE_TEST_SECRET']
  assert.deepEqual([end.code, end.stdout.toString(), end.stderr], [3, 'in', 'given unseen\n'])
})

test('a program that does not read its input ends all the same', async () => {
  assert.equal((await runProgram('true', [], { ...calm, input: Buffer.alloc(1 << 20) })).code, 0)
})

test('a program that prints without end, or takes too long, is ended', async () => {
  const endless = await runProgram('yes', [], calm)
  assert.ok(endless.code === null && endless.stdout.length <= 1 << 20)
  assert.equal((await runProgram('sleep', ['60'], { ...calm, timeoutMs: 50 })).code, null)
})

test('a program that is not there says so', async () => {
  await assert.rejects(runProgram('sluice-no-such-program', [], calm), { code: 'ENOENT' })
})
