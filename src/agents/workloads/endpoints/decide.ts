import { BACKOFF } from '../../../engine/controller.ts'
import type { WorkloadDecision } from '../decision.ts'
import { isSame, timeText } from '../meta.ts'
import { refOf, type KubeObject } from '../../../lib/kube/object.ts'
import { isFinishedPod } from '../pods.ts'
import { saysNamespaceEnds } from '../refusal.ts'
import type { Node, Pod, Service } from '../shapes.ts'
import type { Telling, Write } from '../write.ts'
import { withinCapacity } from './capacity.ts'
import { endpointsOf } from './endpoints.ts'
import { type Packed, packSlices, type PortGroup } from './packing.ts'
import { orderSlicePorts } from './port-order.ts'
import { type ZoneShares, zonesByTopology } from './topology.ts'
import {
  addressTypesOf,
  endpointOf,
  hasTopologyMode,
  MANAGED_BY,
  placed,
  portsFor,
  samePorts,
  SERVICE_NAME,
  staying,
  type Endpoint,
  type EndpointSlice,
  type SlicePort,
} from './slice.ts'

/** What a Service's decision needs. */
export type ServiceSeen = {
  readonly service: Service
  /** Pods that its selector matches. */
  readonly pods: readonly Pod[]
  readonly nodeNamed: (name: string) => Node | undefined
  /** Asked only for Services that leave it to the cluster whose traffic their endpoints are for. */
  readonly zoneShares: () => ZoneShares
  /** Whether it was left to the cluster when the Service was last looked at. */
  readonly hadTopologyMode: boolean
  readonly slices: readonly EndpointSlice[]
  readonly endpoints: KubeObject | undefined
  /** When what is new since the last look happened: see trigger.ts. */
  readonly triggerMs: number | undefined
  /** Why the last change was refused. */
  readonly failure?: string
}

const TRIGGER = 'endpoints.kubernetes.io/last-change-trigger-time'
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity'
/** Who keeps these slices, as they say. */
export const MANAGER = 'endpointslice-controller.k8s.io'
const HEADLESS = 'service.kubernetes.io/headless'

/** Pure. Keeps the EndpointSlices (and the older Endpoints object) of a Service with a selector equal to its pods. */
export function decideService(seen: ServiceSeen): WorkloadDecision {
  const { service } = seen
  const isOurs = service.spec.selector !== undefined && service.spec.type !== 'ExternalName'
  if (!isOurs) return { kind: 'done', status: [] }
  const plans = addressTypesOf(service).map((type) => planSlices(seen, type))
  const changes = [...plans.flatMap((plan) => sliceWrites(seen, plan)), ...unsupported(seen), ...endpointsWrites(seen)]
  if (changes.length > 0 && seen.failure !== undefined) return refused(service, seen.failure)
  if (changes.length > 0)
    return { kind: 'act', changes: [...changes, ...plans.flatMap((plan) => hintsTurned(seen, plan))] }
  const noHints = plans.flatMap(({ addressType, why }) =>
    why === undefined ? [] : [hintsTold(service, why, addressType)],
  )
  const homeless = seen.pods.filter(
    (pod) => !hasHome(seen, pod) && pod.status?.podIP !== undefined && !isFinishedPod(pod),
  )
  if (homeless.length === 0) return { kind: 'done', status: noHints }
  return { kind: 'wait', afterMs: BACKOFF, status: [...noHints, { do: 'tell', tell: skipped(service, homeless) }] }
}

/** What was refused is tried again, but for a namespace that ends. */
function refused(service: Service, failure: string): WorkloadDecision {
  if (saysNamespaceEnds(failure)) return { kind: 'done', status: [] }
  const { namespace = '', name } = service.metadata
  const why = `failed to create EndpointSlice for Service ${namespace}/${name}: ${failure}`
  return { kind: 'wait', afterMs: BACKOFF, status: [{ do: 'tell', tell: notUpdated(service, why) }] }
}

/** A pod whose node is not there is left out of the slices, and looked for again. */
function hasHome({ service, nodeNamed }: ServiceSeen, { spec }: Pod): boolean {
  return service.spec.publishNotReadyAddresses === true || nodeNamed(spec.nodeName ?? '') !== undefined
}

function skipped(service: Service, pods: readonly Pod[]): Telling {
  const { namespace = '', name } = service.metadata
  const whys = pods.map(
    (pod) =>
      `skipping Pod ${pod.metadata.name} for Service ${namespace}/${name}: Node ${pod.spec.nodeName ?? ''} Not Found`,
  )
  const why = whys.length === 1 ? whys.join() : `[${whys.join(', ')}]`
  return notUpdated(service, why)
}

function notUpdated(service: Service, why: string): Telling {
  const { namespace = '', name } = service.metadata
  const message = `Error updating Endpoint Slices for Service ${namespace}/${name}: ${why}`
  return { about: service, type: 'Warning', reason: 'FailedToUpdateEndpointSlices', message }
}

/** The slices of one family: those that are there, what is to be in which, and why none of them says whose traffic it is for. */
type Plan = {
  readonly addressType: string
  readonly own: readonly EndpointSlice[]
  readonly packed: readonly Packed[]
  readonly unneeded: readonly EndpointSlice[]
  readonly why?: string
}

function planSlices(seen: ServiceSeen, addressType: string): Plan {
  const present = staying(seen.slices).filter((slice) => slice.addressType === addressType)
  const own = present.filter((slice) => isOwnedBy(slice, seen.service))
  const foreign = present.filter((slice) => !own.includes(slice))
  const labels = sliceLabels(seen.service)
  const isStale = ({ metadata }: EndpointSlice): boolean => !isSame(metadata.labels, labels)
  const { packed, unneeded: emptied } = packSlices(portGroups(seen, addressType), own, isStale)
  const unneeded = [...emptied, ...foreign]
  if (!hasTopologyMode(seen.service)) return { addressType, own, packed, unneeded }
  const zones = zonesByTopology(
    packed.flatMap(({ endpoints }) => endpoints),
    seen.zoneShares(),
  )
  if (typeof zones === 'string') return { addressType, own, packed, unneeded, why: zones }
  const hinted = (endpoint: Endpoint): Endpoint => {
    const name = zones.get(endpoint)
    return name === undefined ? endpoint : { ...endpoint, hints: { forZones: [{ name }] } }
  }
  const withHints = packed.map((each) => ({ ...each, endpoints: each.endpoints.map(hinted) }))
  return { addressType, own, packed: withHints, unneeded }
}

/** One of a Service that had the name before is not written anew: it goes with that one. */
function isOwnedBy({ metadata }: EndpointSlice, service: Service): boolean {
  return (metadata.ownerReferences ?? []).some(({ kind, uid }) => kind === 'Service' && uid === service.metadata.uid)
}

/** Slices of families that the Service has no more. */
function unsupported(seen: ServiceSeen): Write[] {
  const types = addressTypesOf(seen.service)
  const gone = staying(seen.slices).filter(({ addressType }) => !types.includes(addressType))
  return gone.map((object) => ({ do: 'delete', object }))
}

/** Says that hints come, or go with the mode of the Service. */
function hintsTurned({ service, hadTopologyMode }: ServiceSeen, { addressType, own, why }: Plan): Write[] {
  const hadHints = own.some(({ endpoints }) => endpoints?.some(({ hints }) => hints !== undefined))
  if (hasTopologyMode(service)) {
    if (hadHints || why !== undefined) return []
    return [hintsTold(service, 'Topology Aware Hints has been enabled', addressType, 'Enabled')]
  }
  if (!hadHints || !hadTopologyMode) return []
  return [hintsTold(service, 'Topology Aware Hints has been disabled', addressType)]
}

function hintsTold(
  about: Service,
  why: string,
  addressType: string,
  turned: 'Enabled' | 'Disabled' = 'Disabled',
): Write {
  const type = turned === 'Enabled' ? 'Normal' : 'Warning'
  const message = `${why}, addressType: ${addressType}`
  return { do: 'tell', tell: { about, type, reason: `TopologyAwareHints${turned}`, message } }
}

function sliceWrites(seen: ServiceSeen, { addressType, packed, unneeded }: Plan): Write[] {
  return [
    ...packed.flatMap((each) => sliceWrite(seen, addressType, each)),
    ...unneeded.map((object): Write => ({ do: 'delete', object })),
  ]
}

/** The endpoints of one family by the ports on which they answer. */
function portGroups(seen: ServiceSeen, addressType: string): PortGroup[] {
  const groups = new Map<string, { ports: readonly SlicePort[]; endpoints: Endpoint[] }>()
  for (const pod of seen.pods) {
    const endpoint = endpointOf(seen.service, pod, addressType)
    if (!endpoint || !hasHome(seen, pod)) continue
    const ports = orderSlicePorts(portsFor(seen.service, pod))
    const key = JSON.stringify(ports)
    const group = groups.get(key) ?? { ports, endpoints: [] }
    groups.set(key, group)
    group.endpoints.push(placed(endpoint, seen.nodeNamed(pod.spec.nodeName ?? ''), seen.service))
  }
  return [...groups.values()]
}

function sliceWrite(seen: ServiceSeen, addressType: string, { slice, ports, endpoints }: Packed): Write[] {
  const { service, triggerMs } = seen
  const labels = sliceLabels(service)
  // the collector deletes them one by one: none comes in their place
  if (!slice && service.metadata.deletionTimestamp !== undefined) return []
  if (slice) {
    // what stays is written as it is: a list of nothing would become ours
    const hasEndpoints = isSame(slice.endpoints ?? [], endpoints)
    const hasPorts = samePorts(slice.ports, ports)
    if (hasEndpoints && hasPorts && isSame(slice.metadata.labels, labels)) return []
    const metadata = { ...slice.metadata, labels, annotations: withTrigger(slice.metadata.annotations, triggerMs) }
    const object = { ...slice, metadata, ...(!hasEndpoints && { endpoints }), ...(!hasPorts && { ports }) }
    return [{ do: 'replace', object }]
  }
  const { apiVersion, kind, name, uid } = { ...refOf(service), uid: service.metadata.uid ?? '' }
  const object: KubeObject = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: '',
      generateName: `${name}-`,
      namespace: service.metadata.namespace ?? '',
      labels,
      annotations: withTrigger(undefined, triggerMs),
      ownerReferences: [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }],
    },
    addressType,
    // none at all are nobody's field
    endpoints: endpoints.length > 0 ? endpoints : null,
    ports: ports.length > 0 ? ports : null,
  }
  return [{ do: 'create', object }]
}

function sliceLabels(service: Service): Record<string, string> {
  return {
    ...labelsFrom(service),
    [MANAGED_BY]: MANAGER,
    [SERVICE_NAME]: service.metadata.name,
  }
}

/** The Service's own labels; whether it is headless is not for its author to say. */
function labelsFrom({ metadata, spec }: Service): Record<string, string> {
  const { [HEADLESS]: _said, ...labels } = metadata.labels ?? {}
  return { ...labels, ...(spec.clusterIP === 'None' && { [HEADLESS]: '' }) }
}

/** Annotations that say when the change happened that a write tells of; nothing when none did. */
function withTrigger(
  annotations: Readonly<Record<string, string>> | undefined,
  triggerMs: number | undefined,
): Record<string, string> {
  const { [TRIGGER]: _before, ...others } = annotations ?? {}
  return triggerMs === undefined ? others : { ...others, [TRIGGER]: timeText(triggerMs) }
}

function endpointsWrites(seen: ServiceSeen): Write[] {
  const { service, endpoints: present, triggerMs } = seen
  const { subsets, isTruncated } = withinCapacity(endpointsOf(service, seen.pods))
  const labels = { ...labelsFrom(service), 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' }
  if (present) {
    const isSaid = (present.metadata.annotations?.[OVER_CAPACITY] === 'truncated') === isTruncated
    if (isSame(present['subsets'] ?? [], subsets) && isSame(present.metadata.labels, labels) && isSaid) return []
    const annotations = withCapacity(withTrigger(present.metadata.annotations, triggerMs), isTruncated)
    return [{ do: 'replace', object: { ...present, metadata: { ...present.metadata, labels, annotations }, subsets } }]
  }
  const { name, namespace = '' } = service.metadata
  const annotations = withCapacity(withTrigger(undefined, triggerMs), isTruncated)
  const metadata = { name, namespace, labels, annotations }
  return [{ do: 'create', object: { apiVersion: 'v1', kind: 'Endpoints', metadata, subsets } }]
}

/** Says that not all addresses are listed. */
function withCapacity(annotations: Readonly<Record<string, string>>, isTruncated: boolean): Record<string, string> {
  const { [OVER_CAPACITY]: _before, ...others } = annotations
  return isTruncated ? { ...others, [OVER_CAPACITY]: 'truncated' } : others
}
