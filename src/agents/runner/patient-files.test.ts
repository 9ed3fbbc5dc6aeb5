import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openPatientFiles } from './patient-files.ts'

test('what a disk refuses is written later, in the order of the calls, the newest text of each', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const dir = mkdtempSync(join(tmpdir(), 'sluice-files-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  const faults: unknown[] = []
  const files = openPatientFiles((error) => faults.push(error))
  const missing = join(dir, 'not-yet')
  files.write(join(dir, 'early'), 1)
  files.write(join(missing, 'a'), 1)
  files.write(join(dir, 'b'), 1)
  files.write(join(missing, 'a'), 2)
  files.remove(join(dir, 'early'))
  assert.deepEqual([existsSync(join(dir, 'b')), existsSync(join(dir, 'early')), faults.length], [false, true, 1])

  mkdirSync(missing)
  t.mock.timers.tick(1_000)
  assert.equal(readFileSync(join(dir, 'b'), 'utf8'), '1')
  assert.equal(readFileSync(join(missing, 'a'), 'utf8'), '2')
  assert.equal(existsSync(join(dir, 'early')), false)
  files.write(join(dir, 'c'), 3)
  assert.equal(readFileSync(join(dir, 'c'), 'utf8'), '3')
})
