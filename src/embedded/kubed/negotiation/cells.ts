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
import { ageOf, AGE, type Cell, type Column, NAME, shown, spanOf, text } from './columns.ts'

/** What kubectl shows where there is nothing. */
export const NONE = '<none>'
/** What it shows for a field that nobody set. */
export const UNSET = '<unset>'
/** Labels as `a=b,c=d`, sorted. */
export const pairs = (value: Json | undefined): string =>
  Object.entries(objectOf(value))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, each]) => `${key}=${stringOf(each)}`)
    .join(',') || NONE

/** A LabelSelector as kubectl prints it. */
export function selectorText(selector: Json | undefined): string {
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

/** The containers of the pod spec at a path. */
const containersOf = (object: Obj, ...path: readonly string[]): JsonObject[] =>
  objectsOf(at(object, ...path, 'containers'))
/** Where a workload keeps its pod spec. */
export const WORKLOAD = ['spec', 'template', 'spec']
/** Names and images of the containers at a path, for `-o wide`. */
export const containerColumns = (...path: readonly string[]): Column[] => [
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
/** The label selector of a workload, for `-o wide`. */
export const SELECTOR = text('Selector', (object) => selectorText(at(object, 'spec', 'selector')), 1)
/** Ready of wanted replicas: `1/3`. */
export const ready: Cell = (object) =>
  `${numberOf(at(object, 'status', 'readyReplicas')) ?? 0}/${numberOf(at(object, 'spec', 'replicas')) ?? 0}`

/** Where a service is reached from outside. */
export function serviceAddress(service: Obj): string {
  const spec = objectOf(service.spec)
  const ingress = balancedAt(service)
  const external = listOf(spec.externalIPs).map(stringOf)
  if (spec.type === 'ExternalName') return stringOf(spec.externalName)
  if (spec.type === 'LoadBalancer') return [...ingress, ...external].join(',') || '<pending>'
  const isTyped = spec.type === 'ClusterIP' || spec.type === 'NodePort'
  return isTyped ? external.join(',') || NONE : '<unknown>'
}

/** Ports of a service: `80:30080/TCP`. */
export function portsText(ports: Json | undefined): string {
  const each = (port: JsonObject): string =>
    `${String(port.port)}${(numberOf(port.nodePort) ?? 0) > 0 ? `:${String(port.nodePort)}` : ''}/${stringOf(port.protocol)}`
  return objectsOf(ports).map(each).join(',') || NONE
}

/** Hosts of an ingress; the first three. */
export function hostsOf(ingress: Obj): string {
  const rules = objectsOf(at(ingress, 'spec', 'rules'))
  const hosts = rules.map(({ host }) => stringOf(host)).filter((host) => host !== '')
  if (hosts.length === 0) return '*'
  const shownHosts = hosts.slice(0, 3).join(',')
  return hosts.length >= 3 && rules.length > 3 ? `${shownHosts} + ${rules.length - 3} more...` : shownHosts
}

/** The name of an ingress class, and whether it is the default. */
export const ingressClassName: Cell = ({ metadata }) =>
  objectOf(metadata.annotations)['ingressclass.kubernetes.io/is-default-class'] === 'true'
    ? `${metadata.name} (default)`
    : metadata.name

/** The object that an ingress class takes parameters from. */
export const ingressParameters: Cell = (object) => {
  const { kind, apiGroup, name } = objectOf(at(object, 'spec', 'parameters'))
  if (kind === undefined) return NONE
  return `${stringOf(kind)}${stringOf(apiGroup) === '' ? '' : `.${stringOf(apiGroup)}`}/${stringOf(name)}`
}

/** Used and hard of a quota: those of limits, or all others. */
export function quotaText(quota: Obj, ofLimits: boolean): string {
  const { hard, used } = objectOf(quota.status)
  return Object.keys(objectOf(hard))
    .filter((name) => name.startsWith('limits.') === ofLimits)
    .sort()
    .map((name) => `${name}: ${stringOf(objectOf(used)[name]) || '0'}/${stringOf(objectOf(hard)[name])}`)
    .join(', ')
}

/** Addresses that a load balancer gave. */
export function addressesOf(object: Obj): string {
  return balancedAt(object).join(',')
}

function balancedAt(object: Obj): string[] {
  const all = objectsOf(at(object, 'status', 'loadBalancer', 'ingress')).map(
    (each) => stringOf(each.ip) || stringOf(each.hostname),
  )
  return [...new Set(all.filter((each) => each !== ''))].sort()
}

/** One metric of an autoscaler: `cpu: 12%/70%`. */
function metricText(spec: JsonObject, current: JsonObject | undefined): string {
  const type = stringOf(spec.type)
  const key = type.slice(0, 1).toLowerCase() + type.slice(1)
  const source = objectOf(spec[key])
  const target = objectOf(source.target)
  const now = objectOf(objectOf(current?.[key]).current)
  const prefix = type === 'Resource' || type === 'ContainerResource' ? `${stringOf(source.name)}: ` : ''
  if (prefix !== '' && target.averageValue === undefined) {
    const percent = (value: Json | undefined, none: string): string =>
      value === undefined ? none : `${String(value)}%`
    return `${prefix}${percent(now.averageUtilization, '<unknown>')}/${percent(target.averageUtilization, '<auto>')}`
  }
  if (target.averageValue !== undefined)
    return `${prefix}${stringOf(now.averageValue) || '<unknown>'}/${stringOf(target.averageValue)}${type === 'External' || type === 'Object' ? ' (avg)' : ''}`
  const unknown = current?.[key] === undefined ? '<unknown>' : '<nil>'
  return `${prefix}${stringOf(now.value) || unknown}/${stringOf(target.value)}`
}

/** The first two metrics of an autoscaler. */
export function metricsText(hpa: Obj): string {
  const metrics = objectsOf(at(hpa, 'spec', 'metrics'))
  const current = objectsOf(at(hpa, 'status', 'currentMetrics'))
  const shownMetrics = metrics.slice(0, 2).map((metric, index) => metricText(metric, current[index]))
  if (metrics.length === 0) return NONE
  return shownMetrics.join(', ') + (metrics.length > 2 ? ` + ${metrics.length - 2} more...` : '')
}

/** `Ready`, `NotReady` or `Unknown`, and whether pods may come. */
export function nodeStatus(node: Obj): string {
  const condition = objectsOf(at(node, 'status', 'conditions')).find(({ type }) => type === 'Ready')
  const status = condition === undefined ? 'Unknown' : condition.status === 'True' ? 'Ready' : 'NotReady'
  return at(node, 'spec', 'unschedulable') === true ? `${status},SchedulingDisabled` : status
}

/** Roles of a node, from its labels. */
export function rolesOf(node: Obj): string {
  const roles = Object.entries(objectOf(node.metadata.labels)).map(([label, value]) =>
    label === 'kubernetes.io/role' ? stringOf(value) : (/^node-role\.kubernetes\.io\/(.*)$/.exec(label)?.[1] ?? ''),
  )
  return [...new Set(roles.filter((role) => role !== ''))].sort().join(',') || NONE
}

/** The kernel of a node, with its architecture. */
export const kernelVersion: Cell = (node) => {
  const { kernelVersion: version, architecture } = objectOf(at(node, 'status', 'nodeInfo'))
  const known = stringOf(version) || '<unknown>'
  return stringOf(architecture) === '' ? known : `${known} (${stringOf(architecture)})`
}

/** The address of a type that a node says. */
export const nodeAddress =
  (type: string): Cell =>
  (node) => {
    const found = objectsOf(at(node, 'status', 'addresses')).find((each) => each.type === type)
    return found === undefined ? NONE : stringOf(found.address)
  }

/** The condition that a job is in. */
export function jobStatus(job: Obj): string {
  const conditions = objectsOf(at(job, 'status', 'conditions')).filter(({ status }) => status === 'True')
  const find = (...types: readonly string[]): string | undefined =>
    types.find((type) => conditions.some((each) => each.type === type))
  const ended = find('Complete', 'Failed')
  if (ended !== undefined) return ended
  if (job.metadata.deletionTimestamp !== undefined) return 'Terminating'
  return find('Suspended', 'FailureTarget', 'SuccessCriteriaMet') ?? 'Running'
}

/** Done of wanted completions. */
export const jobCompletions: Cell = (job) => {
  const { completions, parallelism } = objectOf(job.spec)
  const done = numberOf(at(job, 'status', 'succeeded')) ?? 0
  if (typeof completions === 'number') return `${done}/${completions}`
  return typeof parallelism === 'number' && parallelism > 1 ? `${done}/1 of ${parallelism}` : `${done}/1`
}

/** How long a job ran, or runs. */
export const jobDuration: Cell = (job, now) => {
  const { startTime, completionTime } = objectOf(job.status)
  if (typeof startTime !== 'string') return ''
  return spanOf((typeof completionTime === 'string' ? Date.parse(completionTime) : now) - Date.parse(startTime))
}

const since = (time: Json | undefined, now: number): string => (stringOf(time) === '' ? '' : ageOf(stringOf(time), now))
const firstSeen: Cell = ({ firstTimestamp, deprecatedFirstTimestamp, eventTime }, now) =>
  since(firstTimestamp ?? deprecatedFirstTimestamp ?? eventTime, now) || '<unknown>'
const lastSeen: Cell = (event, now) => {
  const { series, lastTimestamp, deprecatedLastTimestamp } = event
  if (series !== undefined) return since(objectOf(series).lastObservedTime, now) || '<unknown>'
  return since(lastTimestamp ?? deprecatedLastTimestamp, now) || firstSeen(event, now)
}

const eventSource: Cell = ({
  source,
  deprecatedSource,
  reportingComponent,
  reportingController,
  reportingInstance,
}) => {
  const { component, host } = objectOf(source ?? deprecatedSource)
  const first = stringOf(component) || stringOf(reportingComponent ?? reportingController)
  const second = stringOf(host) || stringOf(reportingInstance)
  return second === '' ? first : `${first}, ${second}`
}

/** Columns of events. */
export const EVENT: Column[] = [
  text('Last Seen', lastSeen),
  text('Type', ({ type }) => shown(type)),
  text('Reason', ({ reason }) => shown(reason)),
  text('Object', (event) => {
    const { kind, name } = objectOf(event.involvedObject ?? event.regarding)
    return stringOf(name) === '' ? stringOf(kind).toLowerCase() : `${stringOf(kind).toLowerCase()}/${stringOf(name)}`
  }),
  text('Subobject', (event) => shown(objectOf(event.involvedObject ?? event.regarding).fieldPath), 1),
  text('Source', eventSource, 1),
  text('Message', ({ message, note }) => stringOf(message ?? note).trim()),
  text('First Seen', firstSeen, 1),
  text(
    'Count',
    ({ count: times, deprecatedCount, series }) =>
      series === undefined ? numberOf(times ?? deprecatedCount) || 1 : (numberOf(objectOf(series).count) ?? 0),
    1,
  ),
  { ...NAME, priority: 1 },
]

/** How many keys a ConfigMap or Secret has. */
export const dataCount = (object: Obj): number =>
  Object.keys(objectOf(object.data)).length + Object.keys(objectOf(object.binaryData)).length
/** A column of a number. */
export const integer = (name: string, cell: Cell, priority = 0): Column => ({
  ...text(name, cell, priority),
  type: 'integer',
})
const MODES = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' }

/** Access modes of a volume, shortened: each once, in an order of their own. */
export const accessModes = (modes: Json | undefined): string =>
  Object.entries(MODES)
    .flatMap(([mode, short]) => (listOf(modes).includes(mode) ? [short] : []))
    .join(',')

/** Columns of role bindings. */
export function bindingColumns(): Column[] {
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

/** Addresses and ports of Endpoints; the first three. */
export function endpointsText({ subsets }: Obj): string {
  const all = objectsOf(subsets).flatMap(({ addresses, ports }) =>
    (objectsOf(ports).length === 0 ? [{ port: undefined }] : objectsOf(ports)).flatMap(({ port }) =>
      objectsOf(addresses).map(({ ip }) =>
        port === undefined ? stringOf(ip) : `${host(stringOf(ip))}:${String(port)}`,
      ),
    ),
  )
  return firstFew(all, objectsOf(subsets).length === 0 ? NONE : '')
}

/** An address before a port. */
const host = (ip: string): string => (ip.includes(':') ? `[${ip}]` : ip)

/** Ports of an EndpointSlice; the first three. */
export function slicePorts(ports: Json | undefined): string {
  const all = objectsOf(ports).map(({ port, name }) =>
    typeof port === 'number' ? String(port) : stringOf(name ?? '*'),
  )
  return firstFew(all, UNSET)
}

/** The first three of a list, and how many more. */
export function firstFew(all: readonly string[], none = NONE): string {
  return (all.slice(0, 3).join(',') || none) + (all.length > 3 ? ` + ${all.length - 3} more...` : '')
}
