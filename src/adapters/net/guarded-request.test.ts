import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect, type Server } from 'node:net'
import { test } from 'node:test'
import { writeCertificate } from '../../lib/x509/certificate.ts'
import { abortAfter } from '../../machine/timers.ts'
import { guardedRequest } from './guarded-request.ts'
import type { Reach } from './reach.ts'

const portOf = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** A certificate for this machine that is its own authority. */
function ownCertificate(): { key: string; cert: string } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const subject = { commonName: 'localhost' }
  const cert = writeCertificate({
    subject,
    key: privateKey,
    issuer: { subject, key: privateKey },
    serial: new Uint8Array([1]),
    notBeforeMs: 0,
    notAfterMs: 4e12,
    use: 'server',
    names: ['127.0.0.1', 'localhost'],
  })
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert }
}

test("a request by HTTPS goes through its proxy, with the proxy's login, and trusts the given authority alone", async () => {
  const own = ownCertificate()
  const asked: string[] = []
  const target = createSecureServer(own, ({ url }, response) => {
    asked.push(`target ${url}`)
    response.end('done')
  })
  const proxy = createServer().on('connect', ({ url = '', headers }, socket) => {
    asked.push(`proxy ${headers['proxy-authorization']}`)
    const through = connect(Number(url.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.pipe(through).pipe(socket)
    })
    through.on('error', () => undefined).on('close', () => socket.destroy())
    socket.on('error', () => undefined).on('close', () => through.destroy())
  })
  try {
    const [port, proxyPort] = [await portOf(target), await portOf(proxy)]
    const reach: Reach = { scope: 'any', ownPorts: () => [] }
    const through = { url: `http://127.0.0.1:${proxyPort}`, username: 'u', password: 'p' }
    const options = { reach, timeoutMs: 5000, within: abortAfter, proxy: through, caPem: own.cert }
    const request = { method: 'POST', headers: {}, body: '{}' }
    for (const host of ['127.0.0.1', 'localhost']) {
      const answer = await guardedRequest({ ...request, url: `https://${host}:${port}/hook` }, options)
      assert.deepEqual([answer.status, answer.text], [200, 'done'])
    }
    const authorized = 'proxy Basic dTpw'
    assert.deepEqual(asked, [authorized, 'target /hook', authorized, 'target /hook'])
    const { caPem: _, ...strange } = options
    await assert.rejects(guardedRequest({ ...request, url: `https://127.0.0.1:${port}/hook` }, strange), {
      code: 'NOTIFY_FAILED',
    })
    assert.equal(asked.length, 5)
  } finally {
    target.closeAllConnections()
    proxy.closeAllConnections()
    for (const server of [target, proxy]) await new Promise((resolve) => server.close(resolve))
  }
})

test('a proxy that refuses the way is let go, however long it would keep the connection', async (t) => {
  const proxy = createServer()
  const isGone = new Promise<void>((resolve) => {
    proxy.on('connect', (_, socket) => {
      socket
        .on('error', () => undefined)
        .on('end', () => socket.end())
        .on('close', () => resolve())
      socket.resume()
      socket.write('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n')
    })
  })
  t.after(() => proxy.close())
  const options = {
    reach: { scope: 'any', ownPorts: () => [] } as const,
    timeoutMs: 5000,
    within: abortAfter,
    proxy: { url: `http://127.0.0.1:${await portOf(proxy)}` },
  }
  const request = { method: 'POST', headers: {}, body: '{}', url: 'https://127.0.0.1:1/hook' }
  await assert.rejects(guardedRequest(request, options), /the proxy answered 407/)
  await isGone
})
