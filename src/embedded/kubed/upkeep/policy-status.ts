import { clone, numberOf, objectOf } from '../../../lib/kube/json.ts'
import { type Environment, timestamp } from '../environment.ts'
import { type Obj, objFrom } from '../object.ts'
import { trackApply } from '../ownership/managed-fields.ts'

const POLICIES = 'admissionregistration.k8s.io/validatingadmissionpolicies'
const MANAGER = 'validatingadmissionpolicy-status'

/** True of the kind that {@link tellObserved} is about. */
export const isValidatingPolicy = ({ kind, apiVersion }: Obj): boolean =>
  kind === 'ValidatingAdmissionPolicy' && apiVersion === 'admissionregistration.k8s.io/v1'

/**
 * Says of a policy that it is looked at, as kube-controller-manager does: who waits for `status.observedGeneration` may go on.
 * Its expressions are not checked against the types that it matches, so there are no warnings of it.
 *
 * @see k8s.io/kubernetes/pkg/controller/validatingadmissionpolicystatus
 */
export function tellObserved(env: Environment, policy: Obj): void {
  const resource = env.registry.byStorageKey(POLICIES)
  const { name, generation = 0 } = policy.metadata
  if (resource === undefined || generation <= (numberOf(objectOf(policy.status).observedGeneration) ?? 0)) return
  const { apiVersion, kind } = policy
  const status = { observedGeneration: generation, typeChecking: {} }
  const writer = { manager: MANAGER, now: timestamp(env.nowMs()), subresource: 'status' }
  const { value, managedFields } = trackApply(
    resource,
    policy,
    { apiVersion, kind, metadata: { name }, status },
    writer,
    true,
  )
  const next = objFrom(clone(value), apiVersion, kind)
  next.metadata.managedFields = managedFields
  env.store.put(POLICIES, next)
}
