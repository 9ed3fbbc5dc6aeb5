import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { up } from '../../src/app/cli/servers/up.ts'

const cwd = mkdtempSync(join(tmpdir(), 'sluice-early-stop-'))
after(() => rmSync(cwd, { recursive: true }))
mkdirSync(join(cwd, 'app'))
writeFileSync(join(cwd, 'app', 'namespace.yaml'), 'apiVersion: v1\nkind: Namespace\nmetadata: { name: app }\n')

for (const { flags, code } of [
  { flags: [], code: 0 },
  { flags: ['--once'], code: 3 },
])
  test(`up ${flags} that is stopped while it starts says so and ends, with nothing left open`, async () => {
    const stop = new AbortController()
    stop.abort('SIGINT')
    const [out, err]: [string[], string[]] = [[], []]
    const io = { out: (text: string) => out.push(text), err: (text: string) => err.push(text) }
    const state = `state${flags}`
    assert.equal(
      await up.run(['app', '--state', state, ...flags], { ...io, env: {}, cwd, isTty: false, signal: stop.signal }),
      code,
    )
    assert.deepEqual(err, ['stopping; once more Ctrl-C ends at once, and leaves the pods to the next start'])
    assert.equal(out.length, 1)
    // no server has begun, and the folder is let go
    assert.deepEqual(readdirSync(join(cwd, state)).sort(), ['.gitignore', 'format.json', 'lock.db', 'ports.json'])
  })
