import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { ServerResponse } from 'node:http'
import { kubedOfFile } from '../../../../tests/support/kubed.ts'
import { writeCertificate } from '../../../lib/x509/certificate.ts'
import { closeServer } from '../../../machine/close-server.ts'

const { ask } = kubedOfFile()
const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const subject = { commonName: 'node' }
const cert = writeCertificate({
  ...{ subject, key, issuer: { subject, key }, serial: Buffer.from([1]), use: 'server' },
  ...{ notBeforeMs: Date.now() - 60_000, notAfterMs: Date.now() + 3_600_000 },
})

/** What is told of the log of a pod on a node whose kubelet answers so. */
async function logBy(t: TestContext, name: string, answer: (response: ServerResponse) => void) {
  const kubelet = createServer({ key: key.export({ type: 'pkcs8', format: 'pem' }), cert }, (_, response) =>
    answer(response),
  )
  await once(kubelet.listen(0, '127.0.0.1'), 'listening')
  t.after(() => closeServer(kubelet))
  const { port: Port } = kubelet.address() as AddressInfo
  const status = {
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    daemonEndpoints: { kubeletEndpoint: { Port } },
  }
  await ask('POST', '/api/v1/nodes', { metadata: { name }, status })
  const spec = { nodeName: name, containers: [{ name: 'c', image: 'i' }] }
  await ask('POST', '/api/v1/namespaces/default/pods', { metadata: { name }, spec })
  const { code, body } = await ask('GET', `/api/v1/namespaces/default/pods/${name}/log`)
  return { code, message: body.message }
}

test('what a kubelet says instead of a log is said', async (t) => {
  const said = await logBy(t, 'refusing', (response) => response.writeHead(400).end('no such container\n'))
  assert.deepEqual(said, { code: 400, message: 'no such container' })
})

test('a kubelet that breaks off while it refuses a log leaves nobody waiting', async (t) => {
  const said = await logBy(t, 'breaking', (response) => {
    response.writeHead(400, { 'content-length': '100' }).write('no such', () => response.destroy())
  })
  assert.equal(said.code, 500)
  assert.match(said.message, /^Internal error occurred: the answer of the kubelet: /)
})

test('of an endless refusal the beginning is told', async (t) => {
  const said = await logBy(t, 'endless', (response) => void response.writeHead(500).write('x'.repeat(100_000)))
  assert.equal(said.message, `Internal error occurred: ${'x'.repeat(50_000)}`)
})
