import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { ApiError } from './api-error.ts'
import { clientFromKubeconfig, type HttpKubeClient } from './client.ts'
import { readKubeconfig } from './kubeconfig.ts'
import { shareCaches } from './shared-caches.ts'
import type { KubeClient } from './types.ts'
import { splitLines } from './watch-stream.ts'
import { systemClock } from '../clock.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'

type Asked = { readonly method: string; readonly url: string; readonly type: string; readonly body: string }
type Answer = (asked: Asked, response: ServerResponse, request: IncomingMessage) => unknown

const core = {
  kind: 'APIResourceList',
  groupVersion: 'v1',
  resources: [
    { name: 'configmaps', kind: 'ConfigMap', namespaced: true, verbs: ['get', 'list', 'watch'] },
    { name: 'pods', kind: 'Pod', namespaced: true, verbs: ['get'] },
    { name: 'pods/status', kind: 'Pod', namespaced: true, verbs: ['get'] },
    { name: 'namespaces', kind: 'Namespace', namespaced: false, verbs: ['get'] },
  ],
}

async function withServer(
  answer: Answer,
  body: (client: HttpKubeClient, log: Asked[]) => Promise<void>,
  timeoutMs = 5000,
) {
  const log: Asked[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const asked = {
      method: request.method ?? '',
      url: request.url ?? '',
      type: request.headers['content-type'] ?? '',
      body: text,
    }
    log.push(asked)
    if (asked.url === '/api/v1') return void response.end(JSON.stringify(core))
    const value = answer(asked, response, request)
    if (value !== undefined && !response.writableEnded) response.end(JSON.stringify(value))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = clientFromKubeconfig(kubeconfig((server.address() as AddressInfo).port), { timeoutMs })
  try {
    await body(client, log)
  } finally {
    client.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

function kubeconfig(port: number, user: object = { token: 't0ken' }): string {
  return JSON.stringify({
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'k', user: 'u', namespace: 'apps' } }],
    clusters: [{ name: 'k', cluster: { server: `http://127.0.0.1:${port}/` } }],
    users: [{ name: 'u', user }],
  })
}

const configMap = (name: string, resourceVersion: string, uid = `uid-${name}`) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'a', resourceVersion, uid },
})
const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'a', name: 'x' }
const write = { fieldManager: 'test' }

test('a kubeconfig that wants to run a program is refused by name', () => {
  for (const refused of ['exec', 'auth-provider'])
    assert.throws(() => readKubeconfig(kubeconfig(1, { [refused]: { command: '/bin/sh' } })), {
      code: 'KUBE_CONFIG',
      message: new RegExp(refused),
    })
})

test('a kubeconfig given as text may not name files', () => {
  assert.throws(() => readKubeconfig(kubeconfig(1, { tokenFile: '/etc/passwd' })), { code: 'KUBE_CONFIG' })
})

test('a kubeconfig says what is missing', () => {
  assert.throws(() => readKubeconfig('/nowhere/kubeconfig'), { code: 'KUBE_CONFIG', message: /cannot read/ })
  assert.throws(() => readKubeconfig('{}\n'), { message: /no current-context/ })
  assert.throws(() => readKubeconfig(kubeconfig(1), 'other'), { message: /no context "other"/ })
})

test('get answers undefined for what does not exist, and sends the token', async () => {
  let authorization: string | undefined
  await withServer(
    (_asked, response, request) => {
      authorization = request.headers.authorization
      response.statusCode = 404
      return { kind: 'Status', reason: 'NotFound', message: 'configmaps "x" not found', code: 404 }
    },
    async (client) => {
      assert.equal(await client.get(ref), undefined)
      assert.equal(await client.delete(ref), false)
    },
  )
  assert.equal(authorization, 'Bearer t0ken')
})

test('a refusal keeps reason, code, text and details', async () => {
  await withServer(
    (_asked, response) => {
      response.statusCode = 409
      return { kind: 'Status', reason: 'Conflict', message: 'it has been modified', code: 409, details: { name: 'x' } }
    },
    (client) =>
      assert.rejects(
        client.replace(configMap('x', '1'), write),
        (error: unknown) =>
          error instanceof ApiError &&
          error.status === 409 &&
          error.reason === 'Conflict' &&
          error.message === 'it has been modified',
      ),
  )
})

test('writes go to the right path with manager, dry run, force and media type', async () => {
  await withServer(
    () => configMap('x', '2'),
    async (client, log) => {
      await client.create(configMap('x', ''), { ...write, dryRun: true, fieldValidation: 'Strict' })
      await client.patch(ref, 'apply', { a: 1 }, { ...write, force: true })
      await client.patch({ ...ref, kind: 'Pod' }, 'strategic', {}, { ...write, subresource: 'status' })
      await client.patch(ref, 'json', [], write)
      await client.delete(ref, { propagationPolicy: 'Foreground', uid: 'u' })
      await client.create(
        { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'p', namespace: 'a' } },
        { ...write, subresource: 'binding' },
      )
      assert.deepEqual(
        log.slice(1).map(({ method, url, type }) => [method, url, type]),
        [
          [
            'POST',
            '/api/v1/namespaces/a/configmaps?fieldManager=test&dryRun=All&fieldValidation=Strict',
            'application/json',
          ],
          [
            'PATCH',
            '/api/v1/namespaces/a/configmaps/x?fieldManager=test&force=true&fieldValidation=Ignore',
            'application/apply-patch+yaml',
          ],
          [
            'PATCH',
            '/api/v1/namespaces/a/pods/x/status?fieldManager=test&fieldValidation=Ignore',
            'application/strategic-merge-patch+json',
          ],
          [
            'PATCH',
            '/api/v1/namespaces/a/configmaps/x?fieldManager=test&fieldValidation=Ignore',
            'application/json-patch+json',
          ],
          ['DELETE', '/api/v1/namespaces/a/configmaps/x', 'application/json'],
          ['POST', '/api/v1/namespaces/a/pods/p/binding?fieldManager=test&fieldValidation=Ignore', 'application/json'],
        ],
      )
      assert.deepEqual(JSON.parse(log[5]?.body ?? ''), {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: 'Foreground',
        preconditions: { uid: 'u' },
      })
    },
  )
})

test('names that would walk the path are refused before they are sent', async () => {
  await withServer(
    () => ({}),
    async (client, log) => {
      for (const name of ['..', 'a/b', '%2e', ''])
        await assert.rejects(client.get({ ...ref, name }), { code: 'OBJECT_INVALID' })
      assert.equal(log.length, 1)
    },
  )
})

test('a patch of a kind that is gone says what was asked, as Kubernetes says it', async () => {
  await withServer(
    (_asked, response) => void ((response.statusCode = 404), response.end('404 page not found')),
    async (client) =>
      assert.rejects(client.patch({ ...ref, name: 'a' }, 'merge', {}, { fieldManager: 'm' }), {
        status: 404,
        message: 'the server could not find the requested resource (patch configmaps a)',
      }),
  )
})

test('a kind is looked up once, and once more when it is unknown', async () => {
  await withServer(
    (_asked, response) => void ((response.statusCode = 404), response.end('404 page not found')),
    async (client, log) => {
      const [first, second] = await Promise.all([client.resource('v1', 'Pod'), client.resource('v1', 'ConfigMap')])
      assert.equal(first?.plural, 'pods')
      assert.equal(second?.plural, 'configmaps')
      assert.equal(log.length, 1)
      assert.equal(await client.resource('v1', 'Nothing'), undefined)
      assert.deepEqual(await client.resource('v1', 'configmap'), second, 'as Go clients find it')
      assert.equal(log.length, 2)
      await assert.rejects(client.get({ ...ref, apiVersion: 'x.io/v1', kind: 'X' }), {
        reason: 'NoKindMatch',
        message: 'no matches for kind "X" in version "x.io/v1"',
      })
    },
  )
})

test('a list reads all pages and names the kind of every item', async () => {
  await withServer(
    ({ url }) => {
      const isSecond = url.includes('continue=more')
      return {
        kind: 'ConfigMapList',
        metadata: { resourceVersion: '7', ...(!isSecond && { continue: 'more' }) },
        items: [{ metadata: { name: isSecond ? 'b' : 'a', namespace: 'n' } }],
      }
    },
    async (client, log) => {
      const { items, resourceVersion } = await client.list({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        labelSelector: 'a=b',
      })
      assert.equal(resourceVersion, '7')
      assert.deepEqual(
        items.map((item) => [item.apiVersion, item.kind, item.metadata.name]),
        [
          ['v1', 'ConfigMap', 'a'],
          ['v1', 'ConfigMap', 'b'],
        ],
      )
      assert.equal(log[1]?.url, '/api/v1/configmaps?labelSelector=a%3Db&limit=500')
    },
  )
})

test('a list whose pages expired is read in one piece', async () => {
  await withServer(
    ({ url }, response) => {
      if (url.includes('continue=')) {
        response.statusCode = 410
        return { kind: 'Status', reason: 'Expired', message: 'too old', code: 410 }
      }
      const isPaged = url.includes('limit=')
      return { metadata: { resourceVersion: '9', ...(isPaged && { continue: 'm' }) }, items: [configMap('a', '1')] }
    },
    async (client) => assert.equal((await client.list({ apiVersion: 'v1', kind: 'ConfigMap' })).items.length, 1),
  )
})

test('an answer that never comes is a KUBE_UNREACHABLE, in time', async () => {
  await withServer(
    () => undefined,
    (client) =>
      assert.rejects(client.get(ref), { code: 'KUBE_UNREACHABLE', retry: 'backoff', message: /no complete answer/ }),
    50,
  ).catch((error: unknown) => {
    throw error
  })
})

test('a connection that breaks is tried again for what may be repeated, not for a create', async () => {
  let broken = 0
  await withServer(
    (_asked, _response, request) => (broken++ < 1 ? void request.socket.destroy() : configMap('x', '1')),
    async (client) => {
      assert.equal((await client.get(ref))?.metadata.name, 'x')
      broken = 0
      await assert.rejects(client.create(configMap('x', ''), write), { code: 'KUBE_UNREACHABLE' })
    },
  )
})

test('a server that is not there is a KUBE_UNREACHABLE with what to do', async () => {
  const client = clientFromKubeconfig(kubeconfig(1))
  await assert.rejects(
    client.get(ref),
    (error: unknown) => error instanceof SluiceError && error.code === 'KUBE_UNREACHABLE' && error.hint !== undefined,
  )
  client.close()
})

test('429 is obeyed', async () => {
  let refusals = 0
  await withServer(
    (_asked, response) => {
      if (refusals++ >= 2) return configMap('x', '1')
      response.statusCode = 429
      response.setHeader('retry-after', '0')
      return {}
    },
    async (client) => assert.equal((await client.create(configMap('x', ''), write)).metadata.name, 'x'),
  )
})

test('lines are cut whatever the chunks are', () => {
  const text = '{"a":1}\n{"b":"ä€"}\n\n{"c":3}\n'
  for (const size of [1, 2, 3, 7, 100]) {
    const lines: string[] = []
    const push = splitLines((line) => lines.push(line))
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; at += size) push(bytes.subarray(at, at + size))
    assert.deepEqual(lines, ['{"a":1}', '{"b":"ä€"}', '{"c":3}'])
  }
})

/** A server with one ConfigMap collection whose history the test writes. */
function history() {
  const watchers = new Set<ServerResponse>()
  let items = [configMap('a', '1')]
  let version = '1'
  let goneOnce = false
  const answer: Answer = ({ url }, response) => {
    if (!url.includes('watch=true')) return { metadata: { resourceVersion: version }, items }
    if (goneOnce) {
      goneOnce = false
      response.end(JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } }) + '\n')
      return undefined
    }
    watchers.add(response)
    response.on('close', () => watchers.delete(response))
    response.flushHeaders()
    return undefined
  }
  const send = (type: string, object: object): void => {
    for (const watcher of watchers) watcher.write(JSON.stringify({ type, object }) + '\n')
  }
  return {
    answer,
    send,
    watchers,
    expire(next: typeof items, nextVersion: string) {
      items = next
      version = nextVersion
      goneOnce = true
      for (const watcher of watchers) watcher.end()
    },
  }
}

function until(isTrue: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const deadlineMs = Date.now() + 60_000
    const look = (): void => {
      if (isTrue()) resolve()
      else if (Date.now() > deadlineMs) reject(new Error('it never came true'))
      else setTimeout(look, 2)
    }
    look()
  })
}

async function withCaches(
  body: (client: KubeClient, log: Asked[], server: ReturnType<typeof history>) => Promise<void>,
) {
  const server = history()
  await withServer(server.answer, (client, log) => body(client, log, server))
}

test('a cache follows additions, changes, deletions, and re-lists on 410', async () => {
  await withCaches(async (client, log, server) => {
    const caches = shareCaches(client, { clock: systemClock })
    const cache = caches.open({ apiVersion: 'v1', kind: 'ConfigMap' })
    const seen: string[] = []
    cache.onChange(({ metadata }, type) => seen.push(`${type} ${metadata.name}@${metadata.resourceVersion}`))
    await cache.ready
    await until(() => server.watchers.size === 1)
    server.send('ADDED', configMap('b', '2'))
    server.send('MODIFIED', {
      ...configMap('a', '3'),
      metadata: { ...configMap('a', '3').metadata, managedFields: [{}] },
    })
    server.send('DELETED', configMap('b', '4'))
    server.send('BOOKMARK', { kind: 'ConfigMap', metadata: { resourceVersion: '9' } })
    await until(() => seen.length === 4)
    assert.equal(cache.get('a', 'a')?.metadata.managedFields, undefined)
    server.expire([configMap('a', '10', 'other'), configMap('c', '11')], '12')
    await until(() => seen.length === 7)
    assert.deepEqual(seen, [
      'ADDED a@1',
      'ADDED b@2',
      'MODIFIED a@3',
      'DELETED b@4',
      'DELETED a@3',
      'ADDED a@10',
      'ADDED c@11',
    ])
    assert.ok(log.some(({ url }) => url.includes('resourceVersion=9')))
    assert.equal(cache.list('a').length, 2)
    caches.close()
  })
})

test('two users of a selection share one watch until both have closed', async () => {
  await withCaches(async (client, _log, server) => {
    const caches = shareCaches(client, { clock: systemClock })
    const [one, two] = [
      caches.open({ apiVersion: 'v1', kind: 'ConfigMap' }),
      caches.open({ apiVersion: 'v1', kind: 'ConfigMap' }),
    ]
    await Promise.all([one.ready, two.ready])
    await until(() => server.watchers.size === 1)
    const seen: string[] = []
    one.onChange(() => seen.push('one'))
    two.onChange(() => seen.push('two'))
    one.close()
    server.send('ADDED', configMap('b', '2'))
    await until(() => seen.length > 0)
    assert.deepEqual(seen, ['two'])
    two.close()
    await until(() => server.watchers.size === 0)
  })
})

test('a cache closed before its first list says so', async () => {
  await withServer(
    () => undefined,
    async (client) => {
      const caches = shareCaches(client, { clock: systemClock })
      const cache = caches.open({ apiVersion: 'v1', kind: 'ConfigMap' })
      cache.close()
      await assert.rejects(cache.ready, { code: 'KUBE_UNREACHABLE' })
    },
  )
})
