import { createHash, timingSafeEqual } from 'node:crypto'

/** Who asks: `user` is the Basic user name, which is free; only the password counts. */
export type Caller = { readonly user: string; readonly trusted: boolean }

/** Reads a Basic `Authorization` header and compares its password with `token` in constant time. */
export function authorize(header: string | undefined, token: string): Caller {
  const match = /^Basic +([A-Za-z0-9+/=]{1,8192})$/i.exec(header ?? '')
  const [user, password] = splitOnce(Buffer.from(match?.[1] ?? '', 'base64').toString('utf8'))
  const trusted = timingSafeEqual(hash(password), hash(token)) && token !== ''
  return { user: user.replace(/[^\x20-\x7e]/g, '').slice(0, 100), trusted }
}

function splitOnce(text: string): [string, string] {
  const colon = text.indexOf(':')
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)]
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
