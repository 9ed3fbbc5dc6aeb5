import { at, listOf, numberOf, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import { AGE, ageOf, type Column, count, field, NAME, shown, text } from './columns.ts'
import {
  NONE,
  pairs,
  selectorText,
  WORKLOAD,
  containerColumns,
  SELECTOR,
  ready,
  serviceAddress,
  portsText,
  hostsOf,
  addressesOf,
  metricsText,
  nodeStatus,
  rolesOf,
  nodeAddress,
  jobStatus,
  jobCompletions,
  jobDuration,
  EVENT,
  dataCount,
  integer,
  accessModes,
  createdAt,
  bindingColumns,
  endpointsText,
  slicePorts,
  firstFew,
} from './cells.ts'

/** Columns by storage key; kinds that are not here show name and age. */
export const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  'apps/deployments': [
    NAME,
    text('Ready', ready),
    count('Up-to-date', 'status', 'updatedReplicas'),
    count('Available', 'status', 'availableReplicas'),
    AGE,
    ...containerColumns(...WORKLOAD),
    SELECTOR,
  ],
  'apps/replicasets': [
    NAME,
    count('Desired', 'spec', 'replicas'),
    count('Current', 'status', 'replicas'),
    count('Ready', 'status', 'readyReplicas'),
    AGE,
    ...containerColumns(...WORKLOAD),
    SELECTOR,
  ],
  '/replicationcontrollers': [
    NAME,
    count('Desired', 'spec', 'replicas'),
    count('Current', 'status', 'replicas'),
    count('Ready', 'status', 'readyReplicas'),
    AGE,
    ...containerColumns(...WORKLOAD),
    text('Selector', (object) => pairs(at(object, 'spec', 'selector')), 1),
  ],
  'apps/statefulsets': [NAME, text('Ready', ready), AGE, ...containerColumns(...WORKLOAD)],
  'apps/daemonsets': [
    NAME,
    count('Desired', 'status', 'desiredNumberScheduled'),
    count('Current', 'status', 'currentNumberScheduled'),
    count('Ready', 'status', 'numberReady'),
    count('Up-to-date', 'status', 'updatedNumberScheduled'),
    count('Available', 'status', 'numberAvailable'),
    text('Node Selector', (object) => pairs(at(object, ...WORKLOAD, 'nodeSelector'))),
    AGE,
    ...containerColumns(...WORKLOAD),
    SELECTOR,
  ],
  'apps/controllerrevisions': [
    NAME,
    text('Controller', (object) => {
      const owner = objectsOf(object.metadata.ownerReferences).find(({ controller }) => controller === true)
      return owner === undefined
        ? NONE
        : `${stringOf(owner.kind).toLowerCase()}.${stringOf(owner.apiVersion).split('/')[0] ?? ''}/${stringOf(owner.name)}`
    }),
    integer('Revision', ({ revision }) => numberOf(revision) ?? 0),
    AGE,
  ],
  'batch/jobs': [
    NAME,
    text('Status', jobStatus),
    text('Completions', jobCompletions),
    text('Duration', jobDuration),
    AGE,
    ...containerColumns(...WORKLOAD),
    SELECTOR,
  ],
  'batch/cronjobs': [
    NAME,
    field('Schedule', 'spec', 'schedule'),
    text('Timezone', (object) => shown(at(object, 'spec', 'timeZone')) || NONE),
    text('Suspend', (object) => (at(object, 'spec', 'suspend') === true ? 'True' : 'False')),
    integer('Active', (object) => listOf(at(object, 'status', 'active')).length),
    text('Last Schedule', (object, now) =>
      typeof at(object, 'status', 'lastScheduleTime') === 'string'
        ? ageOf(at(object, 'status', 'lastScheduleTime'), now)
        : NONE,
    ),
    AGE,
    ...containerColumns('spec', 'jobTemplate', ...WORKLOAD),
    text('Selector', (object) => selectorText(at(object, 'spec', 'jobTemplate', 'spec', 'selector')), 1),
  ],
  '/services': [
    NAME,
    field('Type', 'spec', 'type'),
    text('Cluster-IP', (object) => shown(at(object, 'spec', 'clusterIP')) || NONE),
    text('External-IP', serviceAddress),
    text('Port(s)', (object) => portsText(at(object, 'spec', 'ports'))),
    AGE,
    text('Selector', (object) => pairs(at(object, 'spec', 'selector')), 1),
  ],
  'networking.k8s.io/ingresses': [
    NAME,
    text('Class', (object) => shown(at(object, 'spec', 'ingressClassName')) || NONE),
    text('Hosts', hostsOf),
    text('Address', addressesOf),
    text('Ports', (object) => (listOf(at(object, 'spec', 'tls')).length > 0 ? '80, 443' : '80')),
    AGE,
  ],
  'networking.k8s.io/ingressclasses': [
    NAME,
    field('Controller', 'spec', 'controller'),
    text('Parameters', (object) => {
      const { kind, apiGroup, name } = objectOf(at(object, 'spec', 'parameters'))
      return kind === undefined
        ? NONE
        : `${stringOf(kind)}${stringOf(apiGroup) === '' ? '' : `.${stringOf(apiGroup)}`}/${stringOf(name)}`
    }),
    AGE,
  ],
  'networking.k8s.io/networkpolicies': [
    NAME,
    text('Pod-Selector', (object) => selectorText(at(object, 'spec', 'podSelector'))),
    AGE,
  ],
  'autoscaling/horizontalpodautoscalers': [
    NAME,
    text(
      'Reference',
      (object) =>
        `${stringOf(at(object, 'spec', 'scaleTargetRef', 'kind'))}/${stringOf(at(object, 'spec', 'scaleTargetRef', 'name'))}`,
    ),
    text('Targets', metricsText),
    text('MinPods', (object) => String(at(object, 'spec', 'minReplicas') ?? '<unset>')),
    count('MaxPods', 'spec', 'maxReplicas'),
    count('Replicas', 'status', 'currentReplicas'),
    AGE,
  ],
  '/namespaces': [NAME, field('Status', 'status', 'phase'), AGE],
  '/configmaps': [NAME, integer('Data', dataCount), AGE],
  '/secrets': [NAME, text('Type', ({ type }) => shown(type)), integer('Data', dataCount), AGE],
  '/serviceaccounts': [NAME, integer('Secrets', ({ secrets }) => listOf(secrets).length), AGE],
  '/endpoints': [NAME, text('Endpoints', endpointsText), AGE],
  'discovery.k8s.io/endpointslices': [
    NAME,
    text('AddressType', ({ addressType }) => shown(addressType)),
    text('Ports', ({ ports }) => slicePorts(ports)),
    text('Endpoints', ({ endpoints }) =>
      firstFew(objectsOf(endpoints).flatMap(({ addresses }) => listOf(addresses).map(stringOf))),
    ),
    AGE,
  ],
  '/nodes': [
    NAME,
    text('Status', nodeStatus),
    text('Roles', rolesOf),
    AGE,
    field('Version', 'status', 'nodeInfo', 'kubeletVersion'),
    text('Internal-IP', nodeAddress('InternalIP'), 1),
    text('External-IP', nodeAddress('ExternalIP'), 1),
    text('OS-Image', (node) => shown(at(node, 'status', 'nodeInfo', 'osImage')) || '<unknown>', 1),
    text('Kernel-Version', (node) => shown(at(node, 'status', 'nodeInfo', 'kernelVersion')) || '<unknown>', 1),
    text(
      'Container-Runtime',
      (node) => shown(at(node, 'status', 'nodeInfo', 'containerRuntimeVersion')) || '<unknown>',
      1,
    ),
  ],
  '/events': EVENT,
  '/persistentvolumeclaims': [
    NAME,
    text('Status', (object) =>
      object.metadata.deletionTimestamp === undefined ? shown(at(object, 'status', 'phase')) : 'Terminating',
    ),
    field('Volume', 'spec', 'volumeName'),
    text('Capacity', (object) =>
      stringOf(at(object, 'spec', 'volumeName')) === '' ? '' : shown(at(object, 'status', 'capacity', 'storage')),
    ),
    text('Access Modes', (object) =>
      stringOf(at(object, 'spec', 'volumeName')) === '' ? '' : accessModes(at(object, 'status', 'accessModes')),
    ),
    field('StorageClass', 'spec', 'storageClassName'),
    text('VolumeAttributesClass', (object) => shown(at(object, 'spec', 'volumeAttributesClassName')) || '<unset>'),
    AGE,
    { ...field('VolumeMode', 'spec', 'volumeMode'), priority: 1 },
  ],
  '/persistentvolumes': [
    NAME,
    field('Capacity', 'spec', 'capacity', 'storage'),
    text('Access Modes', (object) => accessModes(at(object, 'spec', 'accessModes'))),
    field('Reclaim Policy', 'spec', 'persistentVolumeReclaimPolicy'),
    text('Status', (object) =>
      object.metadata.deletionTimestamp === undefined ? shown(at(object, 'status', 'phase')) : 'Terminating',
    ),
    text('Claim', (object) => {
      const { namespace, name } = objectOf(at(object, 'spec', 'claimRef'))
      return name === undefined ? '' : `${stringOf(namespace)}/${stringOf(name)}`
    }),
    field('StorageClass', 'spec', 'storageClassName'),
    text('VolumeAttributesClass', (object) => shown(at(object, 'spec', 'volumeAttributesClassName')) || '<unset>'),
    field('Reason', 'status', 'reason'),
    AGE,
    { ...field('VolumeMode', 'spec', 'volumeMode'), priority: 1 },
  ],
  'policy/poddisruptionbudgets': [
    NAME,
    text('Min Available', (object) => String(at(object, 'spec', 'minAvailable') ?? 'N/A')),
    text('Max Unavailable', (object) => String(at(object, 'spec', 'maxUnavailable') ?? 'N/A')),
    count('Allowed Disruptions', 'status', 'disruptionsAllowed'),
    AGE,
  ],
  'rbac.authorization.k8s.io/roles': [NAME, createdAt()],
  'rbac.authorization.k8s.io/clusterroles': [NAME, createdAt()],
  'rbac.authorization.k8s.io/rolebindings': bindingColumns(),
  'rbac.authorization.k8s.io/clusterrolebindings': bindingColumns(),
  'coordination.k8s.io/leases': [NAME, field('Holder', 'spec', 'holderIdentity'), AGE],
  'scheduling.k8s.io/priorityclasses': [
    NAME,
    integer('Value', ({ value }) => numberOf(value) ?? 0),
    text('Global-Default', ({ globalDefault }) => globalDefault === true),
    AGE,
    text('PreemptionPolicy', ({ preemptionPolicy }) => shown(preemptionPolicy)),
  ],
  'apiextensions.k8s.io/customresourcedefinitions': [NAME, createdAt()],
}
