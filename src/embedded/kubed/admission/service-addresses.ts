import { isIP } from 'node:net'
import { type JsonObject, listOf, objectOf, stringOf } from '../../../lib/kube/json.ts'
import type { Environment } from '../environment.ts'
import type { FieldError } from '../fault.ts'
import { type Obj, specOf } from '../object.ts'
import { invalidValue } from '../validation/fault-list.ts'

/** 10.96.0.0/16, as clusters of kubeadm have it; .1 is the API server's own. */
const NETWORK = '10.96.'

/** An address of a service that nobody has: the low ones stay free for services that name theirs (DNS and the like). */
export function freeAddress(env: Environment): string {
  for (;;) {
    const [a = 0, b = 0] = env.random(2)
    const address = `${NETWORK}${a}.${b}`
    if ((a > 0 || b > 16) && b !== 255 && !isTaken(env, address)) return address
  }
}

const isTaken = (env: Environment, address: string): boolean =>
  env.store.get('networking.k8s.io/ipaddresses', '', address) !== undefined

/** An address that is named must be of the network and free; a dry run looks only whether it could be. */
export function refuseAddresses(env: Environment, service: Obj, isDryRun: boolean, errors: FieldError[]): void {
  const { clusterIPs } = specOf(service)
  for (const address of listOf(clusterIPs).map(stringOf)) {
    const why = address === 'None' ? undefined : refusal(env, address, isDryRun)
    if (why !== undefined)
      return invalidValue(errors, 'spec.clusterIPs', clusterIPs, `failed to allocate IP ${address}: ${why}`)
  }
}

function refusal(env: Environment, address: string, isDryRun: boolean): string | undefined {
  const isInside = address.startsWith(NETWORK)
  if (isDryRun)
    return isInside
      ? undefined
      : `the provided IP (${address}) is not in the valid range. The range of valid IPs is ${NETWORK}0.0/16`
  if (!isInside || address === `${NETWORK}0.0` || address === `${NETWORK}255.255`)
    return 'the provided network does not match the current range'
  return isTaken(env, address) ? 'provided IP is already allocated' : undefined
}

/**
 * Gives a service its families, and refuses those that this network of one family does not have. Services without selector or address of their own may
 * have any: whoever keeps their endpoints knows.
 *
 * @see k8s.io/kubernetes/pkg/registry/core/service/storage initIPFamilyFields
 */
export function settleFamilies(spec: JsonObject, errors: FieldError[]): void {
  const isFree = spec.clusterIP === 'None' && Object.keys(objectOf(spec.selector)).length === 0
  spec.ipFamilyPolicy ??= isFree ? 'RequireDualStack' : 'SingleStack'
  const families = listOf(spec.ipFamilies)
  const policy = (why: string): void => invalidValue(errors, 'spec.ipFamilyPolicy', spec.ipFamilyPolicy, why)
  if (spec.ipFamilyPolicy === 'SingleStack') {
    const why = "must be 'RequireDualStack' or 'PreferDualStack' when multiple"
    if (listOf(spec.clusterIPs).length === 2) policy(`${why} cluster IPs are specified`)
    if (families.length === 2) policy(`${why} IP families are specified`)
  }
  listOf(spec.clusterIPs).forEach((address, index) => {
    if (index >= families.length && isIP(stringOf(address)) === 6)
      invalidValue(errors, `spec.clusterIPs[${index}]`, spec.clusterIPs, 'IPv6 is not configured on this cluster')
  })
  if (errors.length > 0) return
  if (isFree) {
    const [first = 'IPv4'] = families
    const other = first === 'IPv4' ? 'IPv6' : 'IPv4'
    spec.ipFamilies =
      families.length < 2 && spec.ipFamilyPolicy !== 'SingleStack' ? [first, other] : [first, ...families.slice(1)]
    return
  }
  if (spec.ipFamilyPolicy === 'RequireDualStack') policy('this cluster is not configured for dual-stack services')
  families.forEach((family, index) => {
    if (family !== 'IPv4') invalidValue(errors, `spec.ipFamilies[${index}]`, family, 'not configured on this cluster')
  })
  if (families.length === 0) spec.ipFamilies = ['IPv4']
}
