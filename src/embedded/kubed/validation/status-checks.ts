import { isIP } from 'node:net'
import { objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { FieldError } from '../fault.ts'
import type { Obj } from '../object.ts'
import type { Resource } from '../resources/resource.ts'
import { checkAddress } from './addresses.ts'
import { invalidValue } from './fault-list.ts'
import { subdomainError } from './names.ts'

const BALANCED = new Set(['networking.k8s.io/ingresses', '/services'])

/** Faults of a status that is written. @see k8s.io/kubernetes/pkg/apis/core/validation ValidateLoadBalancerStatus */
export function validateStatus({ storageKey }: Resource, { status }: Obj): FieldError[] {
  const errors: FieldError[] = []
  if (!BALANCED.has(storageKey)) return errors
  objectsOf(objectOf(objectOf(status).loadBalancer).ingress).forEach((ingress, index) => {
    const [ip, hostname] = [ingress.ip, ingress.hostname].map(stringOf)
    const at = `status.loadBalancer.ingress[${index}]`
    if (ip) checkAddress(ip, `${at}.ip`, errors)
    if (!hostname) return
    const why = subdomainError(hostname)
    if (why !== undefined) invalidValue(errors, `${at}.hostname`, hostname, why)
    if (isIP(hostname) !== 0) invalidValue(errors, `${at}.hostname`, hostname, 'must be a DNS name, not an IP address')
  })
  return errors
}
