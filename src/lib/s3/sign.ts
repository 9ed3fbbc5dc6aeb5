import { createHash, createHmac } from 'node:crypto'

/** Keys of an S3 account. */
export type S3Keys = { readonly accessKey: string; readonly secretKey: string; readonly sessionToken?: string }

/** A request without a body that is to be signed. */
export type S3Request = {
  readonly method: string
  /** `host:port`, as it is sent. */
  readonly host: string
  /** Escaped. */
  readonly path: string
  readonly query: URLSearchParams
  readonly region: string
  /** Milliseconds since the epoch. */
  readonly atMs: number
}

const EMPTY = createHash('sha256').update('').digest('hex')

/**
 * The headers that sign a request: AWS Signature Version 4, service `s3`.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function signS3(
  { method, host, path, query, region, atMs }: S3Request,
  keys: S3Keys,
): Readonly<Record<string, string>> {
  const time = new Date(atMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const headers: Record<string, string> = {
    host,
    'x-amz-content-sha256': EMPTY,
    'x-amz-date': time,
    ...(keys.sessionToken === undefined ? {} : { 'x-amz-security-token': keys.sessionToken }),
  }
  const names = Object.keys(headers).sort()
  const canonical = [
    method,
    path,
    canonicalQuery(query),
    ...names.map((name) => `${name}:${headers[name] ?? ''}`),
    '',
    names.join(';'),
    EMPTY,
  ].join('\n')
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n')
  const signingKey = [time.slice(0, 8), region, 's3', 'aws4_request'].reduce<Buffer>(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    Buffer.from(`AWS4${keys.secretKey}`),
  )
  const signature = createHmac('sha256', signingKey).update(toSign).digest('hex')
  const credential = `Credential=${keys.accessKey}/${scope}`
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  }
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .map(([name, value]) => `${escapeS3(name)}=${escapeS3(value)}`)
    .sort()
    .join('&')
}

/** Escapes as S3 signs: everything but letters, digits and `-._~`; slashes only where asked for. */
export function escapeS3(text: string, keepsSlash = false): string {
  const escaped = encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return keepsSlash ? escaped.replaceAll('%2F', '/') : escaped
}
