/** Signs of all warnings together, above which each is cut. */
const MOST_SIGNS = 4 * 1024
/** Signs of each warning once all are cut; those that come when even the cut ones are too many are left out. */
const MOST_EACH = 256

/** What an answer says besides, within the bounds of the real server. */
export function warningHeader(warnings: readonly string[]): Record<string, string[]> {
  const texts = [...new Set(warnings)].filter((text) => text !== '')
  const warning = within(texts).map((text) => inHeader(`299 - "${text.replace(/["\\]/g, '\\$&')}"`))
  return warning.length === 0 ? {} : { warning }
}

function within(texts: readonly string[]): string[] {
  let signs = 0
  for (const [index, text] of texts.entries()) {
    if (!isSayable(text)) continue
    signs += [...text].length
    if (signs > MOST_SIGNS) return cut(texts, index)
  }
  return texts.filter(isSayable)
}

/** All texts cut; of those behind the one that was too much only as many as there is room for. */
function cut(texts: readonly string[], tooMuch: number): string[] {
  let signs = 0
  const kept: string[] = []
  for (const [index, text] of texts.entries()) {
    if (index > tooMuch && signs >= MOST_SIGNS) break
    const start = [...text].slice(0, MOST_EACH)
    if (!isSayable(start.join(''))) continue
    signs += start.length
    kept.push(start.join(''))
  }
  return kept
}

/** Warnings with control signs are left out, as by the real server: a header has no room for them. */
const isSayable = (text: string): boolean => !/\p{Cc}/u.test(text)

/** Node takes a sign of a header for a byte. */
const inHeader = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
