import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatReference, isTag, parseReference } from './reference.ts'

const digest = `sha256:${'a'.repeat(64)}`

const cases: { it: string; text: string; want: string | undefined }[] = [
  { it: 'fills in the hub', text: 'node:20', want: 'docker.io/library/node:20' },
  { it: 'keeps an organisation on the hub', text: 'acme/web', want: 'docker.io/acme/web' },
  { it: 'takes a host with a dot', text: 'ghcr.io/acme/web:1', want: 'ghcr.io/acme/web:1' },
  { it: 'takes a host with a port', text: '127.0.0.1:5000/web:1', want: '127.0.0.1:5000/web:1' },
  { it: 'takes localhost', text: 'localhost/web', want: 'localhost/web' },
  { it: 'does not take a plain first part for a host', text: 'registry/web:1', want: 'docker.io/registry/web:1' },
  { it: 'reads tag and digest', text: `ghcr.io/a/b:1@${digest}`, want: `ghcr.io/a/b:1@${digest}` },
  { it: 'refuses upper case', text: 'ghcr.io/Acme/web', want: undefined },
  { it: 'refuses a bad digest', text: 'a/b@sha256:12', want: undefined },
  { it: 'refuses a path that climbs', text: 'ghcr.io/../etc', want: undefined },
  { it: 'refuses an empty tag', text: 'web:', want: undefined },
  { it: 'refuses nothing', text: '', want: undefined },
]
for (const { it, text, want } of cases)
  test(`a reference ${it}`, () => {
    const found = parseReference(text)
    assert.equal(found && formatReference(found), want)
  })

test('a tag has 1 to 128 characters and does not start with a dot', () => {
  assert.deepEqual(['1.0.0', 'v1_2-3', '.a', '-a', '', 'a'.repeat(128), 'a'.repeat(129), 'a/b'].map(isTag), [
    true,
    true,
    false,
    false,
    false,
    true,
    false,
    false,
  ])
})
