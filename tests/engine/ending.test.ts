import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import type { KubeObject } from '../../src/lib/kube/object.ts'
import type { KubeClient } from '../../src/adapters/kube/types.ts'
import { conditionOf } from '../../src/lib/kube/read.ts'
import {
  apply,
  ask,
  configMap,
  inWorld,
  kustomization,
  NS,
  refTo,
  startKubed,
  type World,
} from '../support/engine-world.ts'
import { LONG_MS, until } from '../support/wait.ts'

// An engine ends soon whatever the hosts do that it asks, and leaves nothing behind.
const SOURCE = 'source.toolkit.fluxcd.io/v1'
const IMAGE = 'image.toolkit.fluxcd.io/v1'

test('an engine that is stopped', { timeout: LONG_MS }, (t) =>
  inWorld(startKubed, 'safe', async (world) => {
    await t.test('does not wait for hosts that do not answer, and does not say that they failed', () => silent(world))
    await t.test('begins nothing that its record would not hear of', () => unnoted(world))
    await t.test('leaves no git process when it ends in the middle of a fetch', () => inTheMiddle(world))
  }),
)

type Host = { readonly address: string; readonly sockets: Socket[]; close(): void }

async function serve(onSocket: (socket: Socket) => void): Promise<Host> {
  const sockets: Socket[] = []
  const server: Server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    onSocket(socket)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const close = (): void => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, sockets, close }
}

function gitRepository(name: string, url: string): KubeObject {
  const spec = { interval: '1h', timeout: '10m', url, ref: { branch: 'main' }, secretRef: { name: 'git' } }
  return { apiVersion: SOURCE, kind: 'GitRepository', metadata: { name, namespace: NS }, spec }
}

async function silent({ client, restart }: World): Promise<void> {
  const host = await serve((socket) => void socket.resume())
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'git', namespace: NS } }
  await apply(client, { ...secret, stringData: { username: 'x', password: 't' } } as KubeObject)
  const metadata = { name: 'silent', namespace: NS }
  const spec = { interval: '1h', timeout: '10m', insecure: true }
  await apply(client, gitRepository('silent', `http://${host.address}/app.git`))
  await apply(client, {
    ...{ apiVersion: SOURCE, kind: 'Bucket', metadata },
    spec: { ...spec, endpoint: host.address, bucketName: 'app' },
  })
  await apply(client, {
    ...{ apiVersion: SOURCE, kind: 'OCIRepository', metadata },
    spec: { ...spec, url: `oci://${host.address}/app` },
  })
  await apply(client, {
    ...{ apiVersion: IMAGE, kind: 'ImageRepository', metadata },
    spec: { ...spec, image: `${host.address}/app` },
  })
  await until('all four hosts were asked', () => host.sockets.length >= 4)
  const asked = host.sockets.slice()
  await restart() // ten minutes later otherwise
  await until('nobody waits for their answers any more', () => asked.every((socket) => socket.closed))
  for (const [apiVersion, kind] of [
    [SOURCE, 'GitRepository'],
    [SOURCE, 'Bucket'],
    [SOURCE, 'OCIRepository'],
    [IMAGE, 'ImageRepository'],
  ] as const) {
    const ref = { ...refTo(apiVersion, kind, 'silent') }
    assert.notEqual(conditionOf(await client.get(ref), 'Ready')?.status, 'False', kind)
    await client.delete(ref)
  }
  host.close()
}

/** Its rehearsal lasts longer than the engine waits for who ends by itself. */
async function unnoted({ client, goOnWith, push, ready, restart, url }: World): Promise<void> {
  await push({ 'app/a.yaml': configMap('a', '1'), 'app/b.yaml': configMap('b', '1') }, 'first')
  await apply(client, gitRepository('app', url))
  await apply(client, kustomization('late', './app'))
  const first = await push({}, 'nothing new')
  await ready('late', first)
  const host = await serve((socket) => void socket.resume())
  await apply(client, gitRepository('silent', `http://${host.address}/app.git`))
  const [rehearsed, applied]: [string[], string[]] = [[], []]
  let isNew = false
  let letPass = (): void => undefined
  const mayPass = new Promise<void>((resolve) => (letPass = resolve))
  const patch: KubeClient['patch'] = async (ref, type, body, options) => {
    if (isNew && ref.kind === 'ConfigMap' && ref.namespace === NS) {
      const list = options.dryRun ? rehearsed : applied
      list.push(ref.name)
      if (options.dryRun) await mayPass
    }
    return client.patch(ref, type, body, options)
  }
  await goOnWith({ client: { ...client, patch } })
  await ask(client, 'late', 'anew')
  isNew = true
  const second = await push({ 'app/a.yaml': configMap('a', '2'), 'app/b.yaml': configMap('b', '2') }, 'second')
  const isOpen = (socket: Socket): boolean => !socket.closed
  await until('the apply is rehearsed', () => rehearsed.length === 2 && host.sockets.some(isOpen))
  const asked = host.sockets.filter(isOpen)
  const restarted = restart()
  await until('the engine has cut off who does not answer', () => asked.every((socket) => socket.closed))
  letPass()
  await restarted
  console.log('APPLIED', applied, rehearsed)
  assert.deepEqual(applied, [])
  await ready('late', second)
  for (const name of ['app', 'silent']) await client.delete(refTo(SOURCE, 'GitRepository', name))
  host.close()
}

async function inTheMiddle({ client, push, restart, url }: World): Promise<void> {
  await push({ 'app/a.yaml': configMap('a', '1') }, 'first')
  let letPass = (): void => undefined
  const mayPass = new Promise<void>((resolve) => (letPass = resolve))
  const door = await serve((socket) => {
    void mayPass.then(() => socket.pipe(connect(Number(new URL(url).port), '127.0.0.1')).pipe(socket))
  })
  await apply(client, gitRepository('middle', url.replace(new URL(url).host, door.address)))
  await until('the host was asked', () => door.sockets.length > 0)
  const suspended = { spec: { suspend: true } } // the next engine has nothing to ask of it
  await client.patch(refTo(SOURCE, 'GitRepository', 'middle'), 'merge', suspended, { fieldManager: 'test' })
  const restarted = restart()
  letPass()
  await restarted
  door.close()
  assert.deepEqual(
    childrenOfThisProcess().filter((command) => command.includes('mirrors')),
    [],
  )
}

function childrenOfThisProcess(): readonly string[] {
  const tasks = readdirSync('/proc/self/task')
  const pids = tasks.flatMap((task) => readFileSync(`/proc/self/task/${task}/children`, 'utf8').trim().split(' '))
  return pids
    .filter((pid) => pid !== '')
    .map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '))
}
