import { equal, type JsonObject, listOf, numberOf, objectOf, objectsOf } from '../../../lib/kube/json.ts'

/** Fields that only some types of services have; they go with the type, if they were left as they were. */
const OF_TYPE: Readonly<Record<string, readonly string[]>> = {
  internalTrafficPolicy: ['ClusterIP', 'LoadBalancer', 'NodePort'],
  healthCheckNodePort: ['LoadBalancer'],
  allocateLoadBalancerNodePorts: ['LoadBalancer'],
  loadBalancerClass: ['LoadBalancer'],
}
const ADDRESSES = ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']

/**
 * Brings the fields of a changed service into line that mean the same or go with the type. In place.
 * @see k8s.io/kubernetes/pkg/registry/core/service strategy.go
 */
export function settleService(service: JsonObject, before: JsonObject): void {
  const [spec, old] = [objectOf(service.spec), objectOf(before.spec)]
  const isSame = (field: string): boolean => spec[field] !== undefined && equal(spec[field], old[field])
  if (isSame('clusterIPs') && !isSame('clusterIP')) {
    if (spec.clusterIP === undefined || spec.clusterIP === '') delete spec.clusterIPs
    else spec.clusterIPs = [spec.clusterIP]
  }
  settleHealthPort(spec, old, isSame)
  if (isReachedFromOutside(old) && !isReachedFromOutside(spec) && isSame('externalTrafficPolicy'))
    delete spec.externalTrafficPolicy
  if (spec.type === old.type) return
  if (old.type === 'LoadBalancer') service.status = { ...objectOf(service.status), loadBalancer: {} }
  if (spec.type === 'ExternalName') for (const field of ADDRESSES.filter(isSame)) delete spec[field]
  for (const [field, types] of Object.entries(OF_TYPE))
    if (!types.includes(String(spec.type)) && isSame(field)) delete spec[field]
  if (!hasNodePorts(old) || hasNodePorts(spec)) return
  // They go together: where one of them is new, all stay, and are refused.
  const had = new Set([...nodePortsOf(old), 0])
  if (nodePortsOf(spec).every((each) => had.has(each))) for (const port of objectsOf(spec.ports)) delete port.nodePort
}

const hasNodePorts = ({ type }: JsonObject): boolean => type === 'NodePort' || type === 'LoadBalancer'

const nodePortsOf = (spec: JsonObject): number[] => objectsOf(spec.ports).map(({ nodePort }) => numberOf(nodePort) ?? 0)

/** True for a service that somebody outside of the cluster can reach. */
const isReachedFromOutside = ({ type, externalIPs }: JsonObject): boolean =>
  type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && listOf(externalIPs).length > 0)

/** The port of health checks comes with the local policy, stays with it, and goes with it. */
function settleHealthPort(spec: JsonObject, old: JsonObject, isSame: (field: string) => boolean): void {
  const [asks, asked] = [spec, old].map(
    ({ type, externalTrafficPolicy }) => type === 'LoadBalancer' && externalTrafficPolicy === 'Local',
  )
  if (asked !== true) return
  if (asks !== true && isSame('healthCheckNodePort')) delete spec.healthCheckNodePort
  else if (asks === true && (spec.healthCheckNodePort ?? 0) === 0) spec.healthCheckNodePort = old.healthCheckNodePort
}
