import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aliasGitUrl } from './alias.ts'

const aliases = { 'git.sluice.local': '127.0.0.1:4711' }
const cases: [string, string][] = [
  ['http://git.sluice.local/vps.git', 'http://127.0.0.1:4711/vps.git'],
  ['http://git.sluice.local.evil.example/vps.git', 'http://git.sluice.local.evil.example/vps.git'],
  ['https://git.sluice.local/vps.git', 'https://git.sluice.local/vps.git'],
  ['http://user:pass@git.sluice.local/vps.git', 'http://user:pass@git.sluice.local/vps.git'],
  ['ssh://git@git.sluice.local/vps.git', 'ssh://git@git.sluice.local/vps.git'],
]
for (const [url, want] of cases)
  test(`${url} is reached at ${want}`, () => assert.equal(aliasGitUrl(url, aliases), want))
