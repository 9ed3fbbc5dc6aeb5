import type { Bucket } from '../kinds/bucket.ts'
import { type SourceWords, upToDate } from './source.ts'

/** How a Bucket speaks, in Flux's words. */
export const BUCKET_WORDS: SourceWords<Bucket> = {
  stored: (revision) => `stored artifact: revision '${revision}'`,
  unchanged: upToDate,
  observed: ({ ignore }) => (ignore === undefined ? {} : { observedIgnore: ignore }),
  isVerified: () => false,
  namesLatest: true,
}
