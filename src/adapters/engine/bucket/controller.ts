import { BUCKET_WORDS } from '../../../controllers/bucket.ts'
import type { SourceChange, SourceSeen, SourceStatus } from '../../../controllers/source.ts'
import type { Controller } from '../../../engine/controller.ts'
import { parseBucket, type Bucket } from '../../../kinds/bucket.ts'
import type { EngineContext } from '../context.ts'
import { sourceController } from '../source/controller.ts'
import { lookAtBucket } from './look.ts'

/** The controller of Buckets. */
export function bucketController(context: EngineContext): Controller<SourceSeen<Bucket>, SourceChange, SourceStatus> {
  return sourceController(context, {
    kind: 'Bucket',
    parse: parseBucket,
    words: BUCKET_WORDS,
    look: (bucket) => lookAtBucket(context, bucket),
  })
}
