import { inflateRawSync } from 'node:zlib'

/** Reads one deflated, base64 chunk of the generated data. */
export function unpack<T>(chunk: string): T {
  return JSON.parse(inflateRawSync(Buffer.from(chunk, 'base64')).toString('utf8')) as T
}
