import type { KubeObject } from '../lib/kube/object.ts'
import { read, readText } from '../lib/kube/read.ts'
import { intervalOf } from './duration.ts'
import { durationField, optionalText, parseFluxMeta, statusOf, textMap, type FluxMeta } from './flux-object.ts'

/** `status.artifact`: what a source offers. */
export type ArtifactStatus = {
  readonly digest: string
  readonly lastUpdateTime: string
  /** What the source says of it besides, as the annotations of an OCI artifact. */
  readonly metadata?: Readonly<Record<string, string>>
  readonly path: string
  readonly revision: string
  readonly size: number
  readonly url: string
}

/** What every kind of source has; fields that a kind does not know are absent in its objects. */
export type SourceObject = FluxMeta & {
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly secretName: string | undefined
  readonly certSecretName: string | undefined
  readonly proxySecretName: string | undefined
  readonly serviceAccountName: string | undefined
  readonly provider: string
  readonly ignore: string | undefined
  readonly artifact: ArtifactStatus | undefined
  /** The whole status as it stands, to see what a write would change. */
  readonly status: Readonly<Record<string, unknown>>
}

const DEFAULT_MS = 60_000

/**
 * Reads what every kind of source has.
 *
 * @throws SluiceError OBJECT_INVALID for a duration that is none
 */
export function parseSourceObject(object: KubeObject): SourceObject {
  return {
    intervalMs: intervalOf(durationField(object, 'interval') ?? DEFAULT_MS),
    timeoutMs: durationField(object, 'timeout') ?? DEFAULT_MS,
    secretName: optionalText(object, 'spec', 'secretRef', 'name'),
    certSecretName: optionalText(object, 'spec', 'certSecretRef', 'name'),
    proxySecretName: optionalText(object, 'spec', 'proxySecretRef', 'name'),
    serviceAccountName: optionalText(object, 'spec', 'serviceAccountName'),
    provider: optionalText(object, 'spec', 'provider') ?? 'generic',
    ignore: read(object, 'spec', 'ignore') === undefined ? undefined : readText(object, 'spec', 'ignore'),
    artifact: parseArtifact(read(object, 'status', 'artifact')),
    status: statusOf(object),
    ...parseFluxMeta(object),
  }
}

/** Reads `status.artifact`; `undefined` when there is none. One of a version before digests has the digest ''. */
export function parseArtifact(value: unknown): ArtifactStatus | undefined {
  const revision = readText(value, 'revision')
  if (revision === '') return undefined
  const size = read(value, 'size')
  const metadata = textMap(value, 'metadata')
  return {
    digest: readText(value, 'digest'),
    lastUpdateTime: readText(value, 'lastUpdateTime'),
    ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
    path: readText(value, 'path'),
    revision,
    size: typeof size === 'number' ? size : 0,
    url: readText(value, 'url'),
  }
}
