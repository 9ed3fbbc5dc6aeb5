import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeClient } from '../../kube/types.ts'
import { loadLogin } from './login.ts'

const basic = (login: string): string => `Basic ${Buffer.from(login).toString('base64')}`

/** What source-controller 1.9.1 makes of an address and a Secret: the header, or its words. */
const cases: readonly (readonly [it: string, url: string, keys: Readonly<Record<string, string>>, want: string])[] = [
  ['a login in the address', 'http://user:pass@h/r', {}, basic('user:pass')],
  ['a login in the Secret before one in the address', 'http://x:y@h/r', { username: 'u', password: 'p' }, basic('u:p')],
  ['a name in the address, a password in the Secret', 'http://u@h/r', { password: 'p' }, basic('u:p')],
  ['a token', 'http://h/r', { bearerToken: 't' }, 'Bearer t'],
  [
    'a token before a login of the same Secret',
    'http://h/r',
    { bearerToken: 't', username: 'u', password: 'p' },
    'Bearer t',
  ],
  [
    'a token beside a login in the address',
    'http://u:p@h/r',
    { bearerToken: 't' },
    'basic auth and bearer token cannot be set at the same time',
  ],
]
for (const [it, url, keys, want] of cases)
  test(`a Git login: ${it}`, async () => {
    const data = Object.fromEntries(
      Object.entries(keys).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    )
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data }
    const client = { get: async () => secret } as unknown as KubeClient
    const wish = { namespace: 'ns', url, secretName: 's', proxySecretName: undefined }
    const loading = loadLogin(client, wish, '/nowhere')
    if (/^(Basic|Bearer) /.test(want)) assert.equal((await loading).http.authorization, want)
    else await assert.rejects(loading, { message: want })
  })
