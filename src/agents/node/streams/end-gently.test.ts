import assert from 'node:assert/strict'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import { endGently } from './end-gently.ts'

test('a peer that is slow is not cut off before the last bytes are on their way', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let send: () => void = () => undefined
  const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => void (send = done) })
  endGently(socket, Buffer.from('bye'))
  t.mock.timers.tick(60_000)
  assert.equal(socket.destroyed, false)
  send()
  await new Promise((resolve) => setImmediate(resolve))
  t.mock.timers.tick(5_000)
  assert.equal(socket.destroyed, true)
})

test('a peer that takes nothing is cut off after four hours', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const socket = new Duplex({ read: () => undefined, write: () => undefined })
  endGently(socket, Buffer.from('bye'))
  t.mock.timers.tick(4 * 3_600_000 - 1)
  assert.equal(socket.destroyed, false)
  t.mock.timers.tick(1)
  assert.equal(socket.destroyed, true)
})
