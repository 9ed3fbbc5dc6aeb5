import { Agent, request, type IncomingMessage, type RequestOptions } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import { SluiceError } from '../../lib/error/sluice-error.ts'

/** A container engine's API, of Docker or of podman, over its socket. Calls throw SluiceError NODE_DRIVER with what the engine says. */
export type EngineClient = {
  /** Asks and answers the JSON value of the answer; undefined for an empty one. */
  readonly ask: (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) => Promise<unknown>
  /** Sends an archive and waits for the end of the answer. */
  readonly send: (path: string, archive: Readable) => Promise<string>
  /** An answer that goes on. */
  readonly follow: (path: string) => Promise<IncomingMessage>
  /** A connection of its own to a program's streams. */
  readonly join: (path: string, body?: object) => Promise<Duplex>
  readonly close: () => void
}

/** The oldest version of the API that both engines speak and that has all we ask for. */
const VERSION = '/v1.40'
const MOST_ANSWER_BYTES = 16 * 1024 * 1024
const ASK_MS = 120_000

/** Speaks to the engine behind a socket; nothing is sent before the first call. */
export function engineClient(socketPath: string): EngineClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const options = (method: string, path: string): RequestOptions => ({
    socketPath,
    method,
    path: `${VERSION}${path}`,
    headers: { host: 'engine', 'content-type': 'application/json' },
  })
  return {
    async ask(method, path, body) {
      const answer = await exchange({ ...options(method, path), agent, timeout: ASK_MS }, body)
      const text = await textOf(answer)
      if (isRefusal(answer)) throw refused(method, path, answer, text)
      return text.trim() === '' ? undefined : JSON.parse(text)
    },
    async send(path, archive) {
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        const { headers, ...rest } = options('POST', path)
        const outgoing = request({ ...rest, headers: { ...headers, 'content-type': 'application/x-tar' } }, resolve)
        outgoing.on('error', (error) => reject(unreachableEngine(error)))
        archive.on('error', (error) => outgoing.destroy(error))
        archive.pipe(outgoing)
      })
      const text = await textOf(answer)
      if (isRefusal(answer)) throw refused('POST', path, answer, text)
      return text
    },
    async follow(path) {
      const answer = await exchange(options('GET', path))
      if (!isRefusal(answer)) return answer
      throw refused('GET', path, answer, await textOf(answer))
    },
    join: (path, body) => join(options('POST', path), path, body),
    close: () => agent.destroy(),
  }
}

function exchange(options: RequestOptions, body?: object): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request(options, resolve)
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')))
    outgoing.on('error', (error) => reject(unreachableEngine(error)))
    outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

function join({ headers, ...options }: RequestOptions, path: string, body: object = {}): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...options, headers: { ...headers, connection: 'Upgrade', upgrade: 'tcp' } })
    outgoing.on('upgrade', (_, socket, head) => {
      socket.on('error', () => socket.destroy())
      if (head.length > 0) socket.unshift(head)
      resolve(socket)
    })
    outgoing.on('response', (answer) => {
      textOf(answer).then((text) => reject(refused('POST', path, answer, text)), reject)
    })
    outgoing.on('error', (error) => reject(unreachableEngine(error)))
    outgoing.end(JSON.stringify(body))
  })
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of answer) {
    parts.push(Buffer.from(part))
    bytes += part.length
    if (bytes > MOST_ANSWER_BYTES) throw new SluiceError('NODE_DRIVER', 'the container engine answers without end')
  }
  return Buffer.concat(parts).toString('utf8')
}

function isRefusal({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 400
}

function refused(method: string, path: string, { statusCode }: IncomingMessage, text: string): SluiceError {
  const message = /"message"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? text.trim().slice(0, 500)
  const name = path.split('?')[0]
  return new SluiceError('NODE_DRIVER', `the container engine refuses ${method} ${name}: ${statusCode} ${message}`, {
    retry: 'backoff',
  })
}

function unreachableEngine(error: Error): SluiceError {
  return new SluiceError('NODE_DRIVER', `the container engine does not answer: ${error.message}`, { retry: 'backoff' })
}
