import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openMirror } from '../../git/mirror.ts'
import { selectRemote } from './remote.ts'

// Nothing listens on port 9 of this machine.
const URL_WITH_PASSWORD = 'http://me:hunter2@127.0.0.1:9/app.git'

for (const { traps, shown } of [
  { traps: 'safe', shown: 'http://me:***@127.0.0.1:9/app.git' },
  { traps: 'flux', shown: URL_WITH_PASSWORD },
] as const)
  test(`a repository that cannot be reached is named, --traps ${traps}: ${shown}`, async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'sluice-remote-'))
    t.after(() => rmSync(root, { recursive: true }))
    const remote = {
      url: URL_WITH_PASSWORD,
      ref: {},
      isKnown: false,
      login: { http: {}, git: { config: [] }, dispose: () => Promise.resolve() },
      mirror: openMirror(root, URL_WITH_PASSWORD),
      signal: AbortSignal.timeout(10_000),
      traps,
    }
    await assert.rejects(selectRemote(remote), ({ message }: Error) =>
      message.startsWith(`unable to clone '${shown}': `),
    )
  })
