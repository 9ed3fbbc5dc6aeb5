import { equal, listOf, stringOf } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { type Obj, specOf } from '../../object.ts'
import { forbid, invalidValue } from '../fault-list.ts'

/** Faults of a changed node. @see k8s.io/kubernetes/pkg/apis/core/validation ValidateNodeUpdate */
export function checkNodeChange(node: Obj, before: Obj, errors: FieldError[]): void {
  const [spec, old] = [specOf(node), specOf(before)]
  if (listOf(old.podCIDRs).length > 0 && !equal(listOf(spec.podCIDRs), listOf(old.podCIDRs)))
    forbid(errors, 'spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid')
  const [wanted, had] = [spec, old].map(({ providerID }) => stringOf(providerID))
  if (had !== '' && wanted !== had)
    invalidValue(errors, 'spec.providerID', null, `field cannot be ${wanted === '' ? 'cleared' : 'modified'} once set`)
  if (stringOf(spec.externalID) !== stringOf(old.externalID)) forbid(errors, 'spec.externalID', 'may not be updated')
}
