import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { serveKubed } from './serve.ts'

test('kubed answers without TLS only where that was asked for, and only who has the token', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'kubed-plain-'))
  const kubed = await serveKubed({ stateDir, port: 0, isAlsoPlain: true })
  try {
    const ask = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${kubed.plainServer}/api/v1/namespaces/default`, { headers })
    assert.match(kubed.plainServer ?? '', /^http:\/\/127\.0\.0\.1:\d+$/)
    assert.equal((await ask({ authorization: `Bearer ${kubed.token}` })).status, 200)
    assert.ok([401, 403].includes((await ask({})).status))
    assert.ok([401, 403].includes((await ask({ authorization: 'Bearer wrong' })).status))
  } finally {
    await kubed.close()
    rmSync(stateDir, { recursive: true, force: true })
  }
})
