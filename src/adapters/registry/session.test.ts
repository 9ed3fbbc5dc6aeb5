import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { endpointOf } from './endpoint.ts'
import type { Call, Transport } from './http.ts'
import { openSession } from './session.ts'

type Answer = { readonly statusCode: number; readonly headers?: Record<string, string> }
const answerOf = ({ statusCode, headers = {} }: Answer): IncomingMessage =>
  Object.assign(Readable.from([]), { statusCode, headers }) as unknown as IncomingMessage

const unreachable = (fault: Record<string, string>): SluiceError =>
  new SluiceError('REGISTRY_UNREACHABLE', 'no', { cause: Object.assign(new Error(fault['message'] ?? ''), fault) })
const CHALLENGE: Answer = { statusCode: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }
const LOGIN = { username: 'ada', password: 'secret' }

/** A network on which HTTPS goes as said, and HTTP asks for a login, as one who listens on the way would. */
function networkWhere(secure: () => Promise<Answer>): { readonly transport: Transport; readonly plain: Call[] } {
  const plain: Call[] = []
  const send = async (call: Call): Promise<IncomingMessage> => {
    if (call.url.protocol === 'https:') return answerOf(await secure())
    plain.push(call)
    return answerOf(CHALLENGE)
  }
  return { transport: { send, close: () => undefined }, plain }
}

const ASK = { method: 'GET', path: 'app/tags/list', scope: 'repository:app:pull' }
const PRIVATE = '10.0.0.1:5000'
const noTls = (): Promise<Answer> => Promise.reject(unreachable({ code: 'EPROTO', message: 'wrong version number' }))
const faults: readonly [it: string, secure: () => Promise<Answer>][] = [
  ['has a certificate that is not trusted', () => Promise.reject(unreachable({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }))],
  ['has a certificate of another name', () => Promise.reject(unreachable({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }))],
  ['has a certificate of the past', () => Promise.reject(unreachable({ code: 'CERT_HAS_EXPIRED' }))],
  ['is broken', () => Promise.resolve({ statusCode: 502 })],
]

for (const [it, secure] of [...faults, ['speaks no TLS', noTls] as const])
  test(`a registry of a private network that ${it} is asked nothing in the open`, async () => {
    const { transport, plain } = networkWhere(secure)
    const session = openSession(endpointOf(PRIVATE, {}), transport, () => LOGIN)
    await session.ask(ASK).catch(() => undefined)
    assert.deepEqual(plain, [])
  })

for (const [it, secure] of faults)
  test(`where private networks may be plain, a registry that ${it} is not asked in the open`, async () => {
    const { transport, plain } = networkWhere(secure)
    const session = openSession(endpointOf(PRIVATE, {}, [], true), transport, () => undefined)
    await assert.rejects(session.ask(ASK))
    assert.deepEqual(plain, [])
  })

test('where private networks may be plain, one that speaks no TLS is, and no login goes there', async () => {
  let login: typeof LOGIN | undefined
  const { transport, plain } = networkWhere(noTls)
  const session = openSession(endpointOf(PRIVATE, {}, [], true), transport, () => login)
  assert.equal((await session.ask(ASK)).statusCode, 401)
  login = LOGIN
  assert.equal((await session.ask(ASK)).statusCode, 401)
  assert.equal(plain.length, 3)
  assert.ok(plain.every(({ headers }) => headers?.['authorization'] === undefined))
})

test('where private networks may be plain, who has a login asks by HTTPS alone, and knows it', async () => {
  const { transport, plain } = networkWhere(noTls)
  const session = openSession(endpointOf(PRIVATE, {}, [], true), transport, () => LOGIN)
  await assert.rejects(session.ask(ASK))
  assert.deepEqual(plain, [])
  assert.deepEqual([session.endpoint.base.href, session.endpoint.plain], [`https://${PRIVATE}/`, undefined])
})

test('who is told that a registry is plain sends a login there', async () => {
  const { transport, plain } = networkWhere(noTls)
  await openSession(endpointOf(PRIVATE, {}, [PRIVATE]), transport, () => LOGIN).ask(ASK)
  assert.ok(plain.some(({ headers }) => headers?.['authorization'] !== undefined))
})

test('who gives up while nobody answers waits no longer', async () => {
  const transport: Transport = { send: () => new Promise(() => undefined), close: () => undefined }
  const session = openSession(endpointOf('127.0.0.1:1', {}), transport, () => undefined)
  const reason = new Error('spec.timeout')
  await assert.rejects(session.ask({ ...ASK, signal: AbortSignal.abort(reason) }), reason)
  const controller = new AbortController()
  const asked = session.ask({ ...ASK, signal: controller.signal })
  controller.abort(reason)
  await assert.rejects(asked, reason)
})

for (const statusCode of [429, 503])
  test(`a registry that answers ${statusCode} to the first question wants to be left alone`, async () => {
    const { transport, plain } = networkWhere(() => Promise.resolve({ statusCode, headers: { 'retry-after': '3600' } }))
    const session = openSession(endpointOf('127.0.0.1:1', {}), transport, () => undefined)
    for (let i = 0; i < 2; i++)
      await assert.rejects(session.ask(ASK), (error) => error instanceof SluiceError && error.code === 'REGISTRY_BUSY')
    assert.deepEqual(plain, [])
  })

test('of two requests that are refused in one moment both go on with the login that one of them told', async () => {
  const headers: (string | undefined)[] = []
  let bothAreOut = (): void => undefined
  const both = new Promise<void>((resolve) => (bothAreOut = resolve))
  const send = async ({ headers: sent }: Call): Promise<IncomingMessage> => {
    const authorization = sent?.['authorization']
    headers.push(typeof authorization === 'string' ? authorization : undefined)
    if (authorization !== undefined) return answerOf({ statusCode: 200 })
    if (headers.length === 2) bothAreOut()
    await both
    return answerOf(CHALLENGE)
  }
  const endpoint = { base: new URL('https://r.io'), isLoopback: false }
  const session = openSession(endpoint, { send, close: () => undefined }, () => LOGIN)
  const answers = await Promise.all([session.ask(ASK), session.ask(ASK)])
  assert.deepEqual(
    answers.map(({ statusCode }) => statusCode),
    [200, 200],
  )
})
