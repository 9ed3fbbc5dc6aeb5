import { equal, type Json, type JsonObject, listOf } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { forbid, invalidValue } from '../fault-list.ts'

const ONCE = 'may not change once set'

/** Faults of a changed service: addresses and their families stay, second ones may come and go. @see k8s.io/kubernetes/pkg/apis/core/validation ValidateServiceUpdate */
export function checkServiceChange(spec: JsonObject, old: JsonObject, errors: FieldError[]): void {
  if (spec.type !== 'ExternalName' && old.type !== 'ExternalName') {
    const [isHeadless, wasHeadless] = [spec, old].map(({ clusterIP }) => clusterIP === 'None')
    if (!(isHeadless === true && wasHeadless === true))
      checkList('clusterIPs', addressesOf(spec), addressesOf(old), spec, errors)
    if (isHeadless === wasHeadless && isHeadless !== true)
      checkList('ipFamilies', listOf(spec.ipFamilies), listOf(old.ipFamilies), spec, errors)
  }
  if (
    spec.type === 'LoadBalancer' &&
    old.type === 'LoadBalancer' &&
    !equal(spec.loadBalancerClass ?? null, old.loadBalancerClass ?? null)
  )
    invalidValue(errors, 'spec.loadBalancerClass', spec.loadBalancerClass, ONCE)
  if (asksForHealth(spec) && asksForHealth(old) && spec.healthCheckNodePort !== old.healthCheckNodePort)
    forbid(errors, 'spec.healthCheckNodePort', 'field is immutable')
}

const asksForHealth = ({ type, externalTrafficPolicy }: JsonObject): boolean =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local'

/** The list, or the one address that may stand alone. */
function addressesOf({ clusterIPs, clusterIP }: JsonObject): Json[] {
  if (listOf(clusterIPs).length > 0) return listOf(clusterIPs)
  return typeof clusterIP === 'string' && clusterIP !== '' ? [clusterIP] : []
}

function checkList(
  field: 'clusterIPs' | 'ipFamilies',
  wanted: readonly Json[],
  had: readonly Json[],
  spec: JsonObject,
  errors: FieldError[],
): void {
  const one = field === 'clusterIPs' ? 'clusterIP' : 'ipFamily'
  // What is absent is filled in later; it is no change.
  if (wanted.length === 0 || had.length === 0) return
  const bad = (index: number, value: readonly Json[]): void =>
    invalidValue(errors, `spec.${field}[${index}]`, [...value], ONCE)
  if (wanted.length === had.length)
    return had.forEach((each, index) => {
      if (each !== wanted[index]) bad(field === 'clusterIPs' ? index : 0, wanted)
    })
  if (wanted[0] !== had[0]) bad(0, field === 'clusterIPs' ? wanted : listOf(spec.clusterIPs))
  if (wanted.length < had.length && spec.ipFamilyPolicy !== 'SingleStack')
    invalidValue(
      errors,
      'spec.ipFamilyPolicy',
      spec.ipFamilyPolicy,
      `must be set to 'SingleStack' when releasing the secondary ${one}`,
    )
}
