import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runEngine } from './engine.ts'

test('a line that an engine prints in pieces is not torn by its other stream', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-engine-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const script = '#!/bin/sh\nprintf "#1 FR"; sleep 0.05; echo warning >&2; sleep 0.05; echo "OM a"; printf done >&2\n'
  writeFileSync(join(folder, 'docker'), script, { mode: 0o755 })
  const lines: string[] = []
  const env = { PATH: `${folder}:${process.env['PATH']}` }
  const output = await runEngine({ name: 'docker', version: '1' }, ['build'], { env, log: (line) => lines.push(line) })
  assert.deepEqual([lines.sort(), output], [['#1 FROM a', 'done', 'warning'], '#1 FROM a\n'])
})
