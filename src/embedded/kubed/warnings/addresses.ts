import { addressWarnings, networkWarnings } from '../../../lib/kube/addresses.ts'
import { type Json, type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'

/** Endpoints and slices of these controllers are written as they find them. */
const OWNED = new Set([
  'endpoint-controller',
  'endpointslice-controller.k8s.io',
  'endpointslicemirroring-controller.k8s.io',
])

const ofAddresses = (list: Json | undefined, path: string): string[] =>
  listOf(list).flatMap((each, index) => addressWarnings(stringOf(each), `${path}[${index}]`))
const ofNetworks = (list: Json | undefined, path: string): string[] =>
  listOf(list).flatMap((each, index) => networkWarnings(stringOf(each), `${path}[${index}]`))

const isOwned = ({ metadata }: JsonObject): boolean => {
  const labels = objectOf(objectOf(metadata).labels)
  return ['endpoints.kubernetes.io/managed-by', 'endpointslice.kubernetes.io/managed-by'].some((label) =>
    OWNED.has(stringOf(labels[label])),
  )
}

/** Addresses of an Endpoints object that could be written better. */
export function ofEndpoints(endpoints: JsonObject): string[] {
  if (isOwned(endpoints)) return []
  return objectsOf(endpoints.subsets).flatMap((subset, index) =>
    ['addresses', 'notReadyAddresses'].flatMap((list) =>
      objectsOf(subset[list]).flatMap(({ ip }, at) =>
        addressWarnings(stringOf(ip), `subsets[${index}].${list}[${at}].ip`),
      ),
    ),
  )
}

/** Addresses of an EndpointSlice that could be written better. */
export function ofSlice(slice: JsonObject): string[] {
  if (slice.addressType === 'FQDN' || isOwned(slice)) return []
  return objectsOf(slice.endpoints).flatMap(({ addresses }, index) =>
    ofAddresses(addresses, `endpoints[${index}].addresses`),
  )
}

/** Networks of a NetworkPolicy that could be written better. */
export function ofPolicy({ ingress, egress }: JsonObject): string[] {
  const ofPeers = (rules: Json | undefined, list: 'ingress' | 'egress', peers: 'from' | 'to'): string[] =>
    objectsOf(rules).flatMap((rule, index) =>
      objectsOf(rule[peers]).flatMap(({ ipBlock }, at) => {
        const path = `spec.${list}[${index}].${peers}[${at}].ipBlock`
        const { cidr, except } = objectOf(ipBlock)
        return [...networkWarnings(stringOf(cidr), `${path}.cidr`), ...ofNetworks(except, `${path}.except`)]
      }),
    )
  return [...ofPeers(ingress, 'ingress', 'from'), ...ofPeers(egress, 'egress', 'to')]
}

/** Networks of a node that could be written better. */
export const ofNodeNetworks = ({ podCIDRs }: JsonObject): string[] => ofNetworks(podCIDRs, 'spec.podCIDRs')

/** Addresses of a pod, or of the template of pods at `path`, that could be written better. */
export function ofPodAddresses({ dnsConfig, hostAliases }: JsonObject, path: string): string[] {
  return [
    ...ofAddresses(objectOf(dnsConfig).nameservers, `${path}.dnsConfig.nameservers`),
    ...objectsOf(hostAliases).flatMap(({ ip }, index) =>
      addressWarnings(stringOf(ip), `${path}.hostAliases[${index}].ip`),
    ),
  ]
}

/** Addresses of a service that could be written better. */
export function ofServiceAddresses(spec: JsonObject): Readonly<Record<'own' | 'external' | 'balancer', string[]>> {
  const { clusterIPs, externalIPs, loadBalancerIP, loadBalancerSourceRanges } = spec
  return {
    own: ofAddresses(clusterIPs, 'spec.clusterIPs'),
    external: ofAddresses(externalIPs, 'spec.externalIPs'),
    balancer: [
      ...addressWarnings(stringOf(loadBalancerIP), 'spec.loadBalancerIP'),
      ...ofNetworks(loadBalancerSourceRanges, 'spec.loadBalancerSourceRanges'),
    ],
  }
}
