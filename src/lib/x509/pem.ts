const BLOCK = /-----BEGIN ([^\n-]+)-----\r?\n([\s\S]*?)-----END \1-----/g
/** `Proc-Type: 4,ENCRYPTED` and its like, which may stand before the content. */
const HEADER = /^[^\n]*:[^\n]*$/gm
const LINE = /.{1,64}/g

/** The blocks of a PEM text as base64 without lines' ends, so that the same certificate is the same text; what stands between them does not count. */
export function pemBlocks(text: string): readonly string[] {
  return [...text.matchAll(BLOCK)].map(([, , body = '']) => body.replace(HEADER, '').replace(/\s/g, ''))
}

/** A certificate as PEM. @param base64 its DER, in one line */
export function certificatePem(base64: string): string {
  return `-----BEGIN CERTIFICATE-----\n${(base64.match(LINE) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`
}
