import type { KubeObject } from '../../../lib/kube/object.ts'
import type { WorkloadDecision } from '../decision.ts'
import { isSame } from '../meta.ts'
import type { Service } from '../shapes.ts'
import type { Write } from '../write.ts'
import { orderSlicePorts } from './port-order.ts'
import { MANAGED_BY, SERVICE_NAME, type SlicePort, staying } from './slice.ts'

/** An Endpoints object that somebody wrote, the Service of its name, and the slices made of it, or of the one before it. */
export type MirrorSeen = {
  readonly endpoints: Endpoints | undefined
  readonly service: Service | undefined
  readonly slices: readonly MirrorSlice[]
}

/** An Endpoints object. */
export type Endpoints = KubeObject & { readonly subsets?: readonly Subset[] | null }

type Subset = {
  readonly addresses?: readonly Address[]
  readonly notReadyAddresses?: readonly Address[]
  readonly ports?: readonly Port[]
}
type Address = {
  readonly ip: string
  readonly hostname?: string
  readonly nodeName?: string
  readonly targetRef?: Readonly<Record<string, string>>
}
type Port = { readonly name?: string; readonly port: number; readonly protocol?: string; readonly appProtocol?: string }

/** An EndpointSlice, as far as it is made of an Endpoints object. */
export type MirrorSlice = KubeObject & {
  readonly addressType: string
  readonly endpoints?: readonly unknown[] | null
  readonly ports?: readonly unknown[] | null
}
type Wanted = Pick<MirrorSlice, 'addressType'> & {
  readonly endpoints: unknown[]
  readonly ports: readonly unknown[] | null
}

/** Who keeps these slices, as they say. */
export const MIRRORED_BY = 'endpointslicemirroring-controller.k8s.io'
const SKIP = 'endpointslice.kubernetes.io/skip-mirror'
/** Written by those who elect a leader by Endpoints: these belong to no Service. */
export const LEADER = 'control-plane.alpha.kubernetes.io/leader'
const TRIGGER = 'endpoints.kubernetes.io/last-change-trigger-time'
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
const MOST_PER_SUBSET = 1000

/**
 * Pure. Keeps the EndpointSlices of an Endpoints object that was written by hand, for a Service without a selector.
 *
 * @see k8s.io/kubernetes/pkg/controller/endpointslicemirroring
 */
export function decideMirror({ endpoints, service, slices }: MirrorSeen): WorkloadDecision {
  const free = new Set(staying(slices))
  const { changes, status } = mirrored(endpoints, service, free)
  const all = [...changes, ...[...free].map((object): Write => ({ do: 'delete', object }))]
  return all.length > 0 ? { kind: 'act', changes: all } : { kind: 'done', status }
}

/** What makes slices of the Endpoints; those that are of use are taken from the free ones. */
function mirrored(
  endpoints: Endpoints | undefined,
  service: Service | undefined,
  free: Set<MirrorSlice>,
): { readonly changes: readonly Write[]; readonly status: readonly Write[] } {
  if (endpoints === undefined || !isMirrored(endpoints, service)) return { changes: [], status: [] }
  const metadata = metadataOf(endpoints)
  const groups = regroup(endpoints.subsets ?? [])
  const changes = groups.flatMap(wantedSlices).flatMap((wanted) => {
    const same = [...free].filter(({ addressType }) => addressType === wanted.addressType)
    const found = same.find(({ ports }) => isSame(ports ?? null, wanted.ports)) ?? same[0]
    if (found) free.delete(found)
    return writeOf(endpoints, metadata, found, wanted)
  })
  return { changes, status: groups.flatMap(({ left }) => (left > 0 ? [tellLeft(endpoints, left)] : [])) }
}

function tellLeft(about: Endpoints, left: number): Write {
  const most = `A max of ${MOST_PER_SUBSET} addresses can be mirrored to EndpointSlices per Endpoints subset.`
  const message = `${most} ${left} addresses were skipped`
  return { do: 'tell', tell: { about, type: 'Warning', reason: 'TooManyAddressesToMirror', message } }
}

function isMirrored({ metadata }: Endpoints, service: Service | undefined): boolean {
  return (
    service !== undefined &&
    service.spec.selector === undefined &&
    metadata.deletionTimestamp === undefined &&
    metadata.labels?.[SKIP] !== 'true' &&
    metadata.annotations?.[LEADER] === undefined
  )
}

/** Hosts that offer the same ports; as many as are mirrored, those that are ready first. */
type Group = { readonly ports: SlicePort[]; readonly hosts: readonly Host[]; readonly left: number }
type Host = { readonly address: Address; readonly isReady: boolean }

function wantedSlices({ ports, hosts }: Group): Wanted[] {
  return ['IPv4', 'IPv6'].flatMap((addressType): Wanted[] => {
    const own = hosts.filter(({ address }) => address.ip.includes(':') === (addressType === 'IPv6'))
    if (own.length === 0) return []
    return [{ addressType, ports: ports.length > 0 ? orderSlicePorts(ports) : null, endpoints: own.map(endpointOf) }]
  })
}

/** Ports that the same hosts offer, together: a host may stand in several subsets. @see k8s.io/kubernetes/pkg/api/v1/endpoints, RepackSubsets */
function regroup(subsets: readonly Subset[]): Group[] {
  const hostsOf = new Map<string, Map<string, Host>>()
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of subsets) {
    const hosts = [
      ...addresses.map((address) => ({ address, isReady: true })),
      ...notReadyAddresses.map((address) => ({ address, isReady: false })),
    ]
    const keys = ports.map(({ name = '', protocol = 'TCP', ...port }) => JSON.stringify({ name, ...port, protocol }))
    for (const key of keys.length > 0 ? keys : ['']) {
      const known = hostsOf.get(key) ?? new Map<string, Host>()
      hostsOf.set(key, known)
      for (const host of hosts) known.set(`${host.address.ip} ${host.address.targetRef?.['uid'] ?? ''}`, host)
    }
  }
  const groups = new Map<string, Group>()
  for (const [port, hosts] of hostsOf) {
    const key = JSON.stringify([...hosts].sort(([a], [b]) => (a < b ? -1 : 1)))
    const group = groups.get(key) ?? groupOf([...hosts.values()])
    groups.set(key, group)
    if (port !== '') group.ports.push(JSON.parse(port))
  }
  return [...groups.values()]
}

function groupOf(hosts: readonly Host[]): Group {
  const sorted = [...hosts].sort((a, b) => Number(b.isReady) - Number(a.isReady))
  return { ports: [], hosts: sorted.slice(0, MOST_PER_SUBSET), left: Math.max(0, hosts.length - MOST_PER_SUBSET) }
}

function endpointOf({ address: { ip, ...others }, isReady }: Host): unknown {
  return { addresses: [ip], conditions: { ready: isReady }, ...others }
}

type SliceMetadata = { readonly labels: Record<string, string>; readonly annotations: Record<string, string> }

function metadataOf({ metadata }: Endpoints): SliceMetadata {
  const { [LAST_APPLIED]: _applied, [TRIGGER]: _changed, ...annotations } = metadata.annotations ?? {}
  return {
    labels: {
      ...metadata.labels,
      [MANAGED_BY]: MIRRORED_BY,
      [SERVICE_NAME]: metadata.name,
    },
    annotations,
  }
}

function writeOf(
  owner: Endpoints,
  metadata: SliceMetadata,
  present: MirrorSlice | undefined,
  { addressType, endpoints, ports }: Wanted,
): Write[] {
  const { name, namespace = '', uid = '' } = owner.metadata
  const reference = { apiVersion: 'v1', kind: 'Endpoints', name, uid, controller: true, blockOwnerDeletion: true }
  if (present) {
    const isOfAnother = present.metadata.ownerReferences?.some(
      (each) => each.kind === 'Endpoints' && each.name === name && each.uid !== uid,
    )
    const isEqual =
      !isOfAnother &&
      isSame(present.endpoints ?? [], endpoints) &&
      isSame(present.ports ?? null, ports) &&
      isSame(present.metadata.labels, metadata.labels) &&
      isSame(present.metadata.annotations ?? {}, metadata.annotations)
    if (isEqual) return []
    const now = { ...present.metadata, ...metadata, ownerReferences: [reference] }
    return [{ do: 'replace', object: { ...present, metadata: now, endpoints, ports } }]
  }
  const made = { name: '', generateName: `${name}-`, namespace, ...metadata, ownerReferences: [reference] }
  return [
    {
      do: 'create',
      object: {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: made,
        addressType,
        endpoints,
        ports,
      },
    },
  ]
}
