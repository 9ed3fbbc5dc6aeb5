import type { KubeObject } from '../../../lib/kube/object.ts'
import type { ServicePortTable } from '../keeper/messages.ts'
import { isSidecar } from '../pod/restart-policy.ts'
import type { Pod } from '../pod/shapes.ts'

/** A port of the node that leads to a pod or a Service. */
export type NodePort = {
  /** The object that asks for it. */
  readonly of: KubeObject
  /** The key of its table. */
  readonly key: string
  /** Address of this machine. */
  readonly host: string
  readonly port: number
}

type HostPort = { readonly ip: string; readonly port: number; readonly protocol: string; readonly to: number }

/** Any address, as pods write it. */
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
    for (const { ip: asked, port, protocol, to } of hostPortsOf(pod)) {
      const key = `${pod.metadata.uid ?? ''}/${asked}:${port}/${protocol}`
      const isInside = nodeIp !== undefined && (asked === ANY || asked === nodeIp)
      const listen = isInside ? { host: nodeIp, port } : undefined
      const targets = { ready: [{ host: ip, port: to }], serving: [] }
      if (protocol === 'UDP' && listen) tables.push({ key, listen, protocol, ...targets })
      if (protocol !== 'TCP') continue
      tables.push({ key, listen, ...targets })
      if (asked !== nodeIp) opened.push({ of: pod, key, host: asked === ANY ? LOOPBACK : asked, port })
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

/** Ports of this machine for the Services of type NodePort and LoadBalancer. */
export function planServicePorts(tables: readonly ServicePortTable[], services: readonly KubeObject[]): NodePort[] {
  const byName = new Map(services.map((each) => [`${each.metadata.namespace}/${each.metadata.name}`, each]))
  return tables.flatMap(({ key, nodePort: port, protocol }) => {
    const of = byName.get(key.slice(0, key.lastIndexOf(':')))
    return of === undefined || port === undefined || protocol === 'UDP' ? [] : [{ of, key, host: LOOPBACK, port }]
  })
}

/** Whether a pod asks for ports that others have that are here already. */
export function hasPortConflict(pod: Pod, others: readonly Pod[]): boolean {
  const taken = others.filter(isLive).flatMap(hostPortsOf)
  return hostPortsOf(pod).some((wanted) => taken.some((other) => areSame(wanted, other)))
}

function hostPortsOf({ spec }: Pod): HostPort[] {
  return [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)].flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort = 0, hostIP, protocol = 'TCP', containerPort }) =>
      hostPort > 0 ? [{ ip: hostIP || ANY, port: hostPort, protocol, to: containerPort }] : [],
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
