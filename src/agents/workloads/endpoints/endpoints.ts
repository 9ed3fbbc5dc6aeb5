import { compareText } from '../meta.ts'
import { isReadyPod } from '../pods.ts'
import type { Pod, Service } from '../shapes.ts'
import { orderSubsetPorts } from './port-order.ts'
import { endpointOf, portsFor } from './slice.ts'

type Address = {
  readonly ip: string
  readonly hostname?: string
  readonly nodeName?: string
  readonly targetRef: { readonly kind: string; readonly namespace: string; readonly name: string; readonly uid: string }
}

/** A port on which the addresses of a subset answer. */
export type SubsetPort = {
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

/** Who answers on a port, by the pod's address and uid. */
type Answering = Map<string, { readonly address: Address; readonly isReady: boolean }>

/**
 * The `subsets` of a Service's Endpoints object: ports on which the same pods answer share one; pods that are leaving are not listed.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/api/v1/endpoints/util.go `RepackSubsets`
 */
export function endpointsOf(service: Service, pods: readonly Pod[]): readonly Subset[] {
  const byPort = new Map<string, { readonly port: SubsetPort | undefined; readonly answering: Answering }>()
  for (const { address, isReady, ports } of pods.flatMap((pod) => answersOf(service, pod)))
    for (const port of ports) {
      const key = JSON.stringify(port ?? null)
      const one = byPort.get(key) ?? { port, answering: new Map() }
      byPort.set(key, one)
      one.answering.set(`${address.ip} ${address.targetRef.uid}`, { address, isReady })
    }
  const groups = new Map<string, { readonly ports: SubsetPort[]; readonly answering: Answering }>()
  for (const { port, answering } of byPort.values()) {
    const key = [...answering.keys()].sort().join()
    const group = groups.get(key) ?? { ports: [], answering }
    groups.set(key, group)
    if (port !== undefined) group.ports.push(port)
  }
  return [...groups.values()].map(({ ports, answering }) => subsetOf(ports, [...answering.values()]))
}

/** The pod's address and the ports of the Service that it has; `undefined` stands for a headless Service without ports. */
function answersOf(
  service: Service,
  pod: Pod,
): readonly {
  readonly address: Address
  readonly isReady: boolean
  readonly ports: readonly (SubsetPort | undefined)[]
}[] {
  const [family = 'IPv4'] = service.spec.ipFamilies ?? []
  const publishAll = service.spec.publishNotReadyAddresses === true
  const endpoint = endpointOf(service, pod, family)
  if (!endpoint || (endpoint.conditions.terminating && !publishAll)) return []
  const { addresses, conditions: _conditions, ...rest } = endpoint
  const named = portsFor(service, pod).map(({ name, ...port }) => ({ ...(name !== '' && { name }), ...port }))
  const hasNoPorts = (service.spec.ports ?? []).length === 0 && service.spec.clusterIP === 'None'
  const ports = hasNoPorts ? [undefined] : named
  return [{ address: { ip: addresses[0] ?? '', ...rest }, isReady: publishAll || isReadyPod(pod), ports }]
}

function subsetOf(
  ports: readonly SubsetPort[],
  answering: readonly { readonly address: Address; readonly isReady: boolean }[],
): Subset {
  const addresses = (isReady: boolean): Address[] =>
    answering
      .filter((one) => one.isReady === isReady)
      .map(({ address }) => address)
      .sort(byIp)
  const [ready, notReady] = [addresses(true), addresses(false)]
  return {
    ...(ready.length > 0 && { addresses: ready }),
    ...(notReady.length > 0 && { notReadyAddresses: notReady }),
    ...(ports.length > 0 && { ports: orderSubsetPorts(ports) }),
  }
}

function byIp(a: Address, b: Address): number {
  return compareText(a.ip, b.ip)
}
