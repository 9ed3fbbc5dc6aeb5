import type { KubeObject } from '../../../lib/kube/object.ts'
import type { ServicePortTable } from '../keeper/messages.ts'
import { isSidecar } from '../pod/restart-policy.ts'
import type { Pod } from '../pod/shapes.ts'
import { specOf } from '../service-shapes.ts'
import { portKeyOf } from './services.ts'

/** A port of the node that leads to a pod or a Service. */
export type NodePort = {
  /** The object that asks for it. */
  readonly of: KubeObject
  /** The key of its table. */
  readonly key: string
  /** Address of this machine. */
  readonly host: string
  readonly port: number
  /** TCP when it is not said. */
  readonly protocol?: 'UDP'
  /** Why it cannot be opened, where that is known before. */
  readonly why?: string
}

type HostPort = {
  readonly ip: string
  /** Where this machine listens: on loopback, unless the pod names an address, be it any. */
  readonly host: string
  readonly port: number
  readonly protocol: string
  readonly to: number
}

/** Any address, as pods write it or mean it. */
const ANY = '0.0.0.0'
const LOOPBACK = '127.0.0.1'

/**
 * Where connections to `hostPort`s of running pods go: in the network of the pods they are ports of the node's address there, on this
 * machine of the address that the pod names. Without one that is loopback: nothing is shown to others that did not ask for it.
 */
export function planPodPorts(
  pods: readonly Pod[],
  nodeIp: string | undefined,
): { readonly tables: readonly ServicePortTable[]; readonly opened: readonly NodePort[] } {
  const tables: ServicePortTable[] = []
  const opened: NodePort[] = []
  for (const pod of pods.filter(isLive)) {
    const ip = pod.status?.podIP
    if (ip === undefined) continue
    for (const { ip: asked, host, port, protocol, to } of hostPortsOf(pod)) {
      const key = `${pod.metadata.uid ?? ''}/${asked}:${port}/${protocol}`
      const isInside = nodeIp !== undefined && (asked === ANY || asked === nodeIp)
      const listen = isInside ? { host: nodeIp, port } : undefined
      const targets = { ready: [{ host: ip, port: to }], serving: [] }
      if (protocol === 'UDP' && nodeIp !== undefined) tables.push({ key, listen, protocol, ...targets })
      if (protocol === 'TCP') tables.push({ key, listen, ...targets })
      if (asked !== nodeIp) opened.push({ of: pod, key, host, port, ...carriedBy(protocol, nodeIp !== undefined) })
    }
  }
  return { tables, opened }
}

/** The Services' ports once more, as those of the node's address in the network of the pods. */
export function planNodePorts(tables: readonly ServicePortTable[], nodeIp: string | undefined): ServicePortTable[] {
  if (nodeIp === undefined) return []
  return tables.flatMap(({ nodePort: port, ...table }) =>
    port === undefined ? [] : [{ ...table, key: `${table.key}/node`, listen: { host: nodeIp, port } }],
  )
}

/** Ports of this machine for the Services of type NodePort and LoadBalancer; and the Services' own where nothing here carries their protocol. */
export function planServicePorts(services: readonly KubeObject[], hasOwnNetwork: boolean): NodePort[] {
  return services.flatMap((of) => {
    const { clusterIP: host = '', ports = [], type } = specOf(of)
    if (type === 'ExternalName') return []
    return ports.flatMap(({ port, nodePort, protocol }): NodePort[] => {
      const key = portKeyOf(of, port, protocol)
      const carried = carriedBy(protocol, hasOwnNetwork)
      const own = carried.why === undefined ? [] : [{ of, key, host, port, ...carried }]
      return nodePort === undefined ? own : [...own, { of, key, host: LOOPBACK, port: nodePort, ...carried }]
    })
  })
}

/** How what comes to a port gets to the pods, or why it does not: datagrams go to addresses of pods, where they have any. */
function carriedBy(protocol: string | undefined, hasOwnNetwork: boolean): Pick<NodePort, 'protocol' | 'why'> {
  if (protocol === undefined || protocol === 'TCP') return {}
  if (protocol === 'UDP' && hasOwnNetwork) return { protocol }
  return { why: `${protocol} is not led into the network of the pods` }
}

/** Whether a pod asks for ports that others have that are here already. */
export function hasPortConflict(pod: Pod, others: readonly Pod[]): boolean {
  const taken = others.filter(isLive).flatMap(hostPortsOf)
  return hostPortsOf(pod).some((wanted) => taken.some((other) => areSame(wanted, other)))
}

function hostPortsOf({ spec }: Pod): HostPort[] {
  return [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)].flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort = 0, hostIP, protocol = 'TCP', containerPort }) =>
      hostPort > 0
        ? [{ ip: hostIP || ANY, host: hostIP || LOOPBACK, port: hostPort, protocol, to: containerPort }]
        : [],
    ),
  )
}

/** Whether a pod asks for ports of the node. */
export function asksForPorts(pod: Pod): boolean {
  return hostPortsOf(pod).length > 0
}

const areSame = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === ANY || b.ip === ANY)

/** Whether a pod has not come to its end. */
export const isLive = ({ status }: Pod): boolean => status?.phase !== 'Succeeded' && status?.phase !== 'Failed'
