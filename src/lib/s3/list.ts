/** An object of a listing. */
export type S3Object = { readonly key: string; readonly etag: string; readonly sizeBytes: number }

/** A page of a listing. */
export type S3Page = { readonly objects: readonly S3Object[]; readonly next: string | undefined }

/** Reads a page of ListObjectsV2 that was asked for with `encoding-type=url`; only what a listing needs is looked at. */
export function parseListing(xml: string): S3Page {
  const objects = [...xml.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)].map(([, entry = '']) => ({
    key: decodeKey(textOf(entry, 'Key'), /<EncodingType>url<\/EncodingType>/.test(xml)),
    etag: textOf(entry, 'ETag').replace(/^"|"$/g, ''),
    sizeBytes: Number(textOf(entry, 'Size')) || 0,
  }))
  const next = textOf(xml.replace(/<Contents>[\s\S]*?<\/Contents>/g, ''), 'NextContinuationToken')
  const isCut = /<IsTruncated>true<\/IsTruncated>/.test(xml)
  return { objects, next: isCut && next !== '' ? next : undefined }
}

/** The code and message of an S3 error answer, `NoSuchBucket: …`; '' when it is none. */
export function parseS3Error(xml: string): string {
  return [textOf(xml, 'Code'), textOf(xml, 'Message')].filter((part) => part !== '').join(': ')
}

function textOf(xml: string, name: string): string {
  const start = xml.indexOf(`<${name}>`)
  const end = xml.indexOf(`</${name}>`, start)
  return start < 0 || end < 0 ? '' : unescapeXml(xml.slice(start + name.length + 2, end))
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

function unescapeXml(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex?: string, decimal?: string, name?: string) => {
    const code = hex === undefined ? Number(decimal) : parseInt(hex, 16)
    if (name !== undefined) return ENTITIES[name] ?? whole
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
