import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stablePorts } from './stable-port.ts'

test('ports that are to last are below those of outgoing connections', () => {
  const ports = stablePorts(() => 0.9999)
  assert.equal(ports.at(-1), 0)
  assert.ok(ports.slice(0, -1).every((port) => port >= 20_000 && port < 30_000))
})
