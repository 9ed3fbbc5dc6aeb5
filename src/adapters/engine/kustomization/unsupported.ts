import type { Kustomization } from '../../../kinds/kustomization.ts'

/** Names the first field of a Kustomization that this version does not serve; such an object is refused, never half obeyed. */
export function unsupportedField(
  kustomization: Kustomization,
): { readonly reason: string; readonly message: string } | undefined {
  const { serviceAccountName, kubeConfig, healthExpressions, hasFieldIgnores } = kustomization
  if (serviceAccountName !== undefined)
    return refused('spec.serviceAccountName', "remove it to apply with the engine's own rights")
  if (kubeConfig) return refused('spec.kubeConfig', 'run an engine on that cluster')
  if (healthExpressions.length > 0)
    return refused('spec.healthCheckExprs', 'conditions Ready, Reconciling and Stalled are understood without')
  if (hasFieldIgnores) return refused('spec.ignore', 'leave the field out of Git to leave it to others')
  return undefined
}

function refused(field: string, hint: string): { readonly reason: string; readonly message: string } {
  return { reason: 'NotSupported', message: `${field} is not supported by this version of sluice; ${hint}` }
}
