import { type JsonObject, listOf, numberOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { Environment } from '../environment.ts'
import type { FieldError } from '../fault.ts'
import { type Obj, specOf } from '../object.ts'
import { addressFaults } from '../validation/kinds/service-checks.ts'
import { allocateChanged, allocateNew, nodePortsFor } from './node-ports.ts'
import { freeAddress, refuseAddresses, settleFamilies } from './service-addresses.ts'

/** What a dry run shows instead of looking for a free one, as the real server does: the network's own address. */
const DRY_ADDRESS = '10.96.0.0'

/**
 * Gives a service the addresses and node ports that its type needs and it does not name; carries over those it had.
 * This comes before the service is checked, as on the real server: who cannot be given them is told of nothing else.
 */
export function allocateService(
  env: Environment,
  service: Obj,
  before: Obj | undefined,
  isDryRun: boolean,
): FieldError[] {
  const spec = specOf(service)
  if (before !== undefined) carryOver(spec, specOf(before))
  if (spec.type === 'ExternalName') return []
  if (stringOf(spec.clusterIP) !== '') spec.clusterIPs ??= [stringOf(spec.clusterIP)]
  const errors = addressFaults(spec)
  if (errors.length > 0) return errors
  settleFamilies(spec, errors)
  if (errors.length > 0) return errors
  if (stringOf(spec.clusterIP) === '')
    spec.clusterIP = listOf(spec.clusterIPs)[0] ?? (isDryRun ? DRY_ADDRESS : freeAddress(env))
  else if (before === undefined || specOf(before).type === 'ExternalName')
    refuseAddresses(env, service, isDryRun, errors)
  spec.clusterIPs ??= [stringOf(spec.clusterIP)]
  if (errors.length > 0) return errors
  if (hasNodePorts(spec)) {
    const nodePorts = nodePortsFor(env, service, isDryRun)
    if (before === undefined) allocateNew(spec, nodePorts, errors)
    else allocateChanged(spec, specOf(before), nodePorts, errors)
    if (spec.externalTrafficPolicy === 'Local' && spec.type === 'LoadBalancer')
      spec.healthCheckNodePort ??= nodePorts.next()
  }
  return errors
}

const hasNodePorts = ({ type }: JsonObject): boolean => type === 'NodePort' || type === 'LoadBalancer'

function carryOver(spec: JsonObject, old: JsonObject): void {
  const staysInside = spec.type !== 'ExternalName' && old.type !== 'ExternalName'
  if (!staysInside) return
  if (spec.clusterIP === undefined || spec.clusterIP === '') {
    spec.clusterIP = old.clusterIP
    if (listOf(spec.clusterIPs).length === 0) spec.clusterIPs = old.clusterIPs
  }
  spec.clusterIPs ??= spec.clusterIP === old.clusterIP ? old.clusterIPs : undefined
  spec.ipFamilies ??= old.ipFamilies
  spec.ipFamilyPolicy ??= old.ipFamilyPolicy
  if (!hasNodePorts(spec) || !hasNodePorts(old)) return
  const taken = new Set(objectsOf(spec.ports).map(({ nodePort }) => nodePort))
  for (const port of objectsOf(spec.ports)) {
    if ((numberOf(port.nodePort) ?? 0) !== 0) continue
    const same = objectsOf(old.ports).find((each) => stringOf(each.name) === stringOf(port.name))
    if (same?.nodePort !== undefined && !taken.has(same.nodePort)) port.nodePort = same.nodePort
  }
}
