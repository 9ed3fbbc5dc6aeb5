import type { Bucket } from '../kinds/bucket.ts'
import type { SourceWords } from './source.ts'

/** How a Bucket speaks, in Flux's words. */
export const BUCKET_WORDS: SourceWords<Bucket> = {
  stored: (revision) => `stored artifact: revision '${revision}'`,
  unchanged: ({ revision }) => ({
    reason: 'ArtifactUpToDate',
    message: `artifact up-to-date with remote revision: '${revision}'`,
  }),
  observed: ({ ignore }) => (ignore === undefined ? {} : { observedIgnore: ignore }),
  isVerified: () => false,
  namesLatest: true,
}
