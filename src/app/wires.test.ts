import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openWires } from './wires.ts'

const push = (after: string) => ({ repository: 'app', ref: 'refs/heads/main', before: '0', after, user: 'ada' })

test('what is told before anybody listens is handed on in order, then everything at once', () => {
  const wires = openWires()
  const told: string[] = []
  wires.pushed(push('a'))
  wires.pushed(push('b'))
  wires.imagePushed('web')
  wires.imagePushed('web')
  const waited = wires.connect({
    pushed: ({ after }) => void told.push(after),
    imagePushed: (name) => void told.push(name),
  })
  assert.deepEqual(
    waited.map(({ after }) => after),
    ['a', 'b'],
  )
  wires.pushed(push('c'))
  assert.deepEqual(told, ['a', 'b', 'web', 'c'])
})
