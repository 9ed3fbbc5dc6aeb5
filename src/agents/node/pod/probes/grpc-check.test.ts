import assert from 'node:assert/strict'
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2'
import { connect, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import { checkGrpc } from './grpc-check.ts'
import { messageOf } from './grpc-frames.ts'

/** A server that answers with a status of health, or with a code of gRPC, or not at all. */
async function serve(answer: { status?: number; code?: string }, asked: Buffer[]): Promise<Http2Server> {
  const server = createServer()
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    assert.equal(headers[':path'], '/grpc.health.v1.Health/Check')
    stream.on('data', (chunk: Buffer) => asked.push(chunk))
    stream.on('end', () => {
      const { status, code } = answer
      if (status === undefined && code === undefined) return
      if (code !== undefined)
        return stream.respond({ ':status': 200, 'grpc-status': code, 'grpc-message': 'no' }, { endStream: true })
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      stream.end(Buffer.from(status === 0 ? [0, 0, 0, 0, 0] : [0, 0, 0, 0, 2, 8, status ?? 0]))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

const cases: { it: string; answer: { status?: number; code?: string }; ok: boolean; message: RegExp }[] = [
  { it: 'serving', answer: { status: 1 }, ok: true, message: /^$/ },
  { it: 'not serving', answer: { status: 2 }, ok: false, message: /responded with "NOT_SERVING"/ },
  { it: 'unknown', answer: { status: 0 }, ok: false, message: /responded with "UNKNOWN"/ },
  { it: 'no such service', answer: { code: '5' }, ok: false, message: /health rpc failed: code 5 no/ },
  {
    it: 'no health protocol',
    answer: { code: '12' },
    ok: false,
    message: /does not implement the grpc health protocol/,
  },
  { it: 'silence', answer: {}, ok: false, message: /did not complete within 0\.3s/ },
]

for (const { it, answer, ok, message } of cases)
  test(`a gRPC probe hears ${it}`, async () => {
    const asked: Buffer[] = []
    const server = await serve(answer, asked)
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    const timeoutMs = it === 'silence' ? 300 : 30_000
    const heard = await checkGrpc(socket, { authority: 'pod:1', service: 'shop.Cart', timeoutMs })
    server.close()
    assert.equal(heard.ok, ok)
    assert.match(heard.message, message)
    assert.deepEqual(Buffer.concat(asked), messageOf('shop.Cart'))
    assert.ok(socket.destroyed)
  })

test('a gRPC probe of a server that speaks no HTTP/2 fails', async () => {
  const { createServer: createPlain } = await import('node:net')
  const plain = createPlain((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1')
  await once(plain, 'listening')
  const socket = connect((plain.address() as AddressInfo).port, '127.0.0.1')
  const { ok } = await checkGrpc(socket, { authority: 'pod:1', service: '', timeoutMs: 30_000 })
  plain.close()
  assert.equal(ok, false)
})
