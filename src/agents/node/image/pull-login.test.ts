import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { pullLogin } from './pull-login.ts'

const base64 = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64')
const auth = (login: string) => ({ auth: base64(login) })

const SECRETS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  new: { '.dockerconfigjson': base64({ auths: { 'https://ghcr.io/v2/': auth('a:b:c'), 'r.io:5000': auth('d:e') } }) },
  old: { '.dockercfg': base64({ 'old.io': { username: 'o', password: 'p' } }) },
  other: { '.dockerconfigjson': base64({ auths: {} }) },
  broken: { '.dockerconfigjson': base64('{') },
}
const client = {
  get: async ({ name }: { name: string }): Promise<KubeObject | undefined> => {
    const data = SECRETS[name]
    return data && { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data }
  },
}
const ask = (names: readonly string[], host: string) =>
  pullLogin(
    client,
    'shop',
    names.map((name) => ({ name })),
    { host, repository: 'web' },
  )

test('the first secret that speaks of a host counts, in both forms of docker', async () => {
  assert.deepEqual((await ask(['other', 'new'], 'ghcr.io')).login, { username: 'a', password: 'b:c' })
  assert.deepEqual((await ask(['new'], 'r.io:5000')).login, { username: 'd', password: 'e' })
  assert.deepEqual((await ask(['new', 'old'], 'old.io')).login, { username: 'o', password: 'p' })
  assert.deepEqual(await ask(['new'], 'elsewhere.io'), { login: undefined, missing: [] })
})

test('secrets that are not there are named, broken ones refused', async () => {
  assert.deepEqual((await ask(['none', 'old', 'gone'], 'x.io')).missing, ['none', 'gone'])
  await assert.rejects(ask(['broken'], 'x.io'), /not JSON/)
})
