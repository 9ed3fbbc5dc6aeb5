import {
  at,
  type Json,
  type JsonObject,
  listOf,
  numberOf,
  objectOf,
  objectsOf,
  stringOf,
} from '../../../lib/kube/json.ts'
import type { Obj } from '../object.ts'

/** What a column computes from an object. `now` for ages, milliseconds. */
export type Cell = (object: Obj, now: number) => Json

/** One column of a kind's table. */
export type Column = {
  readonly name: string
  readonly type: string
  readonly format: string
  readonly priority: number
  readonly description: string
  readonly cell: Cell
}

/** How kubectl prints a span of time. */
export function spanOf(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`
  if (minutes < 180) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`
  if (hours < 48) return `${hours}h`
  const days = Math.floor(hours / 24)
  if (hours < 192) return hours % 24 === 0 ? `${days}d` : `${days}d${hours % 24}h`
  if (days < 365 * 2) return `${days}d`
  const years = Math.floor(days / 365)
  if (days < 365 * 8) return days % 365 === 0 ? `${years}y` : `${years}y${days % 365}d`
  return `${years}y`
}

/** Time since a timestamp. */
export function ageOf(time: Json | undefined, now: number): string {
  return typeof time === 'string' ? spanOf(now - Date.parse(time)) : '<unknown>'
}

const text = (name: string, cell: Cell, priority = 0): Column => ({
  name,
  type: 'string',
  format: '',
  priority,
  description: '',
  cell,
})
const count = (name: string, ...path: readonly string[]): Column => ({
  name,
  type: 'integer',
  format: '',
  priority: 0,
  description: '',
  cell: (object) => numberOf(at(object, ...path)) ?? 0,
})
const field = (name: string, ...path: readonly string[]): Column => text(name, (object) => shown(at(object, ...path)))
const shown = (value: Json | undefined): Json =>
  typeof value === 'string' || typeof value === 'number' ? value : typeof value === 'boolean' ? String(value) : ''

/** The name, first in every table. */
export const NAME: Column = { ...text('Name', ({ metadata }) => metadata.name), format: 'name' }
/** The age, last in most. */
export const AGE: Column = text('Age', ({ metadata }, now) => ageOf(metadata.creationTimestamp, now))

const NONE = '<none>'
const pairs = (value: Json | undefined): string =>
  Object.entries(objectOf(value))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, each]) => `${key}=${stringOf(each)}`)
    .join(',') || NONE

/** A LabelSelector as kubectl prints it. */
function selectorText(selector: Json | undefined): string {
  const { matchLabels, matchExpressions } = objectOf(selector)
  const parts: [string, string][] = Object.entries(objectOf(matchLabels)).map(([key, value]) => [
    key,
    `${key}=${stringOf(value)}`,
  ])
  for (const { key, operator, values } of objectsOf(matchExpressions)) {
    const list = `(${listOf(values).map(stringOf).sort().join(',')})`
    const name = stringOf(key)
    const form = { In: `${name} in ${list}`, NotIn: `${name} notin ${list}`, Exists: name, DoesNotExist: `!${name}` }[
      stringOf(operator)
    ]
    parts.push([name, form ?? name])
  }
  return (
    parts
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, each]) => each)
      .join(',') || NONE
  )
}

const containersOf = (object: Obj, ...path: readonly string[]): JsonObject[] =>
  objectsOf(at(object, ...path, 'containers'))
const WORKLOAD = ['spec', 'template', 'spec']
const containerColumns = (...path: readonly string[]): Column[] => [
  text(
    'Containers',
    (object) =>
      containersOf(object, ...path)
        .map(({ name }) => stringOf(name))
        .join(','),
    1,
  ),
  text(
    'Images',
    (object) =>
      containersOf(object, ...path)
        .map(({ image }) => stringOf(image))
        .join(','),
    1,
  ),
]
const SELECTOR = text('Selector', (object) => selectorText(at(object, 'spec', 'selector')), 1)
const ready: Cell = (object) =>
  `${numberOf(at(object, 'status', 'readyReplicas')) ?? 0}/${numberOf(at(object, 'spec', 'replicas')) ?? 0}`

function serviceAddress(service: Obj): string {
  const spec = objectOf(service.spec)
  const ingress = objectsOf(at(service, 'status', 'loadBalancer', 'ingress')).map(
    (each) => stringOf(each.ip) || stringOf(each.hostname),
  )
  const external = listOf(spec.externalIPs).map(stringOf)
  if (spec.type === 'ExternalName') return stringOf(spec.externalName)
  if (spec.type === 'LoadBalancer') return [...ingress, ...external].join(',') || '<pending>'
  return external.join(',') || NONE
}

function portsText(ports: Json | undefined): string {
  const each = (port: JsonObject): string =>
    `${String(port.port)}${port.nodePort === undefined ? '' : `:${String(port.nodePort)}`}/${stringOf(port.protocol)}`
  return objectsOf(ports).map(each).join(',') || NONE
}

function hostsOf(ingress: Obj): string {
  const hosts = objectsOf(at(ingress, 'spec', 'rules')).map(({ host }) => stringOf(host) || '*')
  if (hosts.length === 0) return '*'
  return hosts.length > 3 ? `${hosts.slice(0, 3).join(',')} + ${hosts.length - 3} more...` : hosts.join(',')
}

function addressesOf(object: Obj): string {
  return objectsOf(at(object, 'status', 'loadBalancer', 'ingress'))
    .map((each) => stringOf(each.ip) || stringOf(each.hostname))
    .join(',')
}

function metricText(spec: JsonObject, current: JsonObject | undefined): string {
  const type = stringOf(spec.type)
  const key = type.slice(0, 1).toLowerCase() + type.slice(1)
  const source = objectOf(spec[key])
  const target = objectOf(source.target)
  const now = objectOf(objectOf(current?.[key]).current)
  const prefix = type === 'Resource' || type === 'ContainerResource' ? `${stringOf(source.name)}: ` : ''
  if (target.averageUtilization !== undefined)
    return `${prefix}${now.averageUtilization === undefined ? '<unknown>' : `${String(now.averageUtilization)}%`}/${String(target.averageUtilization)}%`
  if (target.averageValue !== undefined)
    return `${prefix}${stringOf(now.averageValue) || '<unknown>'}/${stringOf(target.averageValue)}${type === 'External' || type === 'Object' ? ' (avg)' : ''}`
  return `${prefix}${stringOf(now.value) || '<unknown>'}/${stringOf(target.value)}`
}

function metricsText(hpa: Obj): string {
  const metrics = objectsOf(at(hpa, 'spec', 'metrics'))
  const current = objectsOf(at(hpa, 'status', 'currentMetrics'))
  const shownMetrics = metrics.slice(0, 2).map((metric, index) => metricText(metric, current[index]))
  if (metrics.length === 0) return NONE
  return shownMetrics.join(', ') + (metrics.length > 2 ? ` + ${metrics.length - 2} more...` : '')
}

function nodeStatus(node: Obj): string {
  const condition = objectsOf(at(node, 'status', 'conditions')).find(({ type }) => type === 'Ready')
  const status = condition === undefined ? 'Unknown' : condition.status === 'True' ? 'Ready' : 'NotReady'
  return at(node, 'spec', 'unschedulable') === true ? `${status},SchedulingDisabled` : status
}

function rolesOf(node: Obj): string {
  const roles = Object.keys(objectOf(node.metadata.labels))
    .filter((label) => label.startsWith('node-role.kubernetes.io/'))
    .map((label) => label.slice('node-role.kubernetes.io/'.length))
  return roles.sort().join(',') || NONE
}

const nodeAddress =
  (type: string): Cell =>
  (node) =>
    stringOf(objectsOf(at(node, 'status', 'addresses')).find((each) => each.type === type)?.address) || NONE

function jobStatus(job: Obj): string {
  const conditions = objectsOf(at(job, 'status', 'conditions')).filter(({ status }) => status === 'True')
  for (const type of ['Complete', 'Failed', 'Suspended', 'FailureTarget', 'SuccessCriteriaMet'])
    if (conditions.some((each) => each.type === type)) return type
  return job.metadata.deletionTimestamp === undefined ? 'Running' : 'Terminating'
}

const jobCompletions: Cell = (job) => {
  const { completions, parallelism } = objectOf(job.spec)
  const done = numberOf(at(job, 'status', 'succeeded')) ?? 0
  if (typeof completions === 'number') return `${done}/${completions}`
  return typeof parallelism === 'number' && parallelism > 1 ? `${done}/1 of ${parallelism}` : `${done}/1`
}

const jobDuration: Cell = (job, now) => {
  const { startTime, completionTime } = objectOf(job.status)
  if (typeof startTime !== 'string') return ''
  return spanOf((typeof completionTime === 'string' ? Date.parse(completionTime) : now) - Date.parse(startTime))
}

const eventTime =
  (name: 'firstTimestamp' | 'lastTimestamp'): Cell =>
  (event, now) => {
    const time = event[name] ?? event.eventTime
    return typeof time === 'string' ? ageOf(time, now) : '<unknown>'
  }

const EVENT: Column[] = [
  text('Last Seen', eventTime('lastTimestamp')),
  text('Type', ({ type }) => shown(type)),
  text('Reason', ({ reason }) => shown(reason)),
  text('Object', (event) => {
    const { kind, name } = objectOf(event.involvedObject ?? event.regarding)
    return stringOf(name) === '' ? stringOf(kind).toLowerCase() : `${stringOf(kind).toLowerCase()}/${stringOf(name)}`
  }),
  text('Subobject', (event) => shown(objectOf(event.involvedObject ?? event.regarding).fieldPath), 1),
  text(
    'Source',
    (event) =>
      [stringOf(at(event, 'source', 'component')), stringOf(at(event, 'source', 'host'))].filter(Boolean).join(', '),
    1,
  ),
  text('Message', ({ message, note }) => stringOf(message ?? note).trim()),
  text('First Seen', eventTime('firstTimestamp'), 1),
  { ...text('Count', ({ count: times, deprecatedCount }) => numberOf(times ?? deprecatedCount) || 1, 1) },
  { ...NAME, priority: 1, format: '' },
]

const dataCount = (object: Obj): number =>
  Object.keys(objectOf(object.data)).length + Object.keys(objectOf(object.binaryData)).length
const integer = (name: string, cell: Cell, priority = 0): Column => ({ ...text(name, cell, priority), type: 'integer' })
const accessModes = (modes: Json | undefined): string =>
  listOf(modes)
    .map(
      (mode) =>
        ({ ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' })[
          stringOf(mode)
        ] ?? '',
    )
    .join(',')

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

function createdAt(): Column {
  return { ...text('Created At', ({ metadata }) => metadata.creationTimestamp ?? ''), type: 'date' }
}

function bindingColumns(): Column[] {
  const subjects =
    (kind: string): Cell =>
    ({ subjects: list }) =>
      objectsOf(list)
        .filter((subject) => subject.kind === kind)
        .map(({ name, namespace }) =>
          kind === 'ServiceAccount' ? `${stringOf(namespace)}/${stringOf(name)}` : stringOf(name),
        )
        .join(', ')
  return [
    NAME,
    text('Role', ({ roleRef }) => `${stringOf(objectOf(roleRef).kind)}/${stringOf(objectOf(roleRef).name)}`),
    AGE,
    text('Users', subjects('User'), 1),
    text('Groups', subjects('Group'), 1),
    text('ServiceAccounts', subjects('ServiceAccount'), 1),
  ]
}

function endpointsText({ subsets }: Obj): string {
  const all = objectsOf(subsets).flatMap(({ addresses, ports }) =>
    (objectsOf(ports).length === 0 ? [{ port: undefined }] : objectsOf(ports)).flatMap(({ port }) =>
      objectsOf(addresses).map(({ ip }) => (port === undefined ? stringOf(ip) : `${stringOf(ip)}:${String(port)}`)),
    ),
  )
  return firstFew(all)
}

function slicePorts(ports: Json | undefined): string {
  const all = objectsOf(ports).map(({ port }) => (port === undefined ? '*' : String(port)))
  return all.length === 0 ? '<unset>' : firstFew(all)
}

function firstFew(all: readonly string[]): string {
  if (all.length === 0) return NONE
  return all.slice(0, 3).join(',') + (all.length > 3 ? ` + ${all.length - 3} more...` : '')
}
