import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LookFailure } from '../source/look-failure.ts'
import { repositoryOf } from './select.ts'

const CHARS = 'repository can only contain the characters `abcdefghijklmnopqrstuvwxyz0123456789_-./`'
const digest = `sha256:${'0'.repeat(64)}`
/** Flux's words, recorded from source-controller 1.9.4; `safe` where ours help more. */
const cases: readonly { readonly name: string; readonly flux: string; readonly safe?: string }[] = [
  { name: '', flux: 'a repository name must be specified' },
  {
    name: '127.0.0.1:5000/a/app:1.0.0',
    flux: `${CHARS}: a/app:1.0.0`,
    safe: "URL must not contain a tag; remove ':1.0.0'",
  },
  { name: `ghcr.io/a/app@${digest}`, flux: `${CHARS}: a/app@${digest}` },
  { name: '127.0.0.1:5000', flux: `${CHARS}: 127.0.0.1:5000` },
  { name: 'ghcr.io/a/App', flux: `${CHARS}: a/App` },
  { name: 'ghcr.io/a', flux: 'repository must be between 2 and 255 characters in length: a' },
]
for (const { name, flux, safe = flux } of cases)
  for (const [traps, want] of [
    ['flux', flux],
    ['safe', safe],
  ] as const)
    test(`oci://${name} is no repository, --traps ${traps}`, () =>
      assert.throws(
        () => repositoryOf(`oci://${name}`, traps),
        (error) =>
          error instanceof LookFailure &&
          error.outcome.message === `URL validation failed for 'oci://${name}': ${want}`,
      ))

test('a repository is one with a registry', () =>
  assert.deepEqual(repositoryOf('oci://127.0.0.1:5000/a/app', 'flux'), {
    host: '127.0.0.1:5000',
    repository: 'a/app',
  }))

for (const name of ['ghcr.io/a/app/', 'ghcr.io//a/app', 'ghcr.io/a//app//'])
  test(`oci://${name} is the repository without the slashes too many`, () =>
    assert.deepEqual(repositoryOf(`oci://${name}`, 'safe'), { host: 'ghcr.io', repository: 'a/app' }))
