import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { runEngine } from './engine.ts'

/** A docker that is a script of the shell; asked to build. */
async function runScript(t: TestContext, script: string): Promise<{ output: string; lines: readonly string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-engine-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'docker'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  const lines: string[] = []
  const env = { PATH: `${folder}:${process.env['PATH']}` }
  const output = await runEngine({ name: 'docker', version: '1' }, ['build'], { env, log: (line) => lines.push(line) })
  return { output, lines }
}

test('a line that an engine prints in pieces is not torn by its other stream', async (t) => {
  const script = 'printf "#1 FR"; sleep 0.05; echo warning >&2; sleep 0.05; echo "OM a"; printf done >&2'
  const { output, lines } = await runScript(t, script)
  assert.deepEqual([lines.toSorted(), output], [['#1 FROM a', 'done', 'warning'], '#1 FROM a\n'])
})

test('an output without line ends is told in pieces, and its end is kept', async (t) => {
  const { output, lines } = await runScript(t, "head -c 12000000 /dev/zero | tr '\\0' x; echo; echo the end")
  assert.equal(lines.at(-1), 'the end')
  assert.equal(lines.slice(0, -1).join(''), 'x'.repeat(12_000_000))
  assert.ok(lines.length > 10)
  assert.ok(output.endsWith('x\nthe end\n'))
  assert.ok(output.length < 10_000_000)
})
