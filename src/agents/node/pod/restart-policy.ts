import type { Container, PodSpec, RestartRule } from './shapes.ts'

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
  const { restartPolicy } = container
  if (restartPolicy !== undefined && ruleFor(container, code) !== undefined) return true
  const policy = restartPolicy ?? spec.restartPolicy ?? 'Always'
  return policy === 'Always' || (policy === 'OnFailure' && code !== 0)
}

/** Whether the end of a container by `code` restarts all containers of its pod. */
export function restartsAll(container: Container, code: number): boolean {
  return ruleFor(container, code)?.action === 'RestartAllContainers'
}

/** The first rule that is meant counts. */
function ruleFor({ restartPolicyRules = [] }: Container, code: number): RestartRule | undefined {
  return restartPolicyRules.find(({ exitCodes }) => isMeant(exitCodes, code))
}

function isMeant(
  exitCodes: { readonly operator: string; readonly values?: readonly number[] } | undefined,
  code: number,
): boolean {
  if (exitCodes === undefined) return false
  return (exitCodes.values ?? []).includes(code) === (exitCodes.operator === 'In')
}
