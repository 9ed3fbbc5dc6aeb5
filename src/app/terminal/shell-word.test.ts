import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shellWord } from './shell-word.ts'

const words: readonly (readonly [string, string])[] = [
  ['/var/lib/sluice/admin.kubeconfig', '/var/lib/sluice/admin.kubeconfig'],
  ['http://git:a-_b@127.0.0.1:1/x.git', 'http://git:a-_b@127.0.0.1:1/x.git'],
  ['/home/ann/my work', "'/home/ann/my work'"],
  ["it's", "'it'\\''s'"],
  ['$(id)', "'$(id)'"],
  ['', "''"],
]
for (const [text, want] of words) test(`a shell reads ${want} as one word`, () => assert.equal(shellWord(text), want))
