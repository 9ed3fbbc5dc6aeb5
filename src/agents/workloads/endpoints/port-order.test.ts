import assert from 'node:assert/strict'
import { test } from 'node:test'
import { orderSlicePorts, orderSubsetPorts } from './port-order.ts'

test('the ports of a slice are in the order of the real controller', () => {
  const http = { name: 'http', protocol: 'TCP', port: 80 }
  const alt = { name: 'alt', protocol: 'UDP', port: 8080 }
  assert.deepEqual(orderSlicePorts([http, alt]), [alt, http])
  assert.deepEqual(orderSubsetPorts([http, alt]), [alt, http])
})
