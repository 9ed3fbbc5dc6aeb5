import type { LabelSelector } from '../../../lib/kube/label-selector.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { compareText } from '../meta.ts'
import type { ResourceList } from '../../../lib/kube/container.ts'
import type { Condition, NodeSelectorTerm, Pod } from '../shapes.ts'

/** Who a PersistentVolume is for. Without uid: whoever comes first by that name. */
export type ClaimRef = { readonly namespace?: string; readonly name?: string; readonly uid?: string }

/** A PersistentVolume. */
export type Volume = KubeObject & {
  readonly spec: {
    readonly capacity?: ResourceList
    readonly accessModes?: readonly string[]
    readonly storageClassName?: string
    readonly volumeAttributesClassName?: string
    readonly volumeMode?: string
    readonly persistentVolumeReclaimPolicy?: string
    readonly claimRef?: ClaimRef
    readonly csi?: unknown
    readonly hostPath?: { readonly path?: string }
    readonly nfs?: unknown
    readonly nodeAffinity?: { readonly required?: { readonly nodeSelectorTerms: readonly NodeSelectorTerm[] } }
  }
  readonly status?: { readonly phase?: string; readonly message?: string }
}

/** A PersistentVolumeClaim. */
export type Claim = KubeObject & {
  readonly spec: {
    readonly accessModes?: readonly string[]
    readonly resources?: { readonly requests?: ResourceList }
    readonly selector?: LabelSelector
    readonly storageClassName?: string
    readonly volumeAttributesClassName?: string
    readonly volumeMode?: string
    readonly volumeName?: string
  }
  readonly status?: {
    readonly phase?: string
    readonly currentVolumeAttributesClassName?: string
    readonly accessModes?: readonly string[]
    readonly capacity?: ResourceList
    readonly conditions?: readonly Condition[]
  }
}

/** A StorageClass. */
export type StorageClass = KubeObject & {
  readonly provisioner: string
  readonly volumeBindingMode?: string
  readonly reclaimPolicy?: string
}

/** A claim that a pod's volume names; its own is made for it alone. */
export type NamedClaim = { readonly name: string; readonly isOwn: boolean }

/** The claims that a pod uses, those made for it alone included. */
export function claimsOfPod({ metadata, spec }: Pod): readonly NamedClaim[] {
  return (spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }): NamedClaim[] => {
    if (persistentVolumeClaim) return [{ name: persistentVolumeClaim.claimName, isOwn: false }]
    return ephemeral ? [{ name: `${metadata.name}-${name}`, isOwn: true }] : []
  })
}

/** Whether a pod uses the claim of that name. */
export function usesClaim(pod: Pod, claim: string): boolean {
  return claimsOfPod(pod).some(({ name }) => name === claim)
}

/** The storage of a cluster. */
export type Storage = {
  readonly claim: (namespace: string, name: string) => Claim | undefined
  readonly volume: (name: string) => Volume | undefined
  readonly volumes: () => readonly Volume[]
  readonly storageClass: (name: string) => StorageClass | undefined
}

/** The annotations by which binder, scheduler and provisioners speak with each other. @see https://kubernetes.io/docs/reference/labels-annotations-taints/ */
export const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed'
export const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller'
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by'
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node'
export const PROVISIONERS = [
  'volume.beta.kubernetes.io/storage-provisioner',
  'volume.kubernetes.io/storage-provisioner',
] as const
const OLD_CLASS = 'volume.beta.kubernetes.io/storage-class'
/** A volume's size before it was expanded, as long as its claim does not know. */
export const BEFORE_RESIZE = 'volume.alpha.kubernetes.io/pre-resize-capacity'
const DEFAULT_CLASS = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
]

/** The class of a volume or claim; an annotation of old times comes first. */
export function classOf({ metadata, spec }: Volume | Claim): string {
  return metadata.annotations?.[OLD_CLASS] ?? spec.storageClassName ?? ''
}

/** Whether the claim names a class, be it none: then it gets no default one. */
export function hasClass({ metadata, spec }: Claim): boolean {
  return metadata.annotations?.[OLD_CLASS] !== undefined || spec.storageClassName !== undefined
}

/** The newest of the classes that are marked as the default one; of two as old the first by name. */
export function defaultClass(classes: readonly StorageClass[]): StorageClass | undefined {
  const isMarked = ({ metadata }: StorageClass): boolean =>
    DEFAULT_CLASS.some((key) => metadata.annotations?.[key] === 'true')
  const age = ({ metadata }: StorageClass): string => metadata.creationTimestamp ?? ''
  return classes
    .filter(isMarked)
    .sort((a, b) => compareText(age(b), age(a)) || compareText(a.metadata.name, b.metadata.name))[0]
}

/** Whether claims of this class wait until a pod that uses them has a node: the scheduler chooses their volumes. */
export function isDelayed(storageClass: StorageClass | undefined): boolean {
  return storageClass?.volumeBindingMode === 'WaitForFirstConsumer'
}
