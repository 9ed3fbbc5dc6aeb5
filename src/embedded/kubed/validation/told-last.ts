import type { FieldError } from '../fault.ts'

/**
 * Faults that the server tells after all others of a kind: its declarations find them, not its handwritten code. In the order of the declarations.
 *
 * @see k8s.io/kubernetes zz_generated.validations.go, and MarkCoveredByDeclarative in the handwritten validation
 */
const DECLARED: Readonly<Record<string, readonly RegExp[]>> = {
  '/replicationcontrollers': [/^spec\.replicas (Required|Invalid)$/, /^spec\.minReadySeconds Invalid$/],
  'discovery.k8s.io/endpointslices': [
    /^addressType (Required|NotSupported)$/,
    /^addressType Invalid/,
    /^endpoints\[\d+\]\.addresses (Required|TooMany)$/,
  ],
  'networking.k8s.io/networkpolicies': [/\.ipBlock\.cidr Required$/],
  'networking.k8s.io/ingressclasses': [/^spec\.parameters\.kind Required$/, /^spec\.parameters\.name Required$/],
  'networking.k8s.io/ipaddresses': [/^spec\.parentRef(\.resource|\.name)? Required$/, /^spec\.parentRef Invalid/],
  'admissionregistration.k8s.io/validatingadmissionpolicybindings': [
    /^spec\.policyName Required$/,
    /^spec\.validationActions Required$/,
  ],
  'node.k8s.io/runtimeclasses': [/^handler /],
  'rbac.authorization.k8s.io/roles': [/^rules\[\d+\]\.verbs Required$/],
  'rbac.authorization.k8s.io/clusterroles': [/^rules\[\d+\]\.verbs Required$/],
  'rbac.authorization.k8s.io/rolebindings': [/^subjects\[\d+\]\.name Required$/, /^roleRef\.name Required$/],
  'rbac.authorization.k8s.io/clusterrolebindings': [/^subjects\[\d+\]\.name Required$/, /^roleRef\.name Required$/],
  'storage.k8s.io/storageclasses': [
    /^provisioner Required$/,
    /^provisioner Invalid immutable$/,
    /^parameters Invalid immutable$/,
    /^reclaimPolicy Invalid/,
    /^volumeBindingMode Invalid/,
  ],
  'storage.k8s.io/volumeattachments': [/^spec\.attacher (Required|TooLong|Invalid)$/, /^spec Invalid/],
  'batch/cronjobs': [/^spec\.schedule Required$/],
}

const isImmutable = ({ message }: FieldError): boolean => message.endsWith(': field is immutable')

/** The faults of an object in the order in which the server tells them. */
export function orderFaults(storageKey: string, errors: FieldError[]): FieldError[] {
  const patterns = DECLARED[storageKey]
  if (patterns === undefined || errors.length < 2) return errors
  const fixed = errors.filter(isImmutable).map(({ field }) => `${field}.`)
  const rank = (error: FieldError): number => {
    // Below what must not change and did nothing is declared to be looked at.
    if (fixed.some((whole) => error.field.startsWith(whole))) return -1
    const told = `${error.field} ${error.type}${isImmutable(error) ? ' immutable' : ''}`
    return patterns.findIndex((each) => each.test(told))
  }
  return errors
    .map((error) => ({ error, rank: rank(error) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ error }) => error)
}
