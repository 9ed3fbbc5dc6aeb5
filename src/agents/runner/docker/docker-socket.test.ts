import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openDockerDoor } from './docker-socket.ts'
import type { BuildOrder, JobImages } from './images.ts'

/** Images that only build: the order is handed to the test. */
function images(onBuild: (order: BuildOrder) => Promise<void>): JobImages {
  const none = (): never => assert.fail('only builds are expected')
  return {
    async build(order) {
      await onBuild(order)
      return { imageId: 'sha256:1' }
    },
    ...{ tag: none, push: none, pull: none, list: none, inspect: none, login: none, logout: none, close: none },
  }
}

async function openDoor(t: TestContext, onBuild: (order: BuildOrder) => Promise<void> = async () => undefined) {
  const reach = { images: images(onBuild), addMask: () => undefined, signal: new AbortController().signal }
  const door = await openDockerDoor(reach)
  t.after(() => door.close())
  const call = (text: string): Socket => {
    const socket = connect(join(dirname(door.binFolder), 's'))
    socket.on('error', () => undefined)
    socket.write(text)
    return socket
  }
  return { door, call }
}

function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined
  return { promise: new Promise<T>((settle) => (resolve = settle)), resolve: (value) => resolve(value) }
}

const BUILD = `${JSON.stringify({ argv: ['build', '.'], cwd: '/', env: {}, input: '' })}\n`

/** All that was said until the other side closed. */
async function said(socket: Socket): Promise<string> {
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text
}

for (const text of [
  '{}',
  'null',
  '[]',
  '7',
  '{"argv":"build"}',
  '{"argv":[1],"cwd":"/","env":{},"input":""}',
  'no JSON',
])
  test(`what is no call is turned away, and the next call is served: ${text}`, async (t) => {
    const { call } = await openDoor(t)
    assert.equal(await said(call(`${text}\n`)), '')
    assert.match(await said(call(BUILD)), /{"x":0}/)
  })

for (const end of ['caller', 'door'] as const)
  test(`a build ends with its ${end}`, async (t) => {
    const started = deferred<undefined>()
    const ended = deferred<undefined>()
    const { door, call } = await openDoor(t, async ({ signal }) => {
      started.resolve(undefined)
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      ended.resolve(undefined)
    })
    const socket = call(BUILD)
    await started.promise
    if (end === 'caller') socket.destroy()
    else door.close()
    await ended.promise
    assert.ok(end === 'caller' || !existsSync(door.binFolder))
  })

test('who does not listen to what a build prints is hung up on', async (t) => {
  const ended = deferred<number>()
  const { call } = await openDoor(t, async ({ signal, log }) => {
    let lines = 0
    for (; !signal.aborted && lines < 200_000; lines++) {
      log('x'.repeat(1000))
      if (lines % 1000 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    ended.resolve(lines)
  })
  call(BUILD).pause()
  assert.ok((await ended.promise) < 100_000)
})
