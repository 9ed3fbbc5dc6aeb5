import type { KubeObject } from '../lib/kube/object.ts'
import { read, readText } from '../lib/kube/read.ts'
import { optionalText } from './flux-object.ts'
import { parseSourceObject, type SourceObject } from './source.ts'

/** A Bucket of any version. */
export type Bucket = SourceObject & {
  readonly bucketName: string
  readonly endpoint: string
  readonly region: string | undefined
  readonly prefix: string
  readonly isInsecure: boolean
  /** `aws` or `ldap` when short-lived keys are to be asked for. */
  readonly stsProvider: string | undefined
}

/**
 * Reads a Bucket of any API version that Flux ever served.
 *
 * @throws SluiceError OBJECT_INVALID for a duration that is none
 */
export function parseBucket(object: KubeObject): Bucket {
  return {
    bucketName: readText(object, 'spec', 'bucketName'),
    endpoint: readText(object, 'spec', 'endpoint'),
    region: optionalText(object, 'spec', 'region'),
    prefix: readText(object, 'spec', 'prefix'),
    isInsecure: read(object, 'spec', 'insecure') === true,
    stsProvider: optionalText(object, 'spec', 'sts', 'provider'),
    ...parseSourceObject(object),
  }
}
