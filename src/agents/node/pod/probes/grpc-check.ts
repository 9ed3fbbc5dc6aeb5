import type { ClientHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { messageOf, statusOf } from './grpc-frames.ts'

/** What a server said of a service. */
export type GrpcAnswer = { readonly ok: boolean; readonly message: string }

const UNIMPLEMENTED = '12'

/**
 * Asks `grpc.health.v1.Health/Check` over a connection without TLS, as the kubelet's gRPC probe does, and closes it.
 *
 * @param service the name that is asked for; empty for the server as a whole
 * @see https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
export async function checkGrpc(
  socket: Socket,
  o: { readonly authority: string; readonly service: string; readonly timeoutMs: number },
): Promise<GrpcAnswer> {
  // loaded when a probe wants it: few pods have one
  const http2 = process.getBuiltinModule('node:http2')
  const session = http2.connect(`http://${o.authority}`, { createConnection: () => socket })
  try {
    return await new Promise<GrpcAnswer>((resolve) => {
      const late = `timeout: health rpc did not complete within ${o.timeoutMs / 1000}s`
      const timer = setTimeout(() => resolve({ ok: false, message: late }), o.timeoutMs)
      const failed = (error: Error): void =>
        resolve({ ok: false, message: `error: health rpc failed: ${error.message}` })
      session.on('error', failed)
      ask(session, o, (answer) => {
        clearTimeout(timer)
        resolve(answer)
      })
    })
  } finally {
    session.destroy()
    socket.destroy()
  }
}

function ask(
  session: ClientHttp2Session,
  {
    authority,
    service,
    timeoutMs,
  }: { readonly authority: string; readonly service: string; readonly timeoutMs: number },
  done: (answer: GrpcAnswer) => void,
): void {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/grpc.health.v1.Health/Check',
    ':authority': authority,
    'content-type': 'application/grpc',
    te: 'trailers',
    'user-agent': 'kube-probe/1.37',
    'grpc-timeout': `${Math.max(1, Math.round(timeoutMs))}m`,
  })
  let body = Buffer.alloc(0)
  let status: string | undefined
  let text = ''
  const note = (headers: Readonly<Record<string, unknown>>): void => {
    if (headers['grpc-status'] !== undefined) status = String(headers['grpc-status'])
    if (headers['grpc-message'] !== undefined) text = String(headers['grpc-message'])
  }
  stream.on('response', note)
  stream.on('trailers', note)
  stream.on('data', (chunk: Buffer) => {
    body = Buffer.concat([body, chunk])
    if (body.length > 4096) stream.close()
  })
  stream.on('error', (error) => done({ ok: false, message: `error: health rpc failed: ${error.message}` }))
  stream.on('close', () => done(judge(status, text, body)))
  stream.end(messageOf(service))
}

function judge(status: string | undefined, text: string, body: Buffer): GrpcAnswer {
  if (status === UNIMPLEMENTED)
    return {
      ok: false,
      message: `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${text}`,
    }
  if (status !== '0')
    return { ok: false, message: `error: health rpc failed: code ${status ?? 'missing'} ${text}`.trim() }
  const serving = statusOf(body)
  if (serving === 'SERVING') return { ok: true, message: '' }
  return { ok: false, message: `service unhealthy (responded with "${serving}")` }
}
