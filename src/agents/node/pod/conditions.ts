import { isAlive, isRestartingAll, type Seen } from './decide.ts'
import { whyInfeasible } from './resize.ts'
import { isSidecar } from './restart-policy.ts'
import type { Container, ContainerStatus, Pod, PodCondition, PodStatus } from './shapes.ts'

/** The condition that a pod has its network. */
export const HAS_NETWORK = 'PodReadyToStartContainers'
const RESIZE_PENDING = 'PodResizePending'
const RESTARTING = 'AllContainersRestarting'
const OWN_CONDITIONS = new Set([
  RESIZE_PENDING,
  RESTARTING,
  HAS_NETWORK,
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
])

/** Whether the node alone says what a condition says. */
export function isOwnCondition({ type }: PodCondition): boolean {
  return OWN_CONDITIONS.has(type)
}

/** A status of ours with the conditions that others have given the pod, as they stand. */
export function withOthersConditions(own: PodStatus, shown: PodStatus | undefined): PodStatus {
  const others = (shown?.conditions ?? []).filter((condition) => !isOwnCondition(condition))
  return { ...own, conditions: [...(own.conditions ?? []).filter(isOwnCondition), ...others] }
}

/** Whether others have taken a pod of ours for not ready, as they do when its node was silent: its containers are ready, it is not. */
export function isDoubted(own: PodStatus, shown: PodStatus | undefined): boolean {
  const saysSo = (status: PodStatus | undefined, type: string): boolean =>
    status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') === true
  return saysSo(own, 'Ready') && saysSo(shown, 'ContainersReady') && !saysSo(shown, 'Ready')
}

/** RFC 3339 with seconds, as Kubernetes writes times. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** Whether the containers of a pod may run, or have done so already. */
export function isInitialized(seen: Seen): boolean {
  const { initContainers = [], containers } = seen.pod.spec
  return containers.some(({ name }) => seen.runs.has(name)) || initContainers.every((each) => isInitDone(seen, each))
}

function isInitDone({ runs, health }: Seen, container: Container): boolean {
  const run = runs.get(container.name)
  if (!isSidecar(container)) return run?.exit?.code === 0
  return isAlive(run) && health.get(container.name)?.isStarted === true
}

/** The conditions of a pod: ours, and those of others as they stand. */
export function conditionsOf(seen: Seen, phase: string, statuses: readonly ContainerStatus[]): PodCondition[] {
  const before = seen.pod.status?.conditions ?? []
  const isOver = phase === 'Succeeded' || phase === 'Failed'
  const containersReady = ofContainers(seen.pod, phase, statuses)
  const infeasible = isOver ? undefined : whyInfeasible(seen)
  const wanted: PodCondition[] = [
    { type: HAS_NETWORK, ...(seen.sandbox ? { status: 'True' } : NO_NETWORK) },
    { type: 'Initialized', ...ofInits(seen, phase) },
    { type: 'Ready', ...(containersReady.status === 'True' ? ofGates(seen.pod, before) : containersReady) },
    { type: 'ContainersReady', ...containersReady },
    { type: 'PodScheduled', status: 'True' },
    ...ofRestart(seen, phase),
    ...(infeasible === undefined
      ? []
      : [{ type: RESIZE_PENDING, status: 'True', reason: 'Infeasible', message: infeasible }]),
  ]
  const foreign = before.filter(
    ({ type }) => type !== RESIZE_PENDING && !wanted.some((condition) => condition.type === type),
  )
  const { generation } = seen.pod.metadata
  const observed = generation === undefined ? {} : { observedGeneration: generation }
  return [...wanted.map((condition) => keepTime({ ...condition, ...observed }, before, seen.nowMs)), ...foreign]
}

/** Whether all containers are being started anew; said of pods that have a rule for it. */
function ofRestart(seen: Seen, phase: string): PodCondition[] {
  const { containers, initContainers = [] } = seen.pod.spec
  const rules = [...initContainers, ...containers].flatMap(({ restartPolicyRules = [] }) => restartPolicyRules)
  if (!rules.some(({ action }) => action === 'RestartAllContainers')) return []
  const no = (reason?: string): PodCondition[] => [{ type: RESTARTING, status: 'False', ...(reason && { reason }) }]
  if (phase === 'Succeeded') return no('PodCompleted')
  if (phase === 'Failed') return no('PodFailed')
  if (!isRestartingAll(seen)) return no()
  const message = 'container exited with restart policy rule'
  return [{ type: RESTARTING, status: 'True', reason: 'RestartAllContainersStarted', message }]
}

type Judged = Pick<PodCondition, 'status' | 'reason' | 'message'>

const NO_NETWORK: Judged = { status: 'False', reason: 'PodSandboxNotReady', message: 'no pod sandbox exists' }

function ofInits(seen: Seen, phase: string): Judged {
  if (phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' }
  // who begins anew stays initialized
  const before = seen.pod.status?.conditions?.find(({ type }) => type === 'Initialized')
  if (isInitialized(seen) || before?.status === 'True') return { status: 'True' }
  const pending = (seen.pod.spec.initContainers ?? []).filter((container) => !isInitDone(seen, container))
  const message = `containers with incomplete status: [${pending.map(({ name }) => name).join(' ')}]`
  return { status: 'False', reason: 'ContainersNotInitialized', message }
}

/** Sidecars count as containers do. */
function ofContainers({ spec }: Pod, phase: string, statuses: readonly ContainerStatus[]): Judged {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' }
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' }
  const counted = [...(spec.initContainers ?? []).filter(isSidecar), ...spec.containers].map(({ name }) => name)
  const unready = counted.filter((name) => statuses.find((status) => status.name === name)?.ready !== true)
  if (unready.length === 0) return { status: 'True' }
  const message = `containers with unready status: [${unready.join(' ')}]`
  return { status: 'False', reason: 'ContainersNotReady', message }
}

/** What others say of a pod whose containers are ready. */
function ofGates({ spec }: Pod, conditions: readonly PodCondition[]): Judged {
  const why = (spec.readinessGates ?? []).flatMap(({ conditionType: type }) => {
    const found = conditions.find((condition) => condition.type === type)
    if (found === undefined) return [`corresponding condition of pod readiness gate "${type}" does not exist.`]
    return found.status === 'True'
      ? []
      : [`the status of pod readiness gate "${type}" is not "True", but ${found.status}`]
  })
  if (why.length === 0) return { status: 'True' }
  return { status: 'False', reason: 'ReadinessGatesNotReady', message: why.join(', ') }
}

function keepTime(condition: PodCondition, before: readonly PodCondition[], nowMs: number): PodCondition {
  const old = before.find(({ type, status }) => type === condition.type && status === condition.status)
  return { ...condition, lastProbeTime: null, lastTransitionTime: old?.lastTransitionTime ?? timeText(nowMs) }
}
