import type { KubeClient } from '../../../../adapters/kube/types.ts'
import { describeError } from '../../../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../../../lib/kube/object.ts'
import type { Pod } from '../shapes.ts'

/** What is behind a claim: a folder of this machine, or why there is none. */
export type ClaimedVolume =
  { readonly path: string; readonly type?: string; readonly readOnly: boolean } | { readonly refused: string }

type Folder = { readonly path: string; readonly type?: string }
type Claim = KubeObject & {
  readonly spec?: { readonly volumeName?: string }
  readonly status?: { readonly phase?: string }
}
type PersistentVolume = KubeObject & {
  readonly spec?: { readonly hostPath?: Folder; readonly local?: Folder; readonly volumeMode?: string }
}

/** The claims that a pod's volumes name, its own included, by volume. */
function claimNames({ metadata, spec }: Pod): { volume: string; claim: string; readOnly: boolean }[] {
  return (spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim) {
      const { claimName, readOnly = false } = persistentVolumeClaim
      return [{ volume: name, claim: claimName, readOnly }]
    }
    return ephemeral ? [{ volume: name, claim: `${metadata.name}-${name}`, readOnly: false }] : []
  })
}

/** Reads the claims of a pod and what is behind them, by the pod's name of the volume. Folders are all that this node can mount. */
export async function lookUpClaims(
  client: Pick<KubeClient, 'get'>,
  pod: Pod,
): Promise<ReadonlyMap<string, ClaimedVolume>> {
  const namespace = pod.metadata.namespace ?? 'default'
  const found = claimNames(pod).map(async ({ volume, claim, readOnly }) => {
    const claimed = behind(client, namespace, claim, readOnly)
    // what cannot be read is a fault of its volume, and of no other
    return [volume, await claimed.catch((error: unknown) => ({ refused: describeError(error) }))] as const
  })
  return new Map(await Promise.all(found))
}

async function behind(
  client: Pick<KubeClient, 'get'>,
  namespace: string,
  name: string,
  readOnly: boolean,
): Promise<ClaimedVolume> {
  const claim: Claim | undefined = await client.get({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    namespace,
    name,
  })
  if (claim === undefined) return { refused: `persistentvolumeclaim "${name}" not found` }
  const { volumeName = '' } = claim.spec ?? {}
  if (claim.status?.phase !== 'Bound' || volumeName === '')
    return { refused: `persistentvolumeclaim "${name}" is not bound` }
  const volume: PersistentVolume | undefined = await client.get({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    namespace: '',
    name: volumeName,
  })
  if (volume === undefined) return { refused: `persistentvolume "${volumeName}" not found` }
  const { hostPath, local, volumeMode = 'Filesystem' } = volume.spec ?? {}
  const folder = hostPath ?? local
  if (folder !== undefined && volumeMode === 'Filesystem') return { ...folder, readOnly }
  return {
    refused: `persistentvolume "${volumeName}" is no folder of this machine (hostPath or local): this node mounts no other`,
  }
}
