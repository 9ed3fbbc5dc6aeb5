import { createHash, timingSafeEqual } from 'node:crypto'

/** Who asks: `user` is the name of the token that was shown; with the server's own token the Basic user name, which is free. */
export type Caller = { readonly user: string; readonly trusted: boolean }

/** A token besides the server's own; `sha256` is that of its text, in 64 hex digits. */
export type NamedToken = { readonly name: string; readonly sha256: string }

/**
 * Reads a Basic `Authorization` header and compares its password in constant time, with `token` and then with the named ones.
 *
 * @param named asked for only when there is a password, and it is not `token`
 */
export function authorize(
  header: string | undefined,
  token: string,
  named: () => readonly NamedToken[] = () => [],
): Caller {
  const match = /^Basic +([A-Za-z0-9+/=]{1,8192})$/i.exec(header ?? '')
  const [login, password] = splitOnce(Buffer.from(match?.[1] ?? '', 'base64').toString('utf8'))
  const user = login.replace(/[^\x20-\x7e]/g, '').slice(0, 100)
  if (password === '') return { user, trusted: false }
  const shown = hash(password)
  if (token !== '' && timingSafeEqual(shown, hash(token))) return { user, trusted: true }
  // all are compared: how long it takes says nothing of which one it was
  const [found] = named().filter(({ sha256 }) => timingSafeEqual(shown, Buffer.from(sha256, 'hex')))
  return found === undefined ? { user, trusted: false } : { user: found.name, trusted: true }
}

function splitOnce(text: string): [string, string] {
  const colon = text.indexOf(':')
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)]
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
