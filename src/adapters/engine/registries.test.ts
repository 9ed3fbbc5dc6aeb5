import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { KubeClient } from '../kube/types.ts'
import type { EngineContext } from './context.ts'
import { openRegistries } from './registries.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const plain = (user: string): object => ({ type: 'Opaque', data: { username: base64(user), password: base64('p') } })
const docker = (host: string, user: string): object => ({
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': base64(JSON.stringify({ auths: { [host]: { auth: base64(`${user}:p`) } } })) },
})

const logins: { it: string; secrets: (host: string) => object; traps?: 'flux'; user: string }[] = [
  {
    it: 'its own plain one, before that of its account',
    secrets: (host) => ({ own: plain('own'), pull: docker(host, 'account') }),
    user: 'own',
  },
  { it: 'its own of docker', secrets: (host) => ({ own: docker(host, 'own'), pull: plain('account') }), user: 'own' },
  {
    it: 'that of its account where its own is for another host',
    secrets: (host) => ({ own: docker('other', 'own'), pull: docker(host, 'account') }),
    user: 'account',
  },
  {
    it: 'the plain one of its account at last',
    secrets: () => ({ own: docker('other', 'own'), pull: plain('account') }),
    user: 'account',
  },
  {
    it: 'none that is plain, as Flux',
    secrets: (host) => ({ own: plain('own'), pull: docker(host, 'account') }),
    traps: 'flux',
    user: 'account',
  },
]
for (const { it, secrets, traps = 'safe', user } of logins)
  test(`an object with a Secret and a service account logs in with ${it}`, async (t) => {
    const seen = new Set<string>()
    const server = createServer((request, response) => {
      const login = request.headers.authorization?.slice('Basic '.length)
      if (login !== undefined) seen.add(Buffer.from(login, 'base64').toString())
      response
        .writeHead(login === undefined ? 401 : 200, { 'www-authenticate': 'Basic realm="x"' })
        .end('{"tags":["1"]}')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const objects: Readonly<Record<string, object>> = {
      ...secrets(host),
      default: { imagePullSecrets: [{ name: 'pull' }] },
    }
    const client = { get: async ({ name }: { name: string }) => ({ metadata: { name }, ...objects[name] }) }
    const registries = openRegistries({
      ...{ client: client as unknown as KubeClient, registryAliases: {}, traps },
    } as unknown as EngineContext)
    t.after(() => {
      registries.close()
      server.close()
    })
    const image = { host, repository: 'a/b' }
    const access = { namespace: 'n', secretName: 'own', serviceAccountName: 'default' }
    const reach = { certSecretName: undefined, proxySecretName: undefined, isInsecure: true }
    const registry = await registries.clientFor({ ...access, ...reach }, image as never)
    await registry.listTags(image as never, {} as never)
    assert.deepEqual([...seen], [`${user}:p`])
  })
