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

/** The cluster-scoped kinds of each apiVersion; asked for every id of every object. */
const CLUSTER_SCOPED = new Map(
  CLUSTER_SCOPED_KINDS.trim()
    .split('\n')
    .map((line): [string, ReadonlySet<string>] => {
      const [apiVersion = '', ...kinds] = line.split(' ')
      return [apiVersion, new Set(kinds)]
    }),
)

/** Whether kustomize 5.8.1 is sure that a kind is cluster-scoped. */
export function isClusterScoped(apiVersion: string, kind: string): boolean {
  return CLUSTER_SCOPED.get(apiVersion)?.has(kind) === true
}
