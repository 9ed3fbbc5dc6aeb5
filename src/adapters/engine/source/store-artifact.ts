import type { ArtifactStatus, SourceObject } from '../../../kinds/source.ts'
import { kubeTime } from '../../../kinds/conditions.ts'
import { digestOf } from '../../../lib/oci/digest.ts'
import type { EngineContext } from '../context.ts'

/** An artifact to store: `file` is its name in the folder of its object. */
export type ArtifactDraft = {
  readonly revision: string
  readonly file: string
  readonly bytes: Buffer
  readonly metadata?: Readonly<Record<string, string>> | undefined
}

/** Flux keeps two. */
const KEPT = 2

/** Writes an artifact under the path that source-controller would give it, drops older ones, and answers its status. */
export async function storeArtifact(
  { artifacts, clock }: EngineContext,
  { kind, namespace, name, artifact: before }: SourceObject,
  { revision, file, bytes, metadata }: ArtifactDraft,
): Promise<ArtifactStatus> {
  const path = artifactPath({ kind, namespace, name }, file)
  const digest = digestOf(bytes)
  await artifacts.write(path, bytes)
  await artifacts.collect(path, KEPT)
  const isSame = before?.digest === digest && before.revision === revision && before.path === path
  return {
    digest,
    lastUpdateTime: isSame ? before.lastUpdateTime : kubeTime(clock.nowMs()),
    ...(metadata && Object.keys(metadata).length > 0 ? { metadata } : {}),
    path,
    revision,
    size: bytes.length,
    url: artifacts.urlOf(path),
  }
}

/** Where an object's artifact lies: `ocirepository/<namespace>/<name>/<file>`. */
function artifactPath(
  { kind, namespace, name }: Pick<SourceObject, 'kind' | 'namespace' | 'name'>,
  file: string,
): string {
  return `${kind.toLowerCase()}/${namespace}/${name}/${file}`
}

/** Whether the artifact of a status is still what this engine serves. */
export function isServed({ artifacts }: EngineContext, artifact: ArtifactStatus): boolean {
  return artifacts.has(artifact.path) && artifact.url === artifacts.urlOf(artifact.path)
}
