import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openWires } from './wires.ts'

const push = (after: string) => ({ repository: 'app', ref: 'refs/heads/main', before: '0', after, user: 'ada' })

test('what is told before anybody listens is handed on in order, then everything at once', async () => {
  const wires = openWires()
  const told: string[] = []
  const first = wires.pushed(push('a'))
  void wires.pushed(push('b'))
  wires.imagePushed('web')
  wires.imagePushed('web')
  assert.deepEqual(
    wires.waiting().map(({ after }) => after),
    ['a', 'b'],
  )
  wires.connect({
    pushed: async ({ after }) => void told.push(after),
    imagePushed: (name) => void told.push(name),
  })
  await first // acknowledged once it was handed on
  void wires.pushed(push('c'))
  assert.deepEqual(told, ['a', 'b', 'web', 'c'])
  assert.deepEqual(wires.waiting(), [])
})

test('a push that waits for listeners is let go when there will be none', async () => {
  const wires = openWires()
  const told = wires.pushed(push('a'))
  wires.close()
  await told
})
