import { isObject } from '../../../lib/kube/json.ts'
import { badRequest } from '../fault.ts'

/** Where a paged list goes on: the version of its first page, and the last place that was shown. */
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
  const at = [...text].findIndex((sign) => !/[\w-]/.test(sign))
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

/** The token's object, or why Go's decoder does not read it. */
function parse(text: string): { readonly [name: string]: unknown } | string {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : 'json: cannot unmarshal into Go value of type storage.continueToken'
  } catch {
    const first = text.trimStart()[0]
    if (first === undefined || first === '{') return 'unexpected end of JSON input'
    const shown = /[ -~]/.test(first) ? first : `\\u00${first.charCodeAt(0).toString(16).padStart(2, '0')}`
    return `invalid character '${shown}' looking for beginning of value`
  }
}
