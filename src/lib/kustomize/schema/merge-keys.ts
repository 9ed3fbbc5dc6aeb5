import { own } from '../../value/own.ts'

/** What strategic merge knows of a list: the fields that name an element; none for a set of scalars. */
export type ListKeys = readonly string[]

/** A type of the schema: lists that merge, and the types of fields. A list's type is that of its elements. */
export type MergeSchema = {
  readonly lists?: Readonly<Record<string, ListKeys>>
  readonly fields?: Readonly<Record<string, MergeSchema>>
}

// The strategies of Kubernetes 1.21, which kustomize 5.8.1 has built in; a newer kind or list has none and is replaced.
const CONDITIONS: MergeSchema = { lists: { conditions: ['type'] } }
const METADATA: MergeSchema = { lists: { finalizers: [], ownerReferences: ['uid'] } }
const CONTAINER: MergeSchema = {
  lists: {
    env: ['name'],
    ports: ['containerPort', 'protocol'],
    volumeMounts: ['mountPath'],
    volumeDevices: ['devicePath'],
  },
}
const EPHEMERAL_CONTAINER: MergeSchema = {
  lists: { env: ['name'], volumeMounts: ['mountPath'], volumeDevices: ['devicePath'] },
}
const CLAIM: MergeSchema = { fields: { metadata: METADATA, status: CONDITIONS } }
const VOLUME: MergeSchema = {
  fields: { ephemeral: { fields: { volumeClaimTemplate: { fields: { metadata: METADATA } } } } },
}
const POD_SPEC: MergeSchema = {
  lists: {
    containers: ['name'],
    initContainers: ['name'],
    ephemeralContainers: ['name'],
    imagePullSecrets: ['name'],
    volumes: ['name'],
    hostAliases: ['ip'],
    topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
  },
  fields: {
    containers: CONTAINER,
    initContainers: CONTAINER,
    ephemeralContainers: EPHEMERAL_CONTAINER,
    volumes: VOLUME,
  },
}
const POD_STATUS: MergeSchema = { lists: { conditions: ['type'], podIPs: ['ip'] } }
const POD_TEMPLATE: MergeSchema = { fields: { metadata: METADATA, spec: POD_SPEC } }
const WORKLOAD_SPEC: MergeSchema = { fields: { template: POD_TEMPLATE } }
const JOB_TEMPLATE: MergeSchema = { fields: { metadata: METADATA, spec: WORKLOAD_SPEC } }

const workload: MergeSchema = { fields: { metadata: METADATA, spec: WORKLOAD_SPEC, status: CONDITIONS } }
const withConditions: MergeSchema = { fields: { metadata: METADATA, status: CONDITIONS } }
const withMetadata: MergeSchema = { fields: { metadata: METADATA } }
const cronJob: MergeSchema = { fields: { metadata: METADATA, spec: { fields: { jobTemplate: JOB_TEMPLATE } } } }
const webhooks: MergeSchema = { lists: { webhooks: ['name'] }, fields: { metadata: METADATA } }
const csiNode: MergeSchema = { fields: { metadata: METADATA, spec: { lists: { drivers: ['name'] } } } }

const KINDS: Readonly<Record<string, MergeSchema>> = {
  'v1 Pod': { fields: { metadata: METADATA, spec: POD_SPEC, status: POD_STATUS } },
  'v1 PodTemplate': { fields: { metadata: METADATA, template: POD_TEMPLATE } },
  'v1 ReplicationController': workload,
  'v1 Service': {
    fields: { metadata: METADATA, spec: { lists: { ports: ['port', 'protocol'] } }, status: CONDITIONS },
  },
  'v1 ServiceAccount': { lists: { secrets: ['name'] }, fields: { metadata: METADATA } },
  'v1 Namespace': withConditions,
  'v1 PersistentVolumeClaim': withConditions,
  'v1 Node': {
    fields: {
      metadata: METADATA,
      spec: { lists: { podCIDRs: [] } },
      status: { lists: { addresses: ['type'], conditions: ['type'] } },
    },
  },
  'v1 ComponentStatus': { lists: { conditions: ['type'] }, fields: { metadata: METADATA } },
  'apps/v1 Deployment': workload,
  'apps/v1 ReplicaSet': workload,
  'apps/v1 DaemonSet': workload,
  'apps/v1 StatefulSet': {
    fields: {
      metadata: METADATA,
      spec: { fields: { template: POD_TEMPLATE, volumeClaimTemplates: CLAIM } },
      status: CONDITIONS,
    },
  },
  'batch/v1 Job': workload,
  'batch/v1 CronJob': cronJob,
  'batch/v1beta1 CronJob': cronJob,
  'policy/v1 PodDisruptionBudget': withConditions,
  'policy/v1beta1 PodDisruptionBudget': withConditions,
  'admissionregistration.k8s.io/v1 MutatingWebhookConfiguration': webhooks,
  'admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration': webhooks,
  'admissionregistration.k8s.io/v1beta1 MutatingWebhookConfiguration': webhooks,
  'admissionregistration.k8s.io/v1beta1 ValidatingWebhookConfiguration': webhooks,
  'storage.k8s.io/v1 CSINode': csiNode,
  'storage.k8s.io/v1beta1 CSINode': csiNode,
  'apiregistration.k8s.io/v1 APIService': withConditions,
  'apiregistration.k8s.io/v1beta1 APIService': withConditions,
}

/** Kinds of Kubernetes 1.21 that have nothing but object metadata to merge. */
const PLAIN_KINDS = `
v1 ConfigMap Secret Endpoints Event LimitRange PersistentVolume ResourceQuota Binding
apps/v1 ControllerRevision
autoscaling/v1 HorizontalPodAutoscaler Scale
autoscaling/v2beta1 HorizontalPodAutoscaler
autoscaling/v2beta2 HorizontalPodAutoscaler
rbac.authorization.k8s.io/v1 Role ClusterRole RoleBinding ClusterRoleBinding
rbac.authorization.k8s.io/v1beta1 Role ClusterRole RoleBinding ClusterRoleBinding
networking.k8s.io/v1 Ingress IngressClass NetworkPolicy
networking.k8s.io/v1beta1 Ingress IngressClass
extensions/v1beta1 Ingress
policy/v1beta1 PodSecurityPolicy Eviction
scheduling.k8s.io/v1 PriorityClass
scheduling.k8s.io/v1beta1 PriorityClass
storage.k8s.io/v1 StorageClass CSIDriver VolumeAttachment
storage.k8s.io/v1beta1 StorageClass CSIDriver VolumeAttachment CSIStorageCapacity
coordination.k8s.io/v1 Lease
coordination.k8s.io/v1beta1 Lease
node.k8s.io/v1 RuntimeClass
node.k8s.io/v1beta1 RuntimeClass
discovery.k8s.io/v1 EndpointSlice
discovery.k8s.io/v1beta1 EndpointSlice
certificates.k8s.io/v1 CertificateSigningRequest
certificates.k8s.io/v1beta1 CertificateSigningRequest
apiextensions.k8s.io/v1 CustomResourceDefinition
apiextensions.k8s.io/v1beta1 CustomResourceDefinition
flowcontrol.apiserver.k8s.io/v1beta1 FlowSchema PriorityLevelConfiguration
events.k8s.io/v1 Event
events.k8s.io/v1beta1 Event
authentication.k8s.io/v1 TokenReview TokenRequest
authentication.k8s.io/v1beta1 TokenReview
authorization.k8s.io/v1 SubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview LocalSubjectAccessReview
authorization.k8s.io/v1beta1 SubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview LocalSubjectAccessReview
`

const PLAIN = new Set(
  PLAIN_KINDS.trim()
    .split('\n')
    .flatMap((line) => {
      const [apiVersion = '', ...kinds] = line.split(' ')
      return kinds.map((kind) => `${apiVersion} ${kind}`)
    }),
)

/** The merge keys of a kind; undefined when kustomize has no schema for it, and every list is replaced. */
export function mergeSchemaOf(apiVersion: string, kind: string): MergeSchema | undefined {
  const name = `${apiVersion} ${kind}`
  return own(KINDS, name) ?? (PLAIN.has(name) ? withMetadata : undefined)
}

const TYPES: Readonly<Record<string, MergeSchema>> = {
  'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta': METADATA,
  'io.k8s.api.core.v1.PodTemplateSpec': POD_TEMPLATE,
  'io.k8s.api.core.v1.PodSpec': POD_SPEC,
  'io.k8s.api.core.v1.PodStatus': POD_STATUS,
  'io.k8s.api.core.v1.Container': CONTAINER,
  'io.k8s.api.core.v1.EphemeralContainer': EPHEMERAL_CONTAINER,
  'io.k8s.api.core.v1.Volume': VOLUME,
  'io.k8s.api.core.v1.PersistentVolumeClaim': CLAIM,
  'io.k8s.api.core.v1.ServiceSpec': { lists: { ports: ['port', 'protocol'] } },
  'io.k8s.api.core.v1.ReplicationControllerSpec': WORKLOAD_SPEC,
  'io.k8s.api.apps.v1.DeploymentSpec': WORKLOAD_SPEC,
  'io.k8s.api.apps.v1.ReplicaSetSpec': WORKLOAD_SPEC,
  'io.k8s.api.apps.v1.DaemonSetSpec': WORKLOAD_SPEC,
  'io.k8s.api.apps.v1.StatefulSetSpec': { fields: { template: POD_TEMPLATE, volumeClaimTemplates: CLAIM } },
  'io.k8s.api.batch.v1.JobSpec': WORKLOAD_SPEC,
  'io.k8s.api.batch.v1.JobTemplateSpec': JOB_TEMPLATE,
  'io.k8s.api.batch.v1.CronJobSpec': { fields: { jobTemplate: JOB_TEMPLATE } },
  'io.k8s.api.batch.v1beta1.JobTemplateSpec': JOB_TEMPLATE,
  'io.k8s.api.batch.v1beta1.CronJobSpec': { fields: { jobTemplate: JOB_TEMPLATE } },
}

/** The merge keys of a type that definitions of one's own refer to; undefined when it has none. */
export function mergeTypeOf(name: string): MergeSchema | undefined {
  return own(TYPES, name)
}
