import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EngineEvent } from '../../engine/event.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { ApiError } from '../kube/api-error.ts'
import type { KubeClient } from '../kube/types.ts'
import { createEventWriter } from './events.ts'

const object = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'ns', name: 'a', uid: 'u', resourceVersion: '1' }

function told(atMs: number): EngineEvent {
  return { object, severity: 'info', reason: 'Applied', message: 'done', controller: 'c', atMs }
}

/** A server whose events may be gone, and that may refuse new ones. */
function world() {
  const events = new Map<string, number>()
  const server = { refuses: false }
  const client = {
    async create({ metadata: { name } }: KubeObject) {
      if (server.refuses) throw new ApiError(503, 'ServiceUnavailable', 'not now')
      events.set(name, 1)
    },
    async patch({ name }: { name: string }, _type: string, { count }: { count: number }) {
      if (!events.has(name)) throw new ApiError(404, 'NotFound', 'gone')
      events.set(name, count)
    },
  } as unknown as KubeClient
  return { events, server, client }
}

const settled = (): Promise<void> => new Promise(setImmediate)

test('the same event within ten minutes counts up the one that is there', async () => {
  const { events, client } = world()
  const { tell } = createEventWriter(client, assert.fail)
  for (const atMs of [0, 1_000, 2_000]) {
    tell(told(atMs))
    await settled()
  }
  assert.deepEqual([...events.values()], [3])
})

test('an event whose first write was refused is written when it is told again', async () => {
  const { events, server, client } = world()
  const log: string[] = []
  const { tell } = createEventWriter(client, (line) => log.push(line))
  server.refuses = true
  tell(told(0))
  await settled()
  server.refuses = false
  tell(told(1_000))
  await settled()
  assert.deepEqual([log.length, ...events.values()], [1, 1])
})

test('an event that somebody took away is written anew when it is told again', async () => {
  const { events, client } = world()
  const { tell } = createEventWriter(client, assert.fail)
  tell(told(0))
  await settled()
  events.clear()
  tell(told(1_000))
  await settled()
  assert.deepEqual([...events.values()], [1])
})

const failure = (message: string, atMs = 0): EngineEvent => ({
  ...told(atMs),
  ...{ severity: 'error', reason: 'Failed', message, annotations: { k: 'v' } },
})

/** What is made and what is counted up, in order. */
async function written(traps: 'safe' | 'flux', events: readonly EngineEvent[]): Promise<string[]> {
  const said: string[] = []
  const client = {
    create: async ({ message, metadata }: KubeObject & { message: string }) =>
      void said.push(`made ${message}${metadata.annotations ? '' : ' without annotations'}`),
    patch: async (_ref: unknown, _type: string, more: { count: number; message?: string }) =>
      void said.push(`${more.count} ${more.message ?? 'the same'}`),
  } as unknown as KubeClient
  const { tell, close } = createEventWriter(client, assert.fail, traps)
  for (const one of events) {
    tell(one)
    await settled()
  }
  await close()
  return said
}

const many = Array.from({ length: 11 }, (_, i) => failure(`text ${i}`))

test('with the traps of Flux the tenth text of a reason is combined with those that follow', async () => {
  const said = await written('flux', [...many, failure('text 3')])
  assert.deepEqual(said.slice(8), [
    'made text 8',
    'made (combined from similar events): text 9 without annotations',
    '2 (combined from similar events): text 10',
    '2 the same',
  ])
})

test('ten minutes later nothing is combined', async () =>
  assert.equal((await written('flux', [...many, failure('new', 11 * 60_000)])).at(-1), 'made new'))

test('safe, each text is told', async () => assert.equal((await written('safe', many)).at(-1), 'made text 10'))

test('who ends does not wait for a server that does not answer, once for each event', async () => {
  const answers: ((error: Error) => void)[] = []
  const client = { create: () => new Promise((_, reject) => answers.push(reject)) } as unknown as KubeClient
  const { tell, close } = createEventWriter(client, () => undefined)
  for (let at = 0; at < 20; at++) tell({ ...told(at), message: `done ${at}` })
  const closed = close()
  answers[0]?.(new Error('no complete answer'))
  answers[1]?.(new Error('no complete answer'))
  await closed
  assert.equal(answers.length, 2)
})

for (const [it, atMs] of [
  ['an hour', -3_600_000],
  ['ten days', -864_000_000],
] as const)
  test(`an event that is told again after the clock was set back by ${it} does not count up the one of then`, async () => {
    const { events, client } = world()
    const { tell } = createEventWriter(client, assert.fail)
    tell(told(0))
    tell(told(atMs))
    await settled()
    assert.deepEqual([...events.values()], [1, 1])
  })
