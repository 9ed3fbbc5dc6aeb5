import type { KubeObject } from '../../../lib/kube/object.ts'

/** Who makes volumes of a class: folders of this machine. */
export const PROVISIONER = 'sluice.dev/local'

const ASKED = 'volume.kubernetes.io/storage-provisioner'
const SELECTED_NODE = 'volume.kubernetes.io/selected-node'
const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by'
const HOSTNAME = 'kubernetes.io/hostname'

/** What a claim says of the volume that it wants. */
export type Claim = KubeObject & {
  readonly spec?: {
    readonly accessModes?: readonly string[]
    readonly resources?: { readonly requests?: { readonly storage?: string } }
    readonly storageClassName?: string
    readonly selector?: unknown
    readonly volumeMode?: string
    readonly volumeName?: string
  }
}

/** What a volume says of its place and of its end. */
export type Volume = KubeObject & {
  readonly spec?: {
    readonly persistentVolumeReclaimPolicy?: string
    readonly nodeAffinity?: {
      readonly required?: {
        readonly nodeSelectorTerms?: readonly {
          readonly matchExpressions?: readonly { readonly key: string; readonly values?: readonly string[] }[]
        }[]
      }
    }
  }
  readonly status?: { readonly phase?: string }
}

/** Whether this node is to make a volume for the claim: it is asked of us, has none, and waits for no other node. */
export function isToProvision({ metadata, spec }: Claim, node: string): boolean {
  const { annotations = {} } = metadata
  if (annotations[ASKED] !== PROVISIONER || (spec?.volumeName ?? '') !== '') return false
  return metadata.deletionTimestamp === undefined && (annotations[SELECTED_NODE] ?? node) === node
}

/** Why no folder can be what the claim asks for; undefined when one can. */
export function refusalOf({ spec }: Claim): string | undefined {
  if (spec?.volumeMode === 'Block') return 'a folder is no block device: volumeMode Block is not supported'
  if (spec?.selector !== undefined) return 'claim.spec.selector is not supported'
  return undefined
}

/** The volume for a claim, in a folder of this machine; by its name a second try finds the first. */
export function volumeFor(claim: Claim, path: string, node: string, policy: string): KubeObject {
  const { name, namespace, uid, resourceVersion } = claim.metadata
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: volumeName(claim), annotations: { [PROVISIONED_BY]: PROVISIONER } },
    spec: {
      capacity: { storage: claim.spec?.resources?.requests?.storage },
      accessModes: claim.spec?.accessModes,
      storageClassName: claim.spec?.storageClassName,
      persistentVolumeReclaimPolicy: policy,
      volumeMode: 'Filesystem',
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid, resourceVersion },
      hostPath: { path, type: 'DirectoryOrCreate' },
      nodeAffinity: {
        required: { nodeSelectorTerms: [{ matchExpressions: [{ key: HOSTNAME, operator: 'In', values: [node] }] }] },
      },
    },
  }
}

/** `pvc-` and the uid of the claim, as other provisioners name theirs. */
export const volumeName = ({ metadata }: Claim): string => `pvc-${metadata.uid}`

/** Whether this node is to end a volume: it made it, its claim is gone, and it is not to be kept. */
export function isToEnd({ metadata, spec, status }: Volume, node: string): boolean {
  const places = spec?.nodeAffinity?.required?.nodeSelectorTerms ?? []
  const isHere = places.some(({ matchExpressions = [] }) =>
    matchExpressions.some(({ key, values }) => key === HOSTNAME && values?.includes(node)),
  )
  const isOurs = metadata.annotations?.[PROVISIONED_BY] === PROVISIONER && /^pvc-[0-9a-f-]{36}$/.test(metadata.name)
  return isHere && isOurs && status?.phase === 'Released' && spec?.persistentVolumeReclaimPolicy === 'Delete'
}
