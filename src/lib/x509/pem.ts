/** A block of a PEM text. */
export type PemBlock = {
  readonly label: string
  /** The content without lines' ends, so that the same certificate is the same text. */
  readonly base64: string
}

const [BEGIN, END, DASHES] = ['-----BEGIN ', '-----END ', '-----']
/** `Proc-Type: 4,ENCRYPTED` and its like, which may stand before the content. */
const HEADER = /^[^\n]*:[^\n]*$/gm
const LINE = /.{1,64}/g
/** No label is longer. */
const LONGEST_LABEL = 128

/** The blocks of a PEM text; what stands between them does not count, nor does what begins and has no end. In one pass, whatever the text is. */
export function pemBlocks(text: string): readonly PemBlock[] {
  const blocks: PemBlock[] = []
  let endAt = 0
  for (let at = text.indexOf(BEGIN); at >= 0; at = text.indexOf(BEGIN, at)) {
    at += BEGIN.length
    const head = text.slice(at, at + LONGEST_LABEL)
    const lineEnd = head.indexOf('\n')
    const line = head.slice(0, Math.max(lineEnd, 0)).trimEnd()
    const label = line.slice(0, -DASHES.length)
    if (!line.endsWith(DASHES) || label === '' || label.includes('-')) continue
    const from = at + lineEnd + 1
    // the end that is next for one beginning is so for the beginnings before it, too
    if (endAt < from) endAt = text.indexOf(END, from)
    if (endAt < 0) break
    const end = `${END}${label}${DASHES}`
    if (!text.startsWith(end, endAt)) continue
    blocks.push({ label, base64: text.slice(from, endAt).replace(HEADER, '').replace(/\s/g, '') })
    at = endAt + end.length
  }
  return blocks
}

/** A certificate as PEM. @param base64 its DER, in one line */
export function certificatePem(base64: string): string {
  return `-----BEGIN CERTIFICATE-----\n${(base64.match(LINE) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`
}
