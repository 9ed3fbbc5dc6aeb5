import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askNode } from './ask-node.ts'

const NODE = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } }

/** Asks for a Node that is there at the time `fromMs`. */
async function ask(fromMs: number, isOver: (nowMs: number) => boolean) {
  const pauses: number[] = []
  const said: string[] = []
  let nowMs = 0
  const clock = {
    after(ms: number, then: () => void) {
      pauses.push(ms)
      nowMs += ms
      setImmediate(then)
      return () => undefined
    },
  }
  const client = { get: async () => (nowMs < fromMs ? undefined : NODE) }
  const node = await askNode({ client, clock, name: 'n', log: (line) => void said.push(line) }, () => isOver(nowMs))
  return { node, pauses, said }
}

test('a Node that is gone is asked for with growing pauses, which is told once', async () => {
  const { node, pauses, said } = await ask(90_000, () => false)
  assert.equal(node, NODE)
  assert.deepEqual(pauses, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  assert.deepEqual(said, ['node n: pods wait until the Node can be read: there is no such Node'])
})

test('a Node that is gone is asked for as long as somebody wants it', async () => {
  const { node, pauses } = await ask(90_000, (nowMs) => nowMs > 5_000)
  assert.equal(node, undefined)
  assert.deepEqual(pauses, [1_000, 2_000, 4_000])
})
