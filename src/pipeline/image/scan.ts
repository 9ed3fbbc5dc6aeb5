import { SluiceError } from '../../lib/error/sluice-error.ts'
import { compileRegexp } from '../../lib/go-regexp/go-regexp.ts'

/** What is left out when an ImageRepository names no exclusionList: signatures. */
export const DEFAULT_EXCLUSIONS: readonly string[] = ['^.*\\.sig$']

/** What a scan found: tags from highest to lowest, and what the status shows of them. */
export type ScanResult = {
  readonly tags: readonly string[]
  /** Adler-32 of the tags as a JSON array: Flux's `revision`. */
  readonly revision: string
  readonly latestTags: readonly string[]
}

/**
 * Makes the result of a scan from the registry's tags: without the excluded ones, sorted downwards by bytes as Flux stores them.
 *
 * @throws SluiceError REGEXP_SYNTAX or REGEXP_LIMIT with Flux's sentence when an exclusion is no pattern
 */
export function summarizeScan(found: readonly string[], exclusions: readonly string[]): ScanResult {
  const patterns = exclusions.map(compileExclusion)
  const tags = found.filter((tag) => !patterns.some((pattern) => pattern.test(tag))).sort(descending)
  return { tags, revision: String(adler32(JSON.stringify(tags))), latestTags: tags.slice(0, 10) }
}

function compileExclusion(pattern: string): ReturnType<typeof compileRegexp> {
  try {
    return compileRegexp(pattern)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const message = `failed to compile regex ${pattern}: ${error.message}`
    throw new SluiceError(error.code, message, { where: 'spec.exclusionList', cause: error })
  }
}

function descending(a: string, b: string): number {
  return a === b ? 0 : a < b ? 1 : -1
}

/** RFC 1950, the checksum of zlib. */
function adler32(text: string): number {
  let [a, b] = [1, 0]
  for (const byte of Buffer.from(text)) {
    a = (a + byte) % 65521
    b = (b + a) % 65521
  }
  return b * 65536 + a
}
