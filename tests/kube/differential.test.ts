// The same random requests to kubed and to the real API server: the same answers, the same objects in the end.
// SLUICE_SEQUENCES (40 a kind) and SLUICE_SEED choose how many and which.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { essence } from './compare.ts'
import { KINDS, randomOperation } from './operations.ts'
import { randomFrom } from './random.ts'
import { type Answer, type Api, targets } from './server.ts'

const SEQUENCES = Number(process.env.SLUICE_SEQUENCES ?? 40)
const LENGTH = 8
const seed = Number(process.env.SLUICE_SEED ?? Date.now() % 100_000)
const [ours, real] = targets
const skip = real?.skip ?? false
const apis: Api[] = []

before(async () => {
  if (skip !== false) return
  for (const target of [ours, real]) {
    const api = await target?.start()
    if (api === undefined) continue
    apis.push(api)
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'same' } }
    assert.equal((await api.call('POST', '/api/v1/namespaces', namespace)).code, 201)
  }
})
after(async () => {
  for (const api of apis) await api.close()
})

for (const kind of KINDS)
  test(`random operations on a ${kind.name} end alike on both (seed ${seed})`, { skip }, async () => {
    const collection = kind.collection('same')
    const run = async (number: number): Promise<void> => {
      const random = randomFrom(number)
      const name = `o${number}`
      const told: string[] = []
      for (let step = 0; step < LENGTH; step++) {
        const { method, path, type, body } = randomOperation(random, kind, name)
        told.push(`${method} ${path} ${type} ${JSON.stringify(body)}`)
        const [left, right] = await both((api) => api.call(method, collection + path, body, type))
        assert.deepEqual(shown(left), shown(right), `seed ${number}:\n${told.join('\n')}`)
      }
      const [left, right] = await both((api) => api.call('GET', `${collection}/${name}`))
      assert.deepEqual(shown(left), shown(right), `seed ${number}:\n${told.join('\n')}`)
      await both((api) => api.call('DELETE', `${collection}/${name}`))
    }
    for (let at = 0; at < SEQUENCES; at += 8)
      await Promise.all(Array.from({ length: Math.min(8, SEQUENCES - at) }, (_, index) => run(seed + at + index)))
  })

async function both(ask: (api: Api) => Promise<Answer>): Promise<[Answer, Answer]> {
  const [left, right] = await Promise.all(apis.map(ask))
  assert.ok(left !== undefined && right !== undefined)
  return [left, right]
}

function shown({ code, body }: Answer): unknown {
  return { code, body: essence(body) }
}
