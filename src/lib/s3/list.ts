import { SluiceError } from '../error/sluice-error.ts'
import { own } from '../value/own.ts'

/** An object of a listing. */
export type S3Object = { readonly key: string; readonly etag: string; readonly sizeBytes: number }

/** A page of a listing. */
export type S3Page = { readonly objects: readonly S3Object[]; readonly next: string | undefined }

/**
 * Reads a page of ListObjectsV2 that was asked for with `encoding-type=url`; only what a listing needs is looked at.
 *
 * @throws SluiceError S3_FAILED (retry: backoff) for a part of a page, and for one of several that does not lead to the next: what it lacks would count as deleted
 */
export function parseListing(xml: string): S3Page {
  if (!xml.trimEnd().endsWith('</ListBucketResult>')) throw failed('the list of objects has no end')
  const { entries, rest } = cutEntries(xml)
  const isEncoded = rest.includes('<EncodingType>url</EncodingType>')
  const objects = entries.map((entry) => ({
    key: decodeKey(textOf(entry, 'Key'), isEncoded),
    etag: textOf(entry, 'ETag').replace(/^"|"$/g, ''),
    sizeBytes: Number(textOf(entry, 'Size')) || 0,
  }))
  const next = textOf(rest, 'NextContinuationToken')
  const isCut = rest.includes('<IsTruncated>true</IsTruncated>')
  // in the words of Flux's S3 library
  if (isCut && next === '') throw failed('Truncated response should have continuation token set')
  return { objects, next: isCut ? next : undefined }
}

const failed = (message: string): SluiceError => new SluiceError('S3_FAILED', message, { retry: 'backoff' })

const ENTRY_START = '<Contents>'
const ENTRY_END = '</Contents>'

/** What the objects say, and what stands around them; in one pass, whatever a store answers. */
function cutEntries(xml: string): { readonly entries: readonly string[]; readonly rest: string } {
  const entries: string[] = []
  const around: string[] = []
  let from = 0
  for (let start = xml.indexOf(ENTRY_START); start >= 0; start = xml.indexOf(ENTRY_START, from)) {
    const end = xml.indexOf(ENTRY_END, start)
    if (end < 0) break
    around.push(xml.slice(from, start))
    entries.push(xml.slice(start + ENTRY_START.length, end))
    from = end + ENTRY_END.length
  }
  return { entries, rest: [...around, xml.slice(from)].join('') }
}

/** A store says what it likes; this goes into statuses and logs. */
const LONGEST_ERROR = 1_000

/** The code and message of an S3 error answer, `NoSuchBucket: …`, cut at 1,000 characters; '' when it is none. */
export function parseS3Error(xml: string): string {
  const said = [textOf(xml, 'Code'), textOf(xml, 'Message')].filter((part) => part !== '').join(': ')
  return said.slice(0, LONGEST_ERROR)
}

function textOf(xml: string, name: string): string {
  const start = xml.indexOf(`<${name}>`)
  const end = start < 0 ? -1 : xml.indexOf(`</${name}>`, start)
  return end < 0 ? '' : unescapeXml(xml.slice(start + name.length + 2, end))
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

function unescapeXml(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex?: string, decimal?: string, name?: string) => {
    const code = hex === undefined ? Number(decimal) : parseInt(hex, 16)
    if (name !== undefined) return own(ENTITIES, name) ?? whole
    return code > 0 && code < 0x110000 ? String.fromCodePoint(code) : whole
  })
}

function decodeKey(key: string, isEncoded: boolean): string {
  if (!isEncoded) return key
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    return key
  }
}
