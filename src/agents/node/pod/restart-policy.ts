import type { Container, PodSpec } from './shapes.ts'

/** Whether an init container goes on beside the others. */
export function isSidecar({ restartPolicy }: Container): boolean {
  return restartPolicy === 'Always'
}

/**
 * Whether a container of a pod that ended by `code` is started again: by its own rules, else by its own policy, else by that of the pod. Init
 * containers are done when they ended well, sidecars never; those that look into a pod run once.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#individual-container-restart-policy-and-rules
 */
export function mayRestart(spec: PodSpec, container: Container, code: number): boolean {
  const isIn = (list: readonly Container[] = []): boolean => list.some(({ name }) => name === container.name)
  if (isIn(spec.ephemeralContainers)) return false
  const isInit = isIn(spec.initContainers)
  if (isInit && !isSidecar(container) && code === 0) return false
  const { restartPolicy, restartPolicyRules = [] } = container
  if (restartPolicy !== undefined && restartPolicyRules.some(({ exitCodes }) => isMeant(exitCodes, code))) return true
  const policy = restartPolicy ?? spec.restartPolicy ?? 'Always'
  return policy === 'Always' || (policy === 'OnFailure' && code !== 0)
}

function isMeant(
  exitCodes: { readonly operator: string; readonly values?: readonly number[] } | undefined,
  code: number,
): boolean {
  if (exitCodes === undefined) return false
  return (exitCodes.values ?? []).includes(code) === (exitCodes.operator === 'In')
}
