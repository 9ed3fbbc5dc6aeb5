import { isObject, type JsonObject, listOf, numberOf, objectOf, objectsOf, stringOf } from './json.ts'
import { addQuantities, isQuantityError, parseQuantity, type Quantity } from './quantity.ts'

/** Amounts by the names that a ResourceQuota uses. */
export type Usage = ReadonlyMap<string, Quantity>

/** What names a kind of object in a quota. */
export type QuotaKind = { readonly group: string; readonly plural: string }

/** No amount. */
export const NOTHING: Quantity = { nano: 0n, format: 'decimal', text: '0' }
const number = (count: number): Quantity => ({
  nano: BigInt(count) * 1_000_000_000n,
  format: 'decimal',
  text: String(count),
})
const ONE = number(1)
const COMPUTE = ['cpu', 'memory', 'ephemeral-storage']
/** Kinds that may also be counted by their plain name. */
const COUNTED = new Set([
  'configmaps',
  'secrets',
  'replicationcontrollers',
  'resourcequotas',
  'services',
  'persistentvolumeclaims',
])

/**
 * What one object uses of the quotas of its namespace.
 *
 * @see https://kubernetes.io/docs/concepts/policy/resource-quotas/
 */
export function usageOf({ group, plural }: QuotaKind, object: JsonObject, nowMs: number): Usage {
  const usage = new Map<string, Quantity>([[`count/${group === '' ? plural : `${plural}.${group}`}`, ONE]])
  if (group !== '') return usage
  if (COUNTED.has(plural)) usage.set(plural, ONE)
  if (plural === 'pods') addPod(usage, object, nowMs)
  if (plural === 'services') addService(usage, objectOf(object.spec))
  if (plural === 'persistentvolumeclaims') addClaim(usage, object)
  return usage
}

/** Where the amounts of a container stand. */
type Amounts = (container: JsonObject) => unknown

/**
 * What a pod's resources sum up to: those of its containers, or of the pod as a whole where they are given, and its overhead, of which there is a limit
 * only where there is another. While it is being resized the most counts of what it asks for, was given and has; what can never be is not asked for.
 *
 * @see k8s.io/component-helpers/resource PodRequests, PodLimits
 */
export function podResources(pod: JsonObject): { readonly requests: Usage; readonly limits: Usage } {
  const [spec, status] = [objectOf(pod.spec), objectOf(pod.status)]
  const requests = mostOf(spec, amountsOfRequests(status))
  const limits = mostOf(spec, amountsOfLimits(status))
  const whole = objectOf(spec.resources)
  for (const [name, amount] of amounts(whole.requests)) requests.set(name, amount)
  for (const [name, amount] of amounts(whole.limits)) limits.set(name, amount)
  const overhead = amounts(spec.overhead)
  addTo(requests, overhead)
  addTo(limits, new Map([...overhead].filter(([name]) => (limits.get(name) ?? NOTHING).nano !== 0n)))
  return { requests, limits }
}

function amountsOfRequests(status: JsonObject): Amounts[] {
  const { now, asked, isInfeasible } = whileResizing(status, 'requests')
  const given: Amounts = (container) => now(container).allocatedResources ?? asked(container)
  const has: Amounts = (container) => objectOf(now(container).resources).requests ?? given(container)
  return isInfeasible ? [has, given] : [asked, has, given]
}

function amountsOfLimits(status: JsonObject): Amounts[] {
  const { now, asked, isInfeasible } = whileResizing(status, 'limits')
  const has: Amounts = (container) => objectOf(now(container).resources).limits ?? asked(container)
  return isInfeasible ? [has] : [asked, has]
}

function whileResizing(status: JsonObject, field: 'requests' | 'limits') {
  const statuses = new Map(
    [...objectsOf(status.initContainerStatuses), ...objectsOf(status.containerStatuses)].map((one) => [one.name, one]),
  )
  const pending = objectsOf(status.conditions).find(({ type }) => type === 'PodResizePending')
  const isInfeasible = pending?.reason === 'Infeasible'
  const asked: Amounts = ({ resources }) => (isInfeasible ? undefined : objectOf(resources)[field])
  return { now: (container: JsonObject) => objectOf(statuses.get(container.name)), asked, isInfeasible }
}

function mostOf(spec: JsonObject, lists: readonly Amounts[]): Map<string, Quantity> {
  const most = new Map<string, Quantity>()
  for (const list of lists)
    for (const [name, amount] of needsAtOnce(spec, list)) most.set(name, larger(most.get(name) ?? amount, amount))
  return most
}

/** What the containers of a pod ask for at once. */
export function containerResources(spec: JsonObject, field: 'requests' | 'limits'): Map<string, Quantity> {
  return needsAtOnce(spec, ({ resources }) => objectOf(resources)[field])
}

/** The larger of what runs at the start of a pod, one after the other, and of what stays. */
function needsAtOnce(spec: JsonObject, list: Amounts): Map<string, Quantity> {
  const own = new Map<string, Quantity>()
  for (const container of objectsOf(spec.containers)) addTo(own, amounts(list(container)))
  const peak = new Map(own)
  const sidecars = new Map<string, Quantity>()
  for (const container of objectsOf(spec.initContainers)) {
    const needs = amounts(list(container))
    const isSidecar = container.restartPolicy === 'Always'
    if (isSidecar) addTo(sidecars, needs)
    // its own needs first: a sum is written as its first part is
    const during = isSidecar ? sidecars : new Map(needs)
    if (!isSidecar) addTo(during, sidecars)
    for (const [name, amount] of during) peak.set(name, larger(peak.get(name) ?? NOTHING, amount))
  }
  for (const [name, amount] of sidecars)
    peak.set(name, larger(peak.get(name) ?? NOTHING, addQuantities(own.get(name) ?? NOTHING, amount)))
  return peak
}

const larger = (a: Quantity, b: Quantity): Quantity => (a.nano > b.nano ? a : b)

/** Adds amounts to a sum, in place. */
export function addTo(sum: Map<string, Quantity>, more: Usage): void {
  for (const [name, amount] of more) sum.set(name, addQuantities(sum.get(name) ?? NOTHING, amount))
}

/** Quantities by name; those that cannot be read are left out. */
export function amounts(list: unknown): Map<string, Quantity> {
  const out = new Map<string, Quantity>()
  if (!isObject(list)) return out
  for (const [name, value] of Object.entries(list)) {
    const quantity = parseQuantity(typeof value === 'number' ? value : stringOf(value))
    if (!isQuantityError(quantity)) out.set(name, quantity)
  }
  return out
}

function addPod(usage: Map<string, Quantity>, pod: JsonObject, nowMs: number): void {
  const { phase } = objectOf(pod.status)
  if (phase === 'Succeeded' || phase === 'Failed' || isOverdue(objectOf(pod.metadata), nowMs)) return
  usage.set('pods', ONE)
  const { requests, limits } = podResources(pod)
  for (const [name, amount] of requests) {
    const isCommon = COMPUTE.includes(name) || name.startsWith('hugepages-')
    if (isCommon) usage.set(name, amount)
    if (isCommon || isExtended(name)) usage.set(`requests.${name}`, amount)
  }
  for (const [name, amount] of limits) if (COMPUTE.includes(name)) usage.set(`limits.${name}`, amount)
}

/** A pod that ought to be gone, as on a node that is lost, does not keep the place of another. */
function isOverdue({ deletionTimestamp, deletionGracePeriodSeconds }: JsonObject, nowMs: number): boolean {
  const graceSeconds = numberOf(deletionGracePeriodSeconds)
  if (deletionTimestamp === undefined || graceSeconds === undefined) return false
  return nowMs > Date.parse(stringOf(deletionTimestamp)) + graceSeconds * 1000
}

function addService(usage: Map<string, Quantity>, spec: JsonObject): void {
  usage.set('services.nodeports', number(nodePortsOf(spec)))
  usage.set('services.loadbalancers', spec.type === 'LoadBalancer' ? ONE : NOTHING)
}

/** How many ports of nodes a Service asks for: it has none yet while it is being created. */
function nodePortsOf({ type, ports: list, allocateLoadBalancerNodePorts }: JsonObject): number {
  const ports = objectsOf(list)
  if (type === 'NodePort') return ports.length
  if (type !== 'LoadBalancer') return 0
  if (allocateLoadBalancerNodePorts !== false) return ports.length
  return ports.filter(({ nodePort }) => (numberOf(nodePort) ?? 0) > 0).length
}

function addClaim(usage: Map<string, Quantity>, claim: JsonObject): void {
  const storage = storageOf(claim)
  usage.set('requests.storage', storage)
  const annotated = objectOf(objectOf(claim.metadata).annotations)['volume.beta.kubernetes.io/storage-class']
  const named = stringOf(annotated ?? objectOf(claim.spec).storageClassName)
  if (named === '') return
  usage.set(`${named}.storageclass.storage.k8s.io/requests.storage`, storage)
  usage.set(`${named}.storageclass.storage.k8s.io/persistentvolumeclaims`, ONE)
}

/** What a claim asks for, or was given where that is more: an expansion that failed may leave it with more than it asks for. */
function storageOf(claim: JsonObject): Quantity {
  const asked = amounts(objectOf(objectOf(claim.spec).resources).requests).get('storage')
  if (asked === undefined) return NOTHING
  const given = amounts(objectOf(claim.status).allocatedResources).get('storage')
  return given === undefined ? asked : larger(given, asked)
}

type Scope = { readonly scopeName: string; readonly operator: string; readonly values: readonly string[] }

/** True when the scopes of the quota all apply to the object. Only pods and claims have scopes: a quota with one counts nothing else. */
export function isInScope(quota: JsonObject, { group, plural }: QuotaKind, object: JsonObject): boolean {
  const spec = objectOf(object.spec)
  const status = objectOf(object.status)
  return scopesOf(quota).every((scope) => {
    if (group !== '') return false
    if (plural === 'pods') return applies(scope, spec, status)
    return plural === 'persistentvolumeclaims' && appliesToClaim(scope, spec, status)
  })
}

function appliesToClaim({ scopeName, operator, values }: Scope, spec: JsonObject, status: JsonObject): boolean {
  if (scopeName !== 'VolumeAttributesClass') return false
  const { targetVolumeAttributesClassName: target } = objectOf(status.modifyVolumeStatus)
  const classes = [spec.volumeAttributesClassName, status.currentVolumeAttributesClassName, target]
  const names = classes.map(stringOf).filter((name) => name !== '')
  return names.length === 0 ? matches('', operator, values) : names.some((name) => matches(name, operator, values))
}

const CLAIM_NAMES = ['persistentvolumeclaims', 'requests.storage']

/** Which of the names are amounts of this kind: a quota that has none of them does not concern it. */
export function namesOfKind({ group, plural }: QuotaKind, names: readonly string[]): string[] {
  const counted = `count/${group === '' ? plural : `${plural}.${group}`}`
  return names.filter((name) => {
    if (name === counted) return true
    if (group !== '') return false
    if (plural === 'pods') return isOfPods(name)
    if (plural === 'services') return ['services', 'services.nodeports', 'services.loadbalancers'].includes(name)
    if (plural === 'persistentvolumeclaims')
      return CLAIM_NAMES.some((own) => name === own || name.endsWith(`.storageclass.storage.k8s.io/${own}`))
    return name === plural && COUNTED.has(plural)
  })
}

function isOfPods(name: string): boolean {
  if (name === 'pods' || /^(requests\.)?hugepages-/.test(name)) return true
  if (COMPUTE.includes(name.replace(/^(requests|limits)\./, ''))) return true
  return name.startsWith('requests.') && isExtended(name.slice('requests.'.length))
}

/** Whether a resource is one that some nodes have besides those of every node: its name has a domain that is not that of Kubernetes. */
export function isExtended(name: string): boolean {
  return (
    (name.includes('/') && !name.includes('kubernetes.io/')) || name.startsWith('deviceclass.resource.kubernetes.io/')
  )
}

/** True when resources of the pod as a whole are given: its containers need to name none. */
export function hasPodResources(spec: JsonObject): boolean {
  const { requests, limits } = objectOf(spec.resources)
  return [requests, limits].some((list) =>
    Object.keys(objectOf(list)).some((name) => name === 'cpu' || name === 'memory' || name.startsWith('hugepages-')),
  )
}

function scopesOf(quota: JsonObject): Scope[] {
  const { scopes, scopeSelector } = objectOf(quota.spec)
  return [
    ...listOf(scopes).map((name): Scope => ({ scopeName: stringOf(name), operator: 'Exists', values: [] })),
    ...objectsOf(objectOf(scopeSelector).matchExpressions).map(({ scopeName, operator, values }): Scope => ({
      scopeName: stringOf(scopeName),
      operator: stringOf(operator),
      values: listOf(values).map(stringOf),
    })),
  ]
}

function applies({ scopeName, operator, values }: Scope, spec: JsonObject, status: JsonObject): boolean {
  switch (scopeName) {
    case 'Terminating':
      return spec.activeDeadlineSeconds !== undefined
    case 'NotTerminating':
      return spec.activeDeadlineSeconds === undefined
    case 'BestEffort':
      return status.qosClass === 'BestEffort'
    case 'NotBestEffort':
      return status.qosClass !== 'BestEffort'
    case 'PriorityClass':
      return matches(stringOf(spec.priorityClassName), operator, values)
    case 'CrossNamespacePodAffinity':
      return crossesNamespaces(spec)
    default:
      return false
  }
}

function matches(value: string, operator: string, values: readonly string[]): boolean {
  if (operator === 'In') return values.includes(value)
  if (operator === 'NotIn') return !values.includes(value)
  return (value !== '') === (operator === 'Exists')
}

function crossesNamespaces(spec: JsonObject): boolean {
  const { podAffinity, podAntiAffinity } = objectOf(spec.affinity)
  return [podAffinity, podAntiAffinity].some((affinity) => {
    const { requiredDuringSchedulingIgnoredDuringExecution: required, ...rest } = objectOf(affinity)
    const weighted = objectsOf(rest.preferredDuringSchedulingIgnoredDuringExecution).map(({ podAffinityTerm }) =>
      objectOf(podAffinityTerm),
    )
    return [...objectsOf(required), ...weighted].some(
      ({ namespaces, namespaceSelector }) => listOf(namespaces).length > 0 || namespaceSelector !== undefined,
    )
  })
}

/** Compute resources that each container must name when the quota limits them; the others count as zero. */
export const MUST_BE_NAMED: ReadonlySet<string> = new Set(
  ['cpu', 'memory'].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
)
