import { SluiceError } from '../error/sluice-error.ts'
import { isRecord } from '../value/is-record.ts'
import { parseNkey } from './nkey.ts'

/** How to prove to a NATS server who one is. */
export type NatsLogin =
  | { readonly kind: 'none' }
  | { readonly kind: 'user'; readonly username: string; readonly password: string }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'nkey'; readonly seed: string }
  | { readonly kind: 'jwt'; readonly jwt: string; readonly seed: string }

/** One server to talk to. */
export type NatsServer = {
  readonly host: string
  readonly port: number
  readonly isTls: boolean
  readonly login: NatsLogin | undefined
}

/** What a server says of itself first. */
export type NatsInfo = { readonly nonce: string; readonly wantsTls: boolean; readonly maxPayloadBytes: number }

const DEFAULT_PORT = 4222

/**
 * Reads the servers of an address: `nats://user:pass@host:4222,tls://other`; without a scheme it is `nats://`.
 *
 * @throws SluiceError NATS_INVALID; the message does not quote the address, which may hold a password
 */
export function parseNatsServers(address: string): readonly NatsServer[] {
  return address.split(',').map((one) => {
    const text = one.trim().replace(/^(?!.*:\/\/)/, 'nats://')
    const url = URL.canParse(text) ? new URL(text) : undefined
    const [username, password] = [decode(url?.username), decode(url?.password)]
    if (
      !url ||
      !/^(nats|tls):$/.test(url.protocol) ||
      url.hostname === '' ||
      username === undefined ||
      password === undefined
    )
      throw new SluiceError('NATS_INVALID', 'the address of a NATS server is not nats://HOST:PORT or tls://HOST:PORT')
    return {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port) || DEFAULT_PORT,
      isTls: url.protocol === 'tls:',
      login:
        username === ''
          ? undefined
          : password === ''
            ? { kind: 'token', token: username }
            : { kind: 'user', username, password },
    }
  })
}

function decode(text = ''): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/**
 * Reads a credentials file: a token between its marks, and the seed of the key it was given to.
 *
 * @throws SluiceError NATS_INVALID; the message never quotes the file
 */
export function parseNatsCredentials(text: string): NatsLogin {
  const [jwt, seed] = markedLines(text)
  if (jwt === undefined || seed === undefined)
    throw new SluiceError('NATS_INVALID', 'the credentials of NATS hold no token and seed between their marks')
  return { kind: 'jwt', jwt, seed }
}

/** The lines that stand alone between two marks (`-----BEGIN …-----`), line by line: a pattern of it all tries each way to cut a line of dashes. */
function markedLines(text: string): readonly string[] {
  const lines = text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
  const isMark = (line = ''): boolean => line.length >= 6 && line.startsWith('---') && line.endsWith('---')
  const found: string[] = []
  for (let at = 1; at + 1 < lines.length; at++) {
    const line = lines[at] ?? ''
    if (!isMark(lines[at - 1]) || !isMark(lines[at + 1]) || !/^[\w.-]+$/.test(line) || isMark(line)) continue
    found.push(line)
    at += 2
  }
  return found
}

/** Reads the first line of a server; `undefined` when it is not one of NATS. */
export function parseNatsInfo(line: string): NatsInfo | undefined {
  const text = /^INFO\s+(\{.*\})\s*$/i.exec(line)?.[1]
  if (text === undefined) return undefined
  try {
    const info: unknown = JSON.parse(text)
    if (!isRecord(info)) return undefined
    const { nonce, tls_required: tls, max_payload: max } = info
    return {
      nonce: typeof nonce === 'string' ? nonce : '',
      wantsTls: tls === true,
      maxPayloadBytes: typeof max === 'number' ? max : Number.POSITIVE_INFINITY,
    }
  } catch {
    return undefined
  }
}

/**
 * The line by which a client says who it is, with the server's nonce signed.
 *
 * @throws SluiceError NATS_INVALID for a seed that is none
 * @see https://docs.nats.io/reference/reference-protocols/nats-protocol
 */
export function renderNatsConnect(login: NatsLogin, { nonce }: NatsInfo, isTls: boolean): string {
  const common = { verbose: false, pedantic: false, tls_required: isTls, name: 'NATS Provider Publisher' }
  const about = { lang: 'sluice', version: '1.0.0', protocol: 1, echo: true }
  return `CONNECT ${JSON.stringify({ ...common, ...proofOf(login, nonce), ...about })}\r\n`
}

function proofOf(login: NatsLogin, nonce: string): Record<string, string> {
  if (login.kind === 'none') return {}
  if (login.kind === 'user') return { user: login.username, pass: login.password }
  if (login.kind === 'token') return { auth_token: login.token }
  const key = parseNkey(login.seed)
  const sig = key.sign(nonce).toString('base64url')
  return login.kind === 'nkey' ? { nkey: key.publicKey, sig } : { jwt: login.jwt, sig }
}
