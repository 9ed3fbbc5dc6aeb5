import { compareText } from '../meta.ts'
import { isReadyPod } from '../pods.ts'
import type { Pod, Service } from '../shapes.ts'
import { endpointOf, portsFor } from './slice.ts'

type Address = {
  readonly ip: string
  readonly hostname?: string
  readonly nodeName?: string
  readonly targetRef: { readonly kind: string; readonly namespace: string; readonly name: string; readonly uid: string }
}

type SubsetPort = {
  readonly name?: string
  readonly port: number
  readonly protocol: string
  readonly appProtocol?: string
}

/** One group of addresses that answer on the same ports, as the Endpoints object lists them. */
export type Subset = {
  readonly addresses?: readonly Address[]
  readonly notReadyAddresses?: readonly Address[]
  readonly ports?: readonly SubsetPort[]
}

/** The `subsets` of a Service's Endpoints object: pods by their ports, ready and not ready; pods that are leaving are not listed. */
export function endpointsOf(service: Service, pods: readonly Pod[]): readonly Subset[] {
  const groups = new Map<string, { ports: SubsetPort[]; ready: Address[]; notReady: Address[] }>()
  const [family = 'IPv4'] = service.spec.ipFamilies ?? []
  const publishAll = service.spec.publishNotReadyAddresses === true
  for (const pod of pods) {
    const endpoint = endpointOf(service, pod, family)
    if (!endpoint || (endpoint.conditions.terminating && !publishAll)) continue
    const ports = portsFor(service, pod).map(({ name, ...port }) => ({ ...(name !== '' && { name }), ...port }))
    const key = JSON.stringify(ports)
    const group = groups.get(key) ?? { ports, ready: [], notReady: [] }
    groups.set(key, group)
    const { addresses, conditions: _conditions, ...rest } = endpoint
    const address = { ip: addresses[0] ?? '', ...rest }
    if (publishAll || isReadyPod(pod)) group.ready.push(address)
    else group.notReady.push(address)
  }
  return [...groups.values()].map(({ ports, ready, notReady }) => ({
    ...(ready.length > 0 && { addresses: ready.sort(byIp) }),
    ...(notReady.length > 0 && { notReadyAddresses: notReady.sort(byIp) }),
    ...(ports.length > 0 && { ports }),
  }))
}

function byIp(a: Address, b: Address): number {
  return compareText(a.ip, b.ip)
}
