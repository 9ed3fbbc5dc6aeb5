import type { KubeObject } from '../../../lib/kube/object.ts'
import { isSame } from '../meta.ts'
import { isFinishedPod, isReadyPod } from '../pods.ts'
import type { Node, Pod, Service, ServicePort } from '../shapes.ts'

/** One address behind a Service. */
export type Endpoint = {
  readonly addresses: readonly string[]
  readonly conditions: { readonly ready: boolean; readonly serving: boolean; readonly terminating: boolean }
  readonly hostname?: string
  readonly nodeName?: string
  readonly zone?: string
  readonly hints?: Hints
  readonly targetRef: { readonly kind: string; readonly namespace: string; readonly name: string; readonly uid: string }
}

/** Whose traffic an endpoint is for. */
type Hints = { readonly forZones?: readonly { name: string }[]; readonly forNodes?: readonly { name: string }[] }

/** A port that the endpoints of a slice listen on. */
export type SlicePort = {
  readonly name: string
  readonly protocol: string
  readonly port: number
  readonly appProtocol?: string
}

/** An EndpointSlice. */
export type EndpointSlice = KubeObject & {
  readonly addressType: string
  readonly endpoints?: readonly Endpoint[] | null
  readonly ports?: readonly SlicePort[] | null
}

/** What says of which Service a slice is, and who keeps it. */
export const SERVICE_NAME = 'kubernetes.io/service-name'
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by'

/** The key of the Service whose slice it says it is; undefined where another manager keeps it. */
export function serviceOf({ metadata: { namespace, labels } }: KubeObject, manager: string): string | undefined {
  const name = labels?.[SERVICE_NAME]
  return name === undefined || labels?.[MANAGED_BY] !== manager ? undefined : `${namespace}/${name}`
}

/** Slices that go already are as good as gone: what is written into them comes to nothing. */
export function staying<Slice extends KubeObject>(slices: readonly Slice[]): readonly Slice[] {
  return slices.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
}

/** The address families of a Service's slices. */
export function addressTypesOf({ spec }: Service): readonly string[] {
  const families = spec.ipFamilies?.length ? spec.ipFamilies : ['IPv4']
  return [...new Set(families)]
}

/** The pod as an endpoint; `undefined` when it has ended, or has no address of that family. */
export function endpointOf(service: Service, pod: Pod, addressType: string): Endpoint | undefined {
  const { name, namespace = '', uid = '', deletionTimestamp } = pod.metadata
  const ips = pod.status?.podIPs?.map(({ ip }) => ip) ?? [pod.status?.podIP ?? '']
  const address = ips.find((ip) => ip !== '' && ip.includes(':') === (addressType === 'IPv6'))
  if (address === undefined || isFinishedPod(pod)) return undefined
  const isTerminating = deletionTimestamp !== undefined
  const isServing = isReadyPod(pod)
  const isReady = service.spec.publishNotReadyAddresses === true || (isServing && !isTerminating)
  return {
    addresses: [address],
    conditions: { ready: isReady, serving: isServing, terminating: isTerminating },
    ...(pod.spec.hostname !== undefined &&
      pod.spec.subdomain === service.metadata.name && { hostname: pod.spec.hostname }),
    ...(pod.spec.nodeName !== undefined && { nodeName: pod.spec.nodeName }),
    targetRef: { kind: 'Pod', namespace, name, uid },
  }
}

const MODE = 'service.kubernetes.io/topology-mode'
const OLD_MODE = 'service.kubernetes.io/topology-aware-hints'

/** Whether a Service leaves it to the cluster whose traffic its endpoints are for. */
export function hasTopologyMode({ metadata: { annotations = {} } }: Service): boolean {
  return ['Auto', 'auto'].includes(annotations[MODE] ?? annotations[OLD_MODE] ?? '')
}

/**
 * The endpoint with its zone, and with what the Service's `trafficDistribution` makes of it.
 *
 * @see https://kubernetes.io/docs/concepts/services-networking/service/#traffic-distribution
 */
export function placed(endpoint: Endpoint, node: Node | undefined, service: Service): Endpoint {
  const zone = node?.metadata.labels?.['topology.kubernetes.io/zone'] || undefined
  const inZone = zone === undefined ? endpoint : { ...endpoint, zone }
  const { trafficDistribution } = service.spec
  if (trafficDistribution === undefined || !endpoint.conditions.ready || hasTopologyMode(service)) return inZone
  const nodeName = trafficDistribution === 'PreferSameNode' ? endpoint.nodeName : undefined
  if (zone === undefined && nodeName === undefined) return inZone
  const hints = {
    ...(zone !== undefined && { forZones: [{ name: zone }] }),
    ...(nodeName !== undefined && { forNodes: [{ name: nodeName }] }),
  }
  return { ...inZone, hints }
}

/** The ports on which the pod answers for the Service; a named target port that the pod does not have is left out. */
export function portsFor(service: Service, pod: Pod): readonly SlicePort[] {
  return (service.spec.ports ?? []).flatMap((port) => {
    const target = targetPort(port, pod)
    if (target === undefined) return []
    return [
      {
        name: port.name ?? '',
        protocol: port.protocol ?? 'TCP',
        port: target,
        ...(port.appProtocol !== undefined && { appProtocol: port.appProtocol }),
      },
    ]
  })
}

/** Whether two lists of ports are equal; no ports and an empty list are. */
export function samePorts(
  a: readonly SlicePort[] | null | undefined,
  b: readonly SlicePort[] | null | undefined,
): boolean {
  return isSame(a ?? [], b ?? [])
}

function targetPort(port: ServicePort, pod: Pod): number | undefined {
  const { targetPort: target = port.port, protocol = 'TCP' } = port
  if (typeof target === 'number') return target === 0 ? port.port : target
  for (const container of [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)])
    for (const candidate of container.ports ?? [])
      if (candidate.name === target && (candidate.protocol ?? 'TCP') === protocol) return candidate.containerPort
  return undefined
}

function isSidecar({ restartPolicy }: { readonly restartPolicy?: string }): boolean {
  return restartPolicy === 'Always'
}
