import { DESCRIPTION_CHUNKS } from '../../../lib/kube-schema/data/descriptions.ts'
import { unpack } from '../../../lib/kube-schema/unpack.ts'
import { OTHER_DESCRIPTIONS } from './other-descriptions.ts'

type Texts = Readonly<Record<string, Readonly<Record<string, string>>>>

/** What a column says of itself: `@package.Type.field` is the text of that field in the Kubernetes document. */
const META = '@meta.v1.ObjectMeta'
const EVERYWHERE: Readonly<Record<string, string>> = {
  Name: `${META}.name`,
  Age: `${META}.creationTimestamp`,
  Containers: 'Names of each container in the template.',
  Images: 'Images referenced by each container in the template.',
}

/** The printers still speak of the v1beta1 kinds, whose texts differ from those of v1. */
const UNRESOLVED = 'If the RoleRef cannot be resolved, the Authorizer must return an error.'
const binding = (kind: string, role: string): Readonly<Record<string, string>> => ({
  Role: `roleRef can ${role}. ${UNRESOLVED}`,
  ...Object.fromEntries(
    ['Users', 'Groups', 'ServiceAccounts'].map((each) => [
      each,
      `${each} in the ${kind.charAt(0).toLowerCase()}${kind.slice(1)}`,
    ]),
  ),
})

const fieldsOf = (type: string, fields: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(fields).map(([column, field]) => [column, `@${type}.${field}`]))

/** By storage key and column, as the printers of kube-apiserver say it. @see k8s.io/kubernetes/pkg/printers/internalversion */
const DESCRIPTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '/pods': {
    Ready: 'The aggregate readiness state of this pod for accepting traffic.',
    Status: 'The aggregate status of the containers in this pod.',
    Restarts:
      'The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.',
    ...fieldsOf('core.v1.PodStatus', { IP: 'podIP', 'Nominated Node': 'nominatedNodeName' }),
    ...fieldsOf('core.v1.PodSpec', { Node: 'nodeName', 'Readiness Gates': 'readinessGates' }),
  },
  '/podtemplates': { 'Pod Labels': 'The labels for the pod template.' },
  'policy/poddisruptionbudgets': {
    'Min Available': 'The minimum number of pods that must be available.',
    'Max Unavailable': 'The maximum number of pods that may be unavailable.',
    'Allowed Disruptions': 'Calculated number of pods that may be disrupted at this time.',
  },
  '/replicationcontrollers': {
    ...fieldsOf('core.v1.ReplicationControllerSpec', { Desired: 'replicas', Selector: 'selector' }),
    ...fieldsOf('core.v1.ReplicationControllerStatus', { Current: 'replicas', Ready: 'readyReplicas' }),
  },
  'apps/replicasets': {
    ...fieldsOf('apps.v1.ReplicaSetSpec', { Desired: 'replicas', Selector: 'selector' }),
    ...fieldsOf('apps.v1.ReplicaSetStatus', { Current: 'replicas', Ready: 'readyReplicas' }),
  },
  'apps/daemonsets': {
    ...fieldsOf('apps.v1.DaemonSetStatus', {
      Desired: 'desiredNumberScheduled',
      Current: 'currentNumberScheduled',
      Ready: 'numberReady',
      'Up-to-date': 'updatedNumberScheduled',
      Available: 'numberAvailable',
    }),
    'Node Selector': '@core.v1.PodSpec.nodeSelector',
    Selector: '@apps.v1.DaemonSetSpec.selector',
  },
  'apps/statefulsets': { Ready: 'Number of the pod with ready state' },
  'apps/deployments': {
    Ready: 'Number of the pod with ready state',
    ...fieldsOf('apps.v1.DeploymentStatus', { 'Up-to-date': 'updatedReplicas', Available: 'availableReplicas' }),
    Selector: '@apps.v1.DeploymentSpec.selector',
  },
  'apps/controllerrevisions': {
    Controller: 'Controller of the object',
    Revision: '@apps.v1.ControllerRevision.revision',
  },
  'batch/jobs': {
    Status: 'Status of the job.',
    Completions: '@batch.v1.JobStatus.succeeded',
    Duration: 'Time required to complete the job.',
    Selector: '@batch.v1.JobSpec.selector',
  },
  'batch/cronjobs': {
    ...fieldsOf('batch.v1.CronJobSpec', { Schedule: 'schedule', Timezone: 'timeZone', Suspend: 'suspend' }),
    ...fieldsOf('batch.v1.CronJobStatus', { Active: 'active', 'Last Schedule': 'lastScheduleTime' }),
    Selector: '@batch.v1.JobSpec.selector',
  },
  '/services': fieldsOf('core.v1.ServiceSpec', {
    Type: 'type',
    'Cluster-IP': 'clusterIP',
    'External-IP': 'externalIPs',
    'Port(s)': 'ports',
    Selector: 'selector',
  }),
  'networking.k8s.io/ingresses': {
    Class: 'The name of the IngressClass resource that should be used for additional configuration',
    Hosts: 'Hosts that incoming requests are matched against before the ingress rule',
    Address: 'Address is a list containing ingress points for the load-balancer',
    Ports: 'Ports of TLS configurations that open',
  },
  'networking.k8s.io/ingressclasses': {
    Controller: 'Controller that is responsible for handling this class',
    Parameters: 'A reference to a resource with additional parameters',
  },
  'networking.k8s.io/networkpolicies': fieldsOf('networking.v1.NetworkPolicySpec', { 'Pod-Selector': 'podSelector' }),
  '/endpoints': fieldsOf('core.v1.Endpoints', { Endpoints: 'subsets' }),
  'discovery.k8s.io/endpointslices': fieldsOf('discovery.v1.EndpointSlice', {
    AddressType: 'addressType',
    Ports: 'ports',
    Endpoints: 'endpoints',
  }),
  '/nodes': {
    Status: 'The status of the node',
    Roles: 'The roles of the node',
    ...fieldsOf('core.v1.NodeStatus', { 'Internal-IP': 'addresses', 'External-IP': 'addresses' }),
    ...fieldsOf('core.v1.NodeSystemInfo', {
      Version: 'kubeletVersion',
      'OS-Image': 'osImage',
      'Kernel-Version': 'kernelVersion',
      'Container-Runtime': 'containerRuntimeVersion',
    }),
  },
  '/events': {
    ...fieldsOf('core.v1.Event', {
      'Last Seen': 'lastTimestamp',
      Type: 'type',
      Reason: 'reason',
      Object: 'involvedObject',
      Source: 'source',
      Message: 'message',
      'First Seen': 'firstTimestamp',
      Count: 'count',
    }),
    Subobject: '@core.v1.ObjectReference.fieldPath',
  },
  '/namespaces': { Status: 'The status of the namespace' },
  '/secrets': fieldsOf('core.v1.Secret', { Type: 'type', Data: 'data' }),
  '/configmaps': fieldsOf('core.v1.ConfigMap', { Data: 'data' }),
  '/persistentvolumes': {
    ...fieldsOf('core.v1.PersistentVolumeSpec', {
      Capacity: 'capacity',
      'Access Modes': 'accessModes',
      'Reclaim Policy': 'persistentVolumeReclaimPolicy',
      Claim: 'claimRef',
      VolumeMode: 'volumeMode',
    }),
    ...fieldsOf('core.v1.PersistentVolumeStatus', { Status: 'phase', Reason: 'reason' }),
    StorageClass: 'StorageClass of the pv',
    VolumeAttributesClass: 'VolumeAttributesClass of the pv',
  },
  '/persistentvolumeclaims': {
    ...fieldsOf('core.v1.PersistentVolumeClaimStatus', {
      Status: 'phase',
      Capacity: 'capacity',
      'Access Modes': 'accessModes',
    }),
    ...fieldsOf('core.v1.PersistentVolumeClaimSpec', { Volume: 'volumeName', VolumeMode: 'volumeMode' }),
    StorageClass: 'StorageClass of the pvc',
    VolumeAttributesClass: 'VolumeAttributesClass of the pvc',
  },
  'autoscaling/horizontalpodautoscalers': {
    ...fieldsOf('autoscaling.v2.HorizontalPodAutoscalerSpec', {
      Reference: 'scaleTargetRef',
      Targets: 'metrics',
      MinPods: 'minReplicas',
      MaxPods: 'maxReplicas',
    }),
    Replicas: '@autoscaling.v2.HorizontalPodAutoscalerStatus.currentReplicas',
  },
  'rbac.authorization.k8s.io/rolebindings': binding(
    'RoleBinding',
    'reference a Role in the current namespace or a ClusterRole in the global namespace',
  ),
  'rbac.authorization.k8s.io/clusterrolebindings': binding(
    'ClusterRoleBinding',
    'only reference a ClusterRole in the global namespace',
  ),
  'coordination.k8s.io/leases': fieldsOf('coordination.v1.LeaseSpec', { Holder: 'holderIdentity' }),
  'scheduling.k8s.io/priorityclasses': fieldsOf('scheduling.v1.PriorityClass', {
    Value: 'value',
    'Global-Default': 'globalDefault',
    PreemptionPolicy: 'preemptionPolicy',
  }),
  'storage.k8s.io/storageclasses': fieldsOf('storage.v1.StorageClass', {
    Provisioner: 'provisioner',
    ReclaimPolicy: 'reclaimPolicy',
    VolumeBindingMode: 'volumeBindingMode',
    AllowVolumeExpansion: 'allowVolumeExpansion',
  }),
  'storage.k8s.io/volumeattributesclasses': fieldsOf('storage.v1.VolumeAttributesClass', { DriverName: 'driverName' }),
  'storage.k8s.io/volumeattachments': {
    ...fieldsOf('storage.v1.VolumeAttachmentSpec', { Attacher: 'attacher', Node: 'nodeName' }),
    PV: '@storage.v1.VolumeAttachmentSource.persistentVolumeName',
    Attached: '@storage.v1.VolumeAttachmentStatus.attached',
  },
  'storage.k8s.io/csinodes': { Drivers: 'Drivers indicates the number of CSI drivers registered on the node' },
  'storage.k8s.io/csidrivers': fieldsOf('storage.v1.CSIDriverSpec', {
    AttachRequired: 'attachRequired',
    PodInfoOnMount: 'podInfoOnMount',
    StorageCapacity: 'storageCapacity',
    TokenRequests: 'tokenRequests',
    RequiresRepublish: 'requiresRepublish',
    Modes: 'volumeLifecycleModes',
  }),
  '/resourcequotas': {
    Request: 'Request represents a minimum amount of cpu/memory that a container may consume.',
    Limit:
      'Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node.',
  },
  ...OTHER_DESCRIPTIONS,
}

/** Kinds without a printer of their own describe the two default columns by nothing but their type. */
const DEFAULT: Readonly<Record<string, string>> = { 'Created At': `${META}.creationTimestamp` }

const known = new Map<string, string>()

/** What a column of a kind says of itself, '' when nothing is known. */
export function describeColumn(storageKey: string, column: string): string {
  const source = DESCRIPTIONS[storageKey]?.[column] ?? EVERYWHERE[column] ?? DEFAULT[column] ?? ''
  if (!source.startsWith('@')) return source
  let text = known.get(source)
  if (text === undefined) known.set(source, (text = documented(source.slice(1))))
  return text
}

/** Decodes a whole package for one text, and lets it go again: tables are rare, memory is always. */
function documented(path: string): string {
  const [group = '', version = '', type = '', field = ''] = path.split('.')
  const name = group === 'meta' ? `io.k8s.apimachinery.pkg.apis.meta.${version}` : `io.k8s.api.${group}.${version}`
  const chunk = DESCRIPTION_CHUNKS[name]
  return chunk === undefined ? '' : (unpack<Texts>(chunk)[type]?.[field] ?? '')
}
