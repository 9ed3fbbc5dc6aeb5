import type { ServerResponse } from 'node:http'

const TYPE = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }

/** 404 where nothing of the API is. */
export function plainNotFound(response: ServerResponse): void {
  plain(response, '404 page not found\n', 404)
}

/** An answer that is text. */
export function plain(response: ServerResponse, text: string, code = 200): void {
  response.writeHead(code, TYPE)
  response.end(text)
}
