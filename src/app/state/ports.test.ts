import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { choosePorts } from './ports.ts'
import { holdStateFolder } from './state-folder.ts'

test('ports are chosen once and kept; a taken one is named', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-ports-'))
  const folder = holdStateFolder(dir)
  const first = await choosePorts(folder, {})
  assert.equal(new Set(Object.values(first)).size, 6)
  assert.deepEqual(await choosePorts(folder, {}), first)

  const other = createServer()
  await new Promise<void>((resolve) => other.listen(first.git, '127.0.0.1', resolve))
  await assert.rejects(choosePorts(folder, {}), {
    code: 'PORT_IN_USE',
    message: new RegExp(`port ${first.git} of the git listener`),
  })
  await new Promise((resolve) => other.close(resolve))
  folder.release()
  rmSync(dir, { recursive: true })
})
