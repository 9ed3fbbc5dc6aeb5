import type { Json, JsonObject } from '../../../lib/kube/json.ts'
import type { FieldType } from '../../../lib/kube-schema/schema.ts'

/** A printer column of a custom resource. */
export type PrinterColumn = {
  readonly name: string
  readonly type: string
  readonly format: string
  readonly description: string
  readonly priority: number
  readonly jsonPath: string
}

/** What the definition of a custom resource says about one version. */
export type Custom = {
  readonly definition: string
  readonly columns: readonly PrinterColumn[]
  readonly scale: JsonObject | undefined
  /** Fields that a list may be selected by, besides name and namespace: `spec.color`. */
  readonly selectable: readonly string[]
  readonly deprecation: string | undefined
  /** The OpenAPI schema as written, for documents. */
  readonly schema: Json | undefined
  /** The same, without the fields that every object has: what values are checked by. */
  readonly written: FieldType
  /** The apiVersions that the definition has, served or not, each with its type. */
  readonly versions: ReadonlyMap<string, FieldType>
  /** Objects may have been written without defaults, or under another schema: they are made to fit when they are read. */
  readonly isFitted: boolean
  /** The definition waits for the end of its objects: there are no new ones. */
  readonly isEnding: boolean
}

/** One kind in one version: everything the pipeline must know about it. Built-in and custom kinds are the same thing. */
export type Resource = {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly isNamespaced: boolean
  readonly verbs: readonly string[]
  /** `status`, `scale`, `log`, …, each with its verbs and kind. */
  readonly subresources: ReadonlyMap<string, Subresource>
  /** Where its objects are kept: the same for all versions of a kind. */
  readonly storageKey: string
  /** The apiVersion in which objects are kept. */
  readonly storedVersion: string
  readonly type: FieldType
  readonly custom: Custom | undefined
}

/** A subresource as discovery names it. */
export type Subresource = {
  readonly kind: string
  readonly group: string
  readonly version: string
  readonly verbs: readonly string[]
}

/** True for the subresources that are the object itself, of which they write the status or a part of it. */
export function writesStatus(subresource: string): boolean {
  return subresource === 'status' || subresource === 'approval'
}

/** Writes the containers that are added to a running pod, and nothing else. */
export const EPHEMERAL = 'ephemeralcontainers'

/** Writes what the containers of a running pod may use, and nothing else. */
export const RESIZE = 'resize'

/** Where CertificateSigningRequests are kept. */
export const SIGNING_REQUESTS = 'certificates.k8s.io/certificatesigningrequests'
/** As which the Scales of custom resources are printed. */
export const CUSTOM_SCALES = 'autoscaling/custom-scales'
/** How often the template of a DaemonSet changed, as annotations tell it to old clients. */
export const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'
/** Who signs certificates that clients show this server. */
export const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client'

/** Kinds whose status is written without their metadata. @see ResetObjectMetaForStatus in the registry's strategies */
const META_KEPT = new Set([
  ...[
    'PodCertificateRequest',
    'ServiceCIDR',
    'StorageVersionMigration',
    'ResourceClaim',
    'VolumeAttachment',
    'CSINode',
  ],
  ...['FlowSchema', 'PriorityLevelConfiguration', 'ValidatingAdmissionPolicy', 'PodGroup', 'DeviceTaintRule'],
])

/** True of a kind of which a write of its status does not write labels and the like. */
export const keepsMetaByStatus = ({ custom, kind }: Resource): boolean => custom !== undefined || META_KEPT.has(kind)

/** True for the subresources that are read and written as the object itself. */
export function isWhole(subresource: string): boolean {
  return subresource === '' || writesStatus(subresource) || subresource === EPHEMERAL || subresource === RESIZE
}

/** `apps/v1`, `v1`. */
export function apiVersionOf({ group, version }: { readonly group: string; readonly version: string }): string {
  return group === '' ? version : `${group}/${version}`
}
