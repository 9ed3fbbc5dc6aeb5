import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { connect } from 'node:tls'
import { type Kubed, serveKubed } from '../../src/embedded/kubed/serve.ts'

type Access = { readonly server: string; readonly token: string }
type Answer = { readonly code: number; readonly body: Record<string, unknown> & { metadata: Record<string, unknown> } }

const dir = mkdtempSync(join(tmpdir(), 'kubed-'))
let kubed: Kubed

before(async () => {
  kubed = await serveKubed({ stateDir: dir, port: 0 })
})
after(async () => {
  await kubed.close()
  rmSync(dir, { recursive: true, force: true })
})

function call(
  { server, token }: Access,
  method: string,
  path: string,
  body?: unknown,
  type = 'application/json',
): Promise<Answer> {
  return new Promise((done, failed) => {
    const outgoing = request(
      `${server}${path}`,
      {
        method,
        rejectUnauthorized: false,
        agent: false,
        headers: { authorization: `Bearer ${token}`, 'content-type': type, 'user-agent': 'test/1' },
      },
      (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')))
        response.on('end', () => done({ code: response.statusCode ?? 0, body: JSON.parse(text) as Answer['body'] }))
      },
    )
    outgoing.on('error', failed)
    outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

const configMap = (name: string, data: Record<string, string>): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
})
const MAPS = '/api/v1/namespaces/default/configmaps'

test('kubed applies twice as once, keeps owners apart, and refuses a conflict', async () => {
  const path = `${MAPS}/owned`
  const apply = (manager: string, data: Record<string, string>, force = false): Promise<Answer> =>
    call(
      kubed,
      'PATCH',
      `${path}?fieldManager=${manager}&force=${force}`,
      configMap('owned', data),
      'application/apply-patch+yaml',
    )
  assert.equal((await apply('one', { a: '1', b: '1' })).code, 201)
  const again = await apply('one', { a: '1', b: '1' })
  const third = await apply('one', { a: '1', b: '1' })
  assert.equal(again.body.metadata.resourceVersion, third.body.metadata.resourceVersion)
  const conflict = await apply('two', { a: '2' })
  assert.equal(conflict.code, 409)
  assert.match(String(conflict.body.message), /conflict with "one": \.data\.a/)
  assert.deepEqual((await apply('two', { a: '2' }, true)).body.data, { a: '2', b: '1' })
  assert.deepEqual((await apply('one', { b: '1' })).body.data, { a: '2', b: '1' })
  assert.deepEqual((await apply('two', {})).body.data, { b: '1' })
})

test('kubed leaves no trace of a dry run, and none of a write that changes nothing', async () => {
  const made = await call(kubed, 'POST', MAPS, configMap('same', { a: '1' }))
  assert.equal(made.code, 201)
  assert.equal((await call(kubed, 'POST', `${MAPS}?dryRun=All`, configMap('never', {}))).code, 201)
  assert.equal((await call(kubed, 'GET', `${MAPS}/never`)).code, 404)
  const put = await call(kubed, 'PUT', `${MAPS}/same`, configMap('same', { a: '1' }))
  assert.equal(put.body.metadata.resourceVersion, made.body.metadata.resourceVersion)
  const old = { ...configMap('same', { a: '2' }), metadata: { name: 'same', resourceVersion: '1' } }
  assert.equal((await call(kubed, 'PUT', `${MAPS}/same`, old)).code, 409)
})

test('kubed says on an evicted pod why it ends, and a budget loses nothing by a dry run', async () => {
  const space = '/api/v1/namespaces/default'
  const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets'
  const merge = 'application/merge-patch+json'
  const labels = { app: 'evicted' }
  await call(kubed, 'POST', `${space}/serviceaccounts`, { kind: 'ServiceAccount', metadata: { name: 'default' } })
  const spec = { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] }
  const metadata = { name: 'evicted', labels, finalizers: ['example.com/hold'] }
  await call(kubed, 'POST', `${space}/pods`, { apiVersion: 'v1', kind: 'Pod', metadata, spec })
  await call(
    kubed,
    'PATCH',
    `${space}/pods/evicted/status`,
    { status: { phase: 'Running', conditions: [READY] } },
    merge,
  )
  const selector = { matchLabels: labels }
  await call(kubed, 'POST', budgets, { metadata: { name: 'b' }, spec: { minAvailable: 0, selector } })
  await call(kubed, 'PATCH', `${budgets}/b/status`, { status: { disruptionsAllowed: 2, observedGeneration: 1 } }, merge)

  const evict = (deleteOptions: object): Promise<Answer> =>
    call(kubed, 'POST', `${space}/pods/evicted/eviction`, { metadata: { name: 'evicted' }, deleteOptions })
  assert.equal((await evict({ dryRun: ['All'] })).code, 201)
  assert.deepEqual((await call(kubed, 'GET', `${budgets}/b`)).body.status, { ...ALLOWED, disruptionsAllowed: 2 })
  assert.equal((await evict({ preconditions: { resourceVersion: '1' } })).code, 409)
  const { body: kept } = await call(kubed, 'GET', `${space}/pods/evicted`)
  const { resourceVersion } = kept.metadata
  assert.equal((await evict({ preconditions: { resourceVersion } })).code, 201)
  const { metadata: ended, status } = (await call(kubed, 'GET', `${space}/pods/evicted`)).body
  const { conditions = [] } = status as { conditions?: { type: string; reason?: string }[] }
  assert.equal(typeof ended.deletionTimestamp, 'string')
  assert.equal(conditions.find(({ type }) => type === 'DisruptionTarget')?.reason, 'EvictionByEvictionAPI')
})

const READY = { type: 'Ready', status: 'True' }
const ALLOWED = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0, observedGeneration: 1 }

test('kubed holds an object until its finalizers are gone', async () => {
  await call(kubed, 'POST', MAPS, {
    ...configMap('held', {}),
    metadata: { name: 'held', finalizers: ['example.com/hold'] },
  })
  const marked = await call(kubed, 'DELETE', `${MAPS}/held`)
  assert.equal(typeof marked.body.metadata.deletionTimestamp, 'string')
  await call(kubed, 'PATCH', `${MAPS}/held`, { metadata: { finalizers: null } }, 'application/merge-patch+json')
  assert.equal((await call(kubed, 'GET', `${MAPS}/held`)).code, 404)
})

test('kubed serves every version of a definition, with defaults, pruning and status apart', async () => {
  const version = (name: string, storage: boolean): object => ({
    name,
    served: true,
    storage,
    subresources: { status: {} },
    schema: {
      openAPIV3Schema: {
        type: 'object',
        properties: {
          spec: { type: 'object', properties: { size: { type: 'integer', default: 3, minimum: 1 } } },
          status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, default: { seen: -1 } },
        },
      },
    },
  })
  await call(kubed, 'POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
      versions: [version('v1', true), version('v1beta1', false)],
    },
  })
  const path = '/apis/example.com/v1beta1/namespaces/default/widgets'
  const made = await call(kubed, 'POST', path, {
    apiVersion: 'example.com/v1beta1',
    kind: 'Widget',
    metadata: { name: 'w' },
    spec: { colour: 'red' },
    status: { x: 1 },
  })
  assert.deepEqual(made.body.spec, { size: 3 })
  assert.deepEqual(made.body.status, { seen: -1 })
  const other = await call(kubed, 'GET', '/apis/example.com/v1/namespaces/default/widgets/w')
  assert.equal(other.body.apiVersion, 'example.com/v1')
  const bad = await call(kubed, 'PATCH', `${path}/w`, { spec: { size: 0 } }, 'application/merge-patch+json')
  assert.equal(bad.code, 422)
  const status = await call(
    kubed,
    'PATCH',
    `${path}/w/status`,
    { status: { ready: true }, spec: { size: 9 } },
    'application/merge-patch+json',
  )
  assert.deepEqual([status.body.spec, status.body.status], [{ size: 3 }, { seen: -1, ready: true }])
  assert.equal(status.body.metadata.generation, 1)
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  assert.equal((await call(kubed, 'DELETE', `${definitions}/widgets.example.com`)).code, 200)
})

test('kubed takes a large request right behind a large answer, on one connection', async () => {
  const { server, token } = kubed
  const { hostname, port } = new URL(server)
  const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false })
  const body = JSON.stringify(configMap('large', { text: 'x'.repeat(600_000) }))
  const head = `HTTP/1.1\r\nhost: kubed\r\nauthorization: Bearer ${token}\r\n`
  const post = `POST ${MAPS} ${head}connection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  socket.write(`GET /openapi/v2 ${head}accept: application/json\r\n\r\n${post}`)
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  assert.match(text, /HTTP\/1\.1 201 Created/)
  assert.equal((await call(kubed, 'DELETE', `${MAPS}/large`)).code, 200)
})

test('kubed gives a service its address, and keeps it', async () => {
  const services = '/api/v1/namespaces/default/services'
  const service = (port: number): object => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's' },
    spec: { type: 'NodePort', selector: { a: 'b' }, ports: [{ port }] },
  })
  const made = await call(kubed, 'POST', services, service(80))
  const spec = made.body.spec as { clusterIP: string; ports: { nodePort: number }[] }
  assert.match(spec.clusterIP, /^10\.96\./)
  assert.ok((spec.ports[0]?.nodePort ?? 0) >= 30000)
  const replaced = await call(kubed, 'PUT', `${services}/s`, service(80))
  assert.equal((replaced.body.spec as { clusterIP: string }).clusterIP, spec.clusterIP)
})

test('kubed refuses who does not know the token', async () => {
  assert.equal((await call({ ...kubed, token: 'wrong' }, 'GET', MAPS)).code, 401)
})

const kubectl = spawnSync('kubectl', ['version', '--client']).status === 0
test('kubed serves kubectl', { skip: kubectl ? false : 'no kubectl on PATH' }, async () => {
  const run = (...args: string[]): Promise<string> =>
    new Promise((done, failed) => {
      const child = spawn('kubectl', ['--kubeconfig', kubed.kubeconfig, `--cache-dir=${join(dir, 'cache')}`, ...args])
      let text = ''
      child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')))
      child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')))
      child.on('close', (code) => (code === 0 ? done(text) : failed(new Error(`kubectl ${args.join(' ')}: ${text}`))))
    })
  await run('create', 'deployment', 'web', '--image=registry/web:1')
  assert.match(await run('get', 'deployments'), /NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +0\/1 +0 +0 /)
  await run('set', 'image', 'deployment/web', 'web=registry/web:2')
  await run('scale', 'deployment/web', '--replicas=4')
  assert.equal(
    await run('get', 'deployment', 'web', '-o', 'jsonpath={.spec.replicas} {.spec.template.spec.containers[0].image}'),
    '4 registry/web:2',
  )
  assert.match(await run('explain', 'deployment.spec.strategy'), /rollingUpdate/)
  assert.match(await run('auth', 'can-i', 'create', 'pods'), /yes/)
  await run('delete', 'deployment', 'web')
})

test('kubed loses nothing acknowledged by kill -9, and never repeats a version', async () => {
  const state = mkdtempSync(join(tmpdir(), 'kubed-kill-'))
  const written: string[] = []
  let lastVersion = 0
  for (let round = 0; round < 3; round++) {
    const { child, access } = await startChild(state)
    for (const name of written) assert.equal((await call(access, 'GET', `${MAPS}/${name}`)).code, 200, name)
    for (let i = 0; ; i++) {
      const name = `k${round}-${i}`
      const answer = await call(access, 'POST', MAPS, configMap(name, { i: String(i) })).catch(() => undefined)
      if (answer === undefined) break
      assert.equal(answer.code, 201)
      written.push(name)
      const version = Number(answer.body.metadata.resourceVersion)
      assert.ok(version > lastVersion, `${version} after ${lastVersion}`)
      lastVersion = version
      if (i === 5 + round) child.kill('SIGKILL')
    }
  }
  assert.ok(written.length > 3)
  rmSync(state, { recursive: true, force: true })
})

async function startChild(state: string): Promise<{ child: ChildProcess; access: Access }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'tests/kubed/server.ts', state], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout }))
    return { child, access: JSON.parse(line) as Access }
  throw new Error('the server ended before it was ready')
}

test('a port that is taken is told, and nothing stays open that would keep the process', async () => {
  const other = join(dir, 'other')
  const port = Number(new URL(kubed.server).port)
  const program = `import { serveKubed } from ${JSON.stringify(resolve('src/embedded/kubed/serve.ts'))}
    await serveKubed({ stateDir: ${JSON.stringify(other)}, port: ${port}, isAlsoPlain: true }).catch((error) => console.log(error.code))`
  const run = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    ...{ encoding: 'utf8', timeout: 60_000, killSignal: 'SIGKILL' },
  })
  assert.deepEqual([run.stdout, run.status, run.signal], ['PORT_IN_USE\n', 0, null])
})
