import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SERVER_PORTS, SERVICE_PORTS, stablePorts } from './stable-port.ts'

test('ports that are to last are below those of outgoing connections, and those of Services are not those of servers', () => {
  const [servers, services] = [SERVER_PORTS, SERVICE_PORTS].map((range) =>
    [0, 0.9999].flatMap((random) => stablePorts(range, () => random)),
  )
  assert.deepEqual(
    [...new Set(servers)].sort((a, b) => a - b),
    [0, 20_000, 24_999],
  )
  assert.deepEqual(
    [...new Set(services)].sort((a, b) => a - b),
    [0, 25_000, 29_999],
  )
})
