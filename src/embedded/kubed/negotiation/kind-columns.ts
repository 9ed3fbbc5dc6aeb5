import { at, listOf, numberOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import { AGE, ageOf, type Cell, type Column, count, CREATED_AT, field, NAME, numberAt, shown, text } from './columns.ts'
import { OTHER_COLUMNS } from './other-columns.ts'
import { STORAGE_COLUMNS } from './storage-columns.ts'
import {
  NONE,
  UNSET,
  pairs,
  selectorText,
  WORKLOAD,
  containerColumns,
  SELECTOR,
  ready,
  serviceAddress,
  portsText,
  hostsOf,
  ingressClassName,
  ingressParameters,
  addressesOf,
  metricsText,
  nodeStatus,
  kernelVersion,
  rolesOf,
  nodeAddress,
  jobStatus,
  jobCompletions,
  jobDuration,
  EVENT,
  dataCount,
  quotaText,
  integer,
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
    text('Up-to-date', numberAt('status', 'updatedReplicas')),
    text('Available', numberAt('status', 'availableReplicas')),
    AGE,
    ...containerColumns(...WORKLOAD),
    // Nothing selects nothing here, and is no selector elsewhere.
    text(
      'Selector',
      (object) => (at(object, 'spec', 'selector') ? selectorText(at(object, 'spec', 'selector')) : ''),
      1,
    ),
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
    text('Revision', numberAt('revision')),
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
    { ...text('Suspend', suspended), type: 'boolean' },
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
    { ...NAME, cell: ingressClassName },
    field('Controller', 'spec', 'controller'),
    text('Parameters', ingressParameters),
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
    text('MaxPods', numberAt('spec', 'maxReplicas')),
    text('Replicas', numberAt('status', 'currentReplicas')),
    AGE,
  ],
  '/podtemplates': [
    NAME,
    ...containerColumns('template', 'spec').map((column) => ({ ...column, priority: 0 })),
    text('Pod Labels', (object) => pairs(at(object, 'template', 'metadata', 'labels'))),
  ],
  '/resourcequotas': [
    NAME,
    text('Request', (quota) => quotaText(quota, false)),
    text('Limit', (quota) => quotaText(quota, true)),
    AGE,
  ],
  '/namespaces': [NAME, field('Status', 'status', 'phase'), AGE],
  '/configmaps': [NAME, text('Data', dataCount), AGE],
  '/secrets': [NAME, text('Type', ({ type }) => shown(type)), text('Data', dataCount), AGE],
  '/serviceaccounts': [NAME, AGE],
  '/endpoints': [NAME, text('Endpoints', endpointsText), AGE],
  'discovery.k8s.io/endpointslices': [
    NAME,
    text('AddressType', ({ addressType }) => shown(addressType)),
    text('Ports', ({ ports }) => slicePorts(ports)),
    text('Endpoints', ({ endpoints }) =>
      firstFew(
        objectsOf(endpoints).flatMap(({ addresses }) => listOf(addresses).map(stringOf)),
        UNSET,
      ),
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
    text('Kernel-Version', kernelVersion, 1),
    text(
      'Container-Runtime',
      (node) => shown(at(node, 'status', 'nodeInfo', 'containerRuntimeVersion')) || '<unknown>',
      1,
    ),
  ],
  '/events': EVENT,
  ...STORAGE_COLUMNS,
  'policy/poddisruptionbudgets': [
    NAME,
    text('Min Available', (object) => String(at(object, 'spec', 'minAvailable') ?? 'N/A')),
    text('Max Unavailable', (object) => String(at(object, 'spec', 'maxUnavailable') ?? 'N/A')),
    count('Allowed Disruptions', 'status', 'disruptionsAllowed'),
    AGE,
  ],
  'rbac.authorization.k8s.io/roles': [NAME, CREATED_AT],
  'rbac.authorization.k8s.io/clusterroles': [NAME, CREATED_AT],
  'rbac.authorization.k8s.io/rolebindings': bindingColumns(),
  'rbac.authorization.k8s.io/clusterrolebindings': bindingColumns(),
  'coordination.k8s.io/leases': [NAME, field('Holder', 'spec', 'holderIdentity'), AGE],
  'scheduling.k8s.io/priorityclasses': [
    NAME,
    integer('Value', ({ value }) => numberOf(value) ?? 0),
    { ...text('Global-Default', ({ globalDefault }) => globalDefault === true), type: 'boolean' },
    AGE,
    text('PreemptionPolicy', ({ preemptionPolicy }) => shown(preemptionPolicy)),
  ],
  ...OTHER_COLUMNS,
}

function suspended(object: Parameters<Cell>[0]): string {
  const value = at(object, 'spec', 'suspend')
  if (value === undefined) return UNSET
  return value === true ? 'True' : 'False'
}
