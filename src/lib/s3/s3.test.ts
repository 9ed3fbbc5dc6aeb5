import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cpuSeconds } from '../../../tests/support/cpu-time.ts'
import { parseListing, parseS3Error } from './list.ts'
import { escapeS3, signS3 } from './sign.ts'

const keys = { accessKey: 'AKIAIOSFODNN7EXAMPLE', secretKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
const cases = [
  // The examples of the documentation of Signature Version 4.
  ['?lifecycle', 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
  ['?max-keys=2&prefix=J', '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
] as const
for (const [query, want] of cases)
  test(`a request is signed as AWS documents it: ${query}`, () => {
    const where = { host: 'examplebucket.s3.amazonaws.com', path: '/', query: new URLSearchParams(query) }
    const atMs = Date.UTC(2013, 4, 24)
    const { authorization = '' } = signS3({ method: 'GET', ...where, region: 'us-east-1', atMs }, keys)
    assert.equal(/Signature=([0-9a-f]+)/.exec(authorization)?.[1], want)
  })

test('a listing is read: keys decoded, etags without quotes, the next page', () => {
  const entry = (key: string): string =>
    `<Contents><Key>${key}</Key><ETag>&quot;abc&quot;</ETag><Size>3</Size></Contents>`
  const xml = `<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>${entry('a%2Fb+c')}${entry('%D0%B6')}${entry('&constructor;')}<NextContinuationToken>t&amp;1</NextContinuationToken></ListBucketResult>`
  const { objects, next } = parseListing(xml)
  assert.deepEqual(
    objects.map(({ key, etag, sizeBytes }) => [key, etag, sizeBytes]),
    [
      ['a/b c', 'abc', 3],
      ['ж', 'abc', 3],
      ['&constructor;', 'abc', 3],
    ],
  )
  assert.equal(next, 't&1')
  assert.equal(parseListing('<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>').next, undefined)
})

const entry = '<Contents><Key>a</Key></Contents>'
const cut = '<IsTruncated>true</IsTruncated>'
const parts: { it: string; xml: string; want: RegExp }[] = [
  { it: 'that ends after an entry', xml: `<ListBucketResult>${entry}`, want: /no end/ },
  { it: 'that ends in an entry', xml: `<ListBucketResult>${entry.slice(0, -3)}`, want: /no end/ },
  { it: 'that ends in its last tag', xml: `<ListBucketResult>${entry}</ListBucketRes`, want: /no end/ },
  { it: 'that is a page for people', xml: '<html><body>log in first</body></html>', want: /no end/ },
  { it: 'of several, without a way to the next', xml: `<ListBucketResult>${cut}</ListBucketResult>`, want: /token/ },
]
for (const { it, xml, want } of parts)
  test(`a listing ${it} is not taken for all that there is`, () =>
    assert.throws(() => parseListing(xml), { code: 'S3_FAILED', retry: 'backoff', message: want }))

test('an error answer is read, and names are escaped as S3 wants', () => {
  assert.equal(parseS3Error('<Error><Code>NoSuchBucket</Code><Message>gone</Message></Error>'), 'NoSuchBucket: gone')
  assert.equal(escapeS3("a b/(c)*'!", true), 'a%20b/%28c%29%2A%27%21')
})

const listings: { it: string; xml: string }[] = [
  { it: 'entries that do not end', xml: '<Contents>'.repeat(500_000) },
  { it: 'many empty entries', xml: '<Contents></Contents>'.repeat(200_000) },
  { it: 'tags that do not end', xml: `<Contents>${'<Key>'.repeat(500_000)}</Contents>` },
]
for (const { it, xml } of listings)
  test(`a listing of ${it} is read in one pass`, () =>
    assert.ok(cpuSeconds(() => void parseListing(`${xml}</ListBucketResult>`)) < 3))

test('what a store says of a fault is cut', () => {
  assert.equal(parseS3Error(`<Code>Slow</Code><Message>${'x'.repeat(100_000)}</Message>`).length, 1_000)
})
