import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { serveRegistryd } from '../../src/embedded/registryd/serve.ts'
import { LONG_MS } from '../support/wait.ts'

const suite = join(process.env['SLUICE_TOOLS'] ?? '../shared/tools', 'oci-conformance')

test('the OCI conformance suite finds no fault, the coming version included', { timeout: LONG_MS }, async (t) => {
  if (!existsSync(suite)) return t.skip(`no conformance suite at ${suite} (SLUICE_TOOLS)`)
  if (spawnSync('go', ['version']).error) return t.skip('Go is not installed')
  const folder = mkdtempSync(join(tmpdir(), 'sluice-conformance-'))
  const registry = await serveRegistryd({ root: join(folder, 'registry'), port: 0 })
  try {
    cpSync(suite, join(folder, 'suite'), { recursive: true })
    spawnSync('chmod', ['-R', 'u+w', join(folder, 'suite')])
    const env = { ...process.env, OCI_VERSION: 'dev' }
    const child = spawn('sh', [join(folder, 'suite', 'run.sh'), registry.url, join(folder, 'results')], { env })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (text += part.toString()))
    const code = await new Promise((resolve) => child.on('close', resolve))
    if (/module lookup disabled|dial tcp|no required module/.test(text))
      return t.skip('the suite cannot be built offline')
    const [, passed = '0', failed] = /(\d+) passed, (\d+) failed/.exec(text) ?? []
    assert.equal(failed, '0', text)
    assert.ok(Number(passed) > 900, text)
    assert.equal(code, 0, text)
  } finally {
    await registry.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
