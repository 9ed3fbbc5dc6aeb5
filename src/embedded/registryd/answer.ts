import type { IncomingMessage, ServerResponse } from 'node:http'
import { codeOf } from '../../lib/error/code-of.ts'

/** The error codes of the distribution specification that we use. */
export type RefusalCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'UNSUPPORTED'
  | 'UNKNOWN'

/** A request that the registry turns down; becomes the specification's JSON. */
export class Refusal extends Error {
  readonly status: number
  readonly code: RefusalCode
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, code: RefusalCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.code = code
    this.headers = headers
  }
}

/** Answers without a body. */
export function sendEmpty(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string | string[]>>,
): void {
  response.writeHead(status, status === 204 ? headers : { 'content-length': '0', ...headers })
  response.end()
}

/** Answers with JSON; a HEAD gets the headers only. */
export function sendJson(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = Buffer.from(JSON.stringify(value))
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length, ...headers })
  if (request.method === 'HEAD') response.end()
  else response.end(bytes)
}

/** Answers with an error as the specification wants it; anything that is no Refusal is a full disk or a bug. */
export function sendRefusal(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const refusal = error instanceof Refusal ? error : fromSystem(error)
  if (!request.complete) response.setHeader('connection', 'close')
  sendJson(
    request,
    response,
    refusal.status,
    { errors: [{ code: refusal.code, message: refusal.message, detail: {} }] },
    refusal.headers,
  )
  if (!request.complete) request.resume()
}

function fromSystem(error: unknown): Refusal {
  const code = codeOf(error)
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new Refusal(507, 'DENIED', 'the disk of the registry is full: free some space and push again')
  if (code === 'EROFS' || code === 'EACCES')
    return new Refusal(507, 'DENIED', `the folder of the registry cannot be written (${code})`)
  return new Refusal(500, 'UNKNOWN', error instanceof Error ? error.message : String(error))
}
