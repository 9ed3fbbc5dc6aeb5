import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findLogin } from './docker-config.ts'
import { parseRepository } from './reference.ts'

const login = (username: string) => ({ username, password: 'p' })
const base64 = (text: string): string => Buffer.from(text).toString('base64')

// As the keychain of go-containerregistry resolves them, but for the names of Docker's own registry, which are one here.
const rows: readonly {
  readonly it: string
  readonly keys: readonly string[]
  readonly image: string
  readonly want: string | undefined
}[] = [
  { it: 'the host', keys: ['ghcr.io'], image: 'ghcr.io/a/b', want: 'ghcr.io' },
  { it: 'a URL', keys: ['https://ghcr.io/v2/'], image: 'ghcr.io/a/b', want: 'https://ghcr.io/v2/' },
  { it: 'a path', keys: ['ghcr.io', 'ghcr.io/a', 'ghcr.io/b'], image: 'ghcr.io/a/b', want: 'ghcr.io/a' },
  { it: 'the longest path', keys: ['r.io/a', 'r.io/a/b', 'r.io/a/c'], image: 'r.io/a/b', want: 'r.io/a/b' },
  { it: 'a path behind /v1', keys: ['r.io/v1/a'], image: 'r.io/a/b', want: 'r.io/v1/a' },
  { it: 'a path of another', keys: ['ghcr.io/b'], image: 'ghcr.io/a/b', want: undefined },
  { it: 'a star', keys: ['*.azurecr.io'], image: 'acme.azurecr.io/web', want: '*.azurecr.io' },
  { it: 'a star within', keys: ['a*e.io'], image: 'acme.io/web', want: 'a*e.io' },
  { it: 'the host before a star', keys: ['*.r.io', 'a.r.io'], image: 'a.r.io/web', want: 'a.r.io' },
  { it: 'a star for one part only', keys: ['*.io'], image: 'a.r.io/web', want: undefined },
  { it: 'the port', keys: ['r.io', 'r.io:5000'], image: 'r.io:5000/web', want: 'r.io:5000' },
  { it: 'no other port', keys: ['r.io:5001', 'r.io'], image: 'r.io:5000/web', want: undefined },
  {
    it: 'Docker’s registry by its old name',
    keys: ['https://index.docker.io/v1/'],
    image: 'nginx',
    want: 'https://index.docker.io/v1/',
  },
]
for (const { it, keys, image, want } of rows)
  test(`a login is found by ${it}`, () => {
    const auths = Object.fromEntries(keys.map((key) => [key, login(key)]))
    assert.equal(findLogin(auths, parseRepository(image)!)?.username, want)
  })

const entries: readonly [entry: unknown, want: object | undefined][] = [
  [{ auth: base64('a:b:c') }, { username: 'a', password: 'b:c' }],
  [
    { auth: base64('a:b'), username: 'x', password: 'y' },
    { username: 'a', password: 'b' },
  ],
  [
    { auth: '', username: 'x', password: 'y' },
    { username: 'x', password: 'y' },
  ],
  [{ auth: base64('ab') }, undefined],
  [{ username: 'x' }, { username: 'x', password: '' }],
  ['ab', undefined],
]
for (const [entry, want] of entries)
  test(`the login of ${JSON.stringify(entry)}`, () =>
    assert.deepEqual(findLogin({ 'r.io': entry }, parseRepository('r.io/web')!), want))
