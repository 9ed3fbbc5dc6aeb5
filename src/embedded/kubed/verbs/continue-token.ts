import { isObject } from '../../../lib/kube/json.ts'
import { goQuote } from '../../../lib/value/go-quote.ts'
import { badRequest } from '../fault.ts'

/** Where a paged list goes on: the version of its first page, below 0 that of now, and the last place that was shown. */
export type Token = { readonly version: number; readonly after: string }

const API_VERSION = 'meta.k8s.io/v1'

/** A token in the form of the real server, for whoever looks inside. */
export function writeToken({ version, after }: Token): string {
  const start = `${after}\u0000`
  return Buffer.from(JSON.stringify({ v: API_VERSION, rv: version, start })).toString('base64url')
}

/** Reads a token. @throws Fault 400 in the words of the real server */
export function readToken(text: string): Token {
  const bad = (why: string): Error => badRequest(`invalid continue token: continue key is not valid${why}`)
  const at = oddByte(text)
  if (at >= 0) throw bad(`: illegal base64 data at input byte ${at}`)
  const parsed = parse(Buffer.from(text, 'base64url').toString('latin1'))
  if (typeof parsed === 'string') throw bad(`: ${parsed}`)
  const { v, rv, start } = parsed
  if (v !== API_VERSION) throw bad(`: server does not recognize this encoded version ${typeof v === 'string' ? v : ''}`)
  if (typeof rv !== 'number' || rv === 0)
    throw bad(`: incorrect encoded start resourceVersion (version ${API_VERSION})`)
  if (typeof start !== 'string' || start === '') throw bad(`: encoded start key empty (version ${API_VERSION})`)
  if (/(^|\/)\.{0,2}(\/|$)/.test(start.replace(/^\//, ''))) throw bad(`: ${start}`)
  return {
    version: rv,
    after: Buffer.from(start, 'latin1')
      .toString('utf8')
      .replace(/\u0000$/, ''),
  }
}

/** The byte at which Go's decoder finds that a text is no base64, or -1: line breaks do not count, and a letter alone is no byte. */
function oddByte(text: string): number {
  const bytes = [...Buffer.from(text)].map((byte) => String.fromCharCode(byte))
  const odd = bytes.findIndex((byte) => !/[\w\r\n-]/.test(byte))
  const letters = bytes.flatMap((byte, index) => (/[\r\n]/.test(byte) ? [] : index))
  return odd < 0 && letters.length % 4 === 1 ? (letters.at(-1) ?? -1) : odd
}

/** The token's object, or why Go's decoder does not read it. */
function parse(text: string): { readonly [name: string]: unknown } | string {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : 'json: cannot unmarshal into Go value of type storage.continueToken'
  } catch {
    const first = text.trimStart()[0]
    if (first === undefined || first === '{') return 'unexpected end of JSON input'
    return `invalid character '${goQuote(first).slice(1, -1)}' looking for beginning of value`
  }
}
