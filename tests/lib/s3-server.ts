import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { signS3 } from '../../src/lib/s3/sign.ts'

/** A small S3 server for tests: one bucket in memory, two keys a page, requests with a wrong signature refused. */
export async function serveS3(
  bucket: string,
  keys: { readonly accessKey: string; readonly secretKey: string },
): Promise<{ readonly host: string; readonly objects: Map<string, string>; readonly close: () => Promise<void> }> {
  const objects = new Map<string, string>()
  const server = createServer((request, response) => {
    const host = request.headers.host ?? ''
    // Not by `URL`, which would walk the `..` of a key.
    const [path = '/', search = ''] = (request.url ?? '/').split('?')
    const query = new URLSearchParams(search)
    const answer = (status: number, body: string, headers: Record<string, string> = {}): void =>
      void response.writeHead(status, headers).end(request.method === 'HEAD' ? '' : body)
    const time = String(request.headers['x-amz-date']).replace(
      /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/,
      '$1-$2-$3T$4:$5:$6Z',
    )
    const atMs = Date.parse(time)
    const want = atMs
      ? signS3({ method: request.method ?? '', host, path, query, region: 'eu-test-1', atMs }, keys)
      : {}
    if (request.headers.authorization !== want['authorization']) {
      const isRegion = /\/us-east-1\//.test(request.headers.authorization ?? '')
      if (isRegion)
        return answer(400, '<Error><Code>AuthorizationHeaderMalformed</Code></Error>', {
          'x-amz-bucket-region': 'eu-test-1',
        })
      return answer(403, '<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message></Error>')
    }
    if (!path.startsWith(`/${bucket}/`)) return answer(404, '<Error><Code>NoSuchBucket</Code></Error>')
    if (query.get('list-type') === '2') return answer(200, listing(objects, query))
    const key = decodeURIComponent(path.slice(bucket.length + 2))
    if (key === '') return answer(200, '')
    const found = objects.get(key)
    if (found === undefined) return answer(404, '<Error><Code>NoSuchKey</Code></Error>')
    answer(200, found, { etag: `"${etagOf(found)}"` })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, objects, close }
}

function listing(objects: ReadonlyMap<string, string>, query: URLSearchParams): string {
  const from = query.get('continuation-token') ?? ''
  const keys = [...objects.keys()].filter((key) => key.startsWith(query.get('prefix') ?? '') && key > from).sort()
  const page = keys.slice(0, 2)
  const entries = page.map(
    (key) =>
      `<Contents><Key>${encodeURIComponent(key)}</Key><ETag>&quot;${etagOf(objects.get(key) ?? '')}&quot;</ETag><Size>1</Size></Contents>`,
  )
  const isCut = keys.length > page.length
  const next = isCut ? `<NextContinuationToken>${page.at(-1) ?? ''}</NextContinuationToken>` : ''
  return `<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>${isCut}</IsTruncated>${entries.join('')}${next}</ListBucketResult>`
}

function etagOf(text: string): string {
  return createHash('md5').update(text).digest('hex')
}
