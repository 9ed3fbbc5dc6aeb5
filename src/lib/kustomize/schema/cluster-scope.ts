/**
 * Kinds that kustomize knows to be cluster-scoped: `apiVersion Kind …`. Everything else counts as namespaced.
 * @see https://github.com/kubernetes-sigs/kustomize/blob/master/kyaml/openapi/openapi.go
 */
const CLUSTER_SCOPED_KINDS = `
admissionregistration.k8s.io/v1 MutatingWebhookConfiguration ValidatingWebhookConfiguration
admissionregistration.k8s.io/v1beta1 MutatingWebhookConfiguration ValidatingWebhookConfiguration
apiextensions.k8s.io/v1 CustomResourceDefinition
apiextensions.k8s.io/v1beta1 CustomResourceDefinition
apiregistration.k8s.io/v1 APIService
apiregistration.k8s.io/v1beta1 APIService
certificates.k8s.io/v1 CertificateSigningRequest
certificates.k8s.io/v1beta1 CertificateSigningRequest
flowcontrol.apiserver.k8s.io/v1beta1 FlowSchema PriorityLevelConfiguration
networking.k8s.io/v1 IngressClass
networking.k8s.io/v1beta1 IngressClass
node.k8s.io/v1 RuntimeClass
node.k8s.io/v1beta1 RuntimeClass
policy/v1beta1 PodSecurityPolicy
rbac.authorization.k8s.io/v1 ClusterRole ClusterRoleBinding
rbac.authorization.k8s.io/v1beta1 ClusterRole ClusterRoleBinding
scheduling.k8s.io/v1 PriorityClass
scheduling.k8s.io/v1beta1 PriorityClass
storage.k8s.io/v1 CSIDriver CSINode StorageClass VolumeAttachment
storage.k8s.io/v1beta1 CSIDriver CSINode StorageClass VolumeAttachment
v1 ComponentStatus Namespace Node NodeProxyOptions PersistentVolume
`

/** Kinds that it knows to be in a namespace. */
const NAMESPACED_KINDS = `
apps/v1 ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet
autoscaling/v1 HorizontalPodAutoscaler Scale
autoscaling/v2beta1 HorizontalPodAutoscaler
autoscaling/v2beta2 HorizontalPodAutoscaler
batch/v1 CronJob Job
batch/v1beta1 CronJob
coordination.k8s.io/v1 Lease
coordination.k8s.io/v1beta1 Lease
discovery.k8s.io/v1 EndpointSlice
discovery.k8s.io/v1beta1 EndpointSlice
events.k8s.io/v1 Event
events.k8s.io/v1beta1 Event
extensions/v1beta1 Ingress
networking.k8s.io/v1 Ingress NetworkPolicy
networking.k8s.io/v1beta1 Ingress
policy/v1 PodDisruptionBudget
policy/v1beta1 PodDisruptionBudget
rbac.authorization.k8s.io/v1 Role RoleBinding
rbac.authorization.k8s.io/v1beta1 Role RoleBinding
storage.k8s.io/v1beta1 CSIStorageCapacity
v1 ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodAttachOptions PodExecOptions PodPortForwardOptions PodProxyOptions PodTemplate ReplicationController ResourceQuota Secret Service ServiceAccount ServiceProxyOptions
`

/** The cluster-scoped kinds of each apiVersion; asked for every id of every object. */
const CLUSTER_SCOPED = kindsByVersion(CLUSTER_SCOPED_KINDS)
const NAMESPACED = kindsByVersion(NAMESPACED_KINDS)

function kindsByVersion(table: string): ReadonlyMap<string, ReadonlySet<string>> {
  const lines = table.trim().split('\n')
  return new Map(
    lines.map((line): [string, ReadonlySet<string>] => {
      const [apiVersion = '', ...kinds] = line.split(' ')
      return [apiVersion, new Set(kinds)]
    }),
  )
}

/** Whether kustomize 5.8.1 knows where a kind belongs without its schema. */
export function isKnownKind(apiVersion: string, kind: string): boolean {
  return isClusterScoped(apiVersion, kind) || NAMESPACED.get(apiVersion)?.has(kind) === true
}

/** Whether kustomize 5.8.1 is sure that a kind is cluster-scoped. */
export function isClusterScoped(apiVersion: string, kind: string): boolean {
  return CLUSTER_SCOPED.get(apiVersion)?.has(kind) === true
}
