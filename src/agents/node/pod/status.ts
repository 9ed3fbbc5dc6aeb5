import type { RunningContainer } from '../driver.ts'
import { type Ended, isAlive, isCleared, isFinished, lifeOf, restartsAfter, type Run, type Seen } from './decide.ts'
import { durationText, restartDelayMs } from './backoff.ts'
import { whyInfeasible } from './resize.ts'
import {
  labelOf,
  type Container,
  type ContainerState,
  type ContainerStatus,
  type Pod,
  type PodCondition,
  type PodStatus,
} from './shapes.ts'

/**
 * Renders the status of a pod; conditions of others and times of what did not change are kept.
 *
 * Of simulated pods it names no container and no network: there is none.
 */
export function renderPodStatus(seen: Seen, hostIp: string, isSimulated = false): PodStatus {
  const { pod, nowMs } = seen
  const before = pod.status ?? {}
  const inits = pod.spec.initContainers ?? []
  const areInitsDone = inits.every((container) => isInitDone(seen, container))
  const initContainerStatuses = inits.map((container) => containerStatus(seen, container, true, 'PodInitializing'))
  const waiting = areInitsDone ? 'ContainerCreating' : 'PodInitializing'
  const containerStatuses = pod.spec.containers.map((container) => containerStatus(seen, container, false, waiting))
  const guests = pod.spec.ephemeralContainers ?? []
  const ephemeralContainerStatuses = guests.map((container) => guestStatus(seen, container))
  const isLate = lifeOf(pod, nowMs).isOver && before.phase !== 'Succeeded'
  const phase = isLate ? 'Failed' : phaseOf(seen, areInitsDone)
  const ip = seen.sandbox?.ip ?? before.podIP
  const { generation } = pod.metadata
  const conditions = conditionsOf(seen, phase, areInitsDone, containerStatuses)
  const shown = (statuses: readonly ContainerStatus[]): ContainerStatus[] =>
    isSimulated ? statuses.map(withoutContainer) : [...statuses]
  return {
    ...(before.qosClass === undefined ? {} : { qosClass: before.qosClass }),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase,
    ...(isLate ? { reason: before.reason ?? 'DeadlineExceeded' } : {}),
    ...(isLate ? { message: before.message ?? 'Pod was active on the node longer than the specified deadline' } : {}),
    conditions: isSimulated ? conditions.filter(({ type }) => type !== HAS_NETWORK) : conditions,
    hostIP: hostIp,
    hostIPs: [{ ip: hostIp }],
    ...(ip === undefined ? {} : { podIP: ip, podIPs: [{ ip }] }),
    startTime: before.startTime ?? timeText(nowMs),
    ...(inits.length > 0 ? { initContainerStatuses: shown(initContainerStatuses) } : {}),
    containerStatuses: shown(containerStatuses),
    ...(guests.length > 0 ? { ephemeralContainerStatuses: shown(ephemeralContainerStatuses) } : {}),
  }
}

function withoutContainer({ containerID: _none, state, lastState, ...status }: ContainerStatus): ContainerStatus {
  return { ...status, state: stateWithout(state), lastState: stateWithout(lastState) }
}

function stateWithout({ terminated: ended, ...state }: ContainerState): ContainerState {
  if (ended === undefined) return state
  const { containerID: _none, ...others } = ended
  return { ...state, terminated: others }
}

const HAS_NETWORK = 'PodReadyToStartContainers'
const RESIZE_PENDING = 'PodResizePending'
const OWN_CONDITIONS = new Set([RESIZE_PENDING, HAS_NETWORK, 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'])

/** A status of ours with the conditions that others have given the pod, as they stand. */
export function withOthersConditions(own: PodStatus, shown: PodStatus | undefined): PodStatus {
  const isOwn = ({ type }: PodCondition): boolean => OWN_CONDITIONS.has(type)
  const others = (shown?.conditions ?? []).filter((condition) => !isOwn(condition))
  return { ...own, conditions: [...(own.conditions ?? []).filter(isOwn), ...others] }
}

/** Whether others have taken a pod of ours for not ready, as they do when its node was silent: its containers are ready, it is not. */
export function isDoubted(own: PodStatus, shown: PodStatus | undefined): boolean {
  const saysSo = (status: PodStatus | undefined, type: string): boolean =>
    status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') === true
  return saysSo(own, 'Ready') && saysSo(shown, 'ContainersReady') && !saysSo(shown, 'Ready')
}

/** As a kubelet writes of a container that was to run and of which there is no trace when its pod has been ended. */
const NEVER_SEEN: ContainerState = {
  terminated: {
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    message: 'The container could not be located when the pod was terminated',
  },
}

/** RFC 3339 with seconds, as Kubernetes writes times. */
function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}

function isInitDone({ runs, health }: Seen, { name, restartPolicy }: Container): boolean {
  const run = runs.get(name)
  return restartPolicy === 'Always' ? run !== undefined && health.get(name)?.isStarted === true : run?.exit?.code === 0
}

function phaseOf(seen: Seen, areInitsDone: boolean): string {
  const { pod, runs } = seen
  if (isFinished(seen) || isCleared(seen)) {
    const all = pod.spec.containers.every(({ name }) => runs.get(name)?.exit?.code === 0)
    return all && areInitsDone ? 'Succeeded' : 'Failed'
  }
  return areInitsDone && pod.spec.containers.every(({ name }) => runs.has(name)) ? 'Running' : 'Pending'
}

function containerStatus(seen: Seen, container: Container, isInit: boolean, waiting: string): ContainerStatus {
  const run = seen.runs.get(container.name)
  const image = seen.images.get(container.image)
  const health = seen.health.get(container.name)
  const isUp = isAlive(run)
  const isCompleted = isInit && run?.exit?.code === 0
  const state = stateOf(seen, container, run, waiting)
  return {
    name: container.name,
    image: container.image,
    imageID: run?.imageId ?? (image?.state === 'ready' ? image.id : ''),
    ...(run === undefined ? {} : { containerID: containerId(run) }),
    ready: isInit && container.restartPolicy !== 'Always' ? isCompleted : isUp && health?.isReady === true,
    started: isUp && (health?.isStarted ?? false),
    restartCount: run?.attempt ?? 0,
    state,
    lastState: lastStateOf(run, state),
    ...(isUp ? givenTo(seen, container) : {}),
  }
}

/** What a container was given, as a node says it that can give it something else. */
function givenTo({ given }: Seen, { name }: Container): Pick<ContainerStatus, 'resources' | 'allocatedResources'> {
  const resources = given.get(name)
  if (resources === undefined) return {}
  return { resources, ...(resources.requests === undefined ? {} : { allocatedResources: resources.requests }) }
}

/** A container that looks into the pod is never ready: nothing depends on it. */
function guestStatus(seen: Seen, container: Container): ContainerStatus {
  const { started: _started, ...status } = containerStatus(seen, container, false, 'ContainerCreating')
  return { ...status, ready: false }
}

function stateOf(seen: Seen, container: Container, run: Run | undefined, waiting: string): ContainerState {
  if (run && isAlive(run)) return { running: { startedAt: timeText(run.startedAtMs) } }
  if (!run && waiting !== 'PodInitializing' && isCleared(seen)) return NEVER_SEEN
  const image = seen.images.get(container.image)
  if (image?.state === 'failed') return { waiting: { reason: image.reason, message: image.message } }
  const fault = seen.startFaults.get(container.name) ?? (seen.sandbox ? undefined : seen.setupFault)
  if (fault && !run) return { waiting: { reason: fault.reason, message: fault.message } }
  if (run?.exit === undefined) return { waiting: { reason: waiting } }
  const willRestart = !isFinished(seen) && policyRestarts(seen.pod, container, run.exit.code)
  const restarts = restartsAfter(run)
  if (!willRestart || seen.pod.metadata.deletionTimestamp || restarts <= 1) return terminated(run)
  const delay = durationText(restartDelayMs(restarts))
  const message = `back-off ${delay} restarting failed container=${container.name} pod=${labelOf(seen.pod)}`
  return { waiting: { reason: 'CrashLoopBackOff', message } }
}

function policyRestarts(pod: Pod, container: Container, code: number): boolean {
  if (pod.spec.ephemeralContainers?.some(({ name }) => name === container.name)) return false
  const isInit = pod.spec.initContainers?.some(({ name }) => name === container.name) === true
  const policy = container.restartPolicy === 'Always' ? 'Always' : (pod.spec.restartPolicy ?? 'Always')
  if (policy === 'Never') return false
  return code !== 0 || (policy === 'Always' && (!isInit || container.restartPolicy === 'Always'))
}

function lastStateOf(run: Run | undefined, state: ContainerState): ContainerState {
  if (run?.exit && state.terminated === undefined) return terminated(run)
  return run?.previous?.exit ? terminated(run.previous) : {}
}

function terminated(run: Ended): ContainerState {
  const { exit } = run
  if (exit === undefined) return {}
  const reason = exit.isOutOfMemory ? 'OOMKilled' : exit.code === 0 ? 'Completed' : 'Error'
  return {
    terminated: {
      exitCode: exit.code,
      reason,
      ...(run.message === undefined || run.message === '' ? {} : { message: run.message }),
      startedAt: timeText(run.startedAtMs),
      finishedAt: timeText(exit.atMs),
      containerID: containerId(run),
    },
  }
}

function containerId({ uid, container, attempt }: RunningContainer): string {
  return `sluice://${uid}/${container}/${attempt}`
}

function conditionsOf(
  seen: Seen,
  phase: string,
  areInitsDone: boolean,
  statuses: readonly ContainerStatus[],
): PodCondition[] {
  const isOver = phase === 'Succeeded' || phase === 'Failed'
  const unready = statuses.filter(({ ready }) => !ready).map(({ name }) => name)
  const isLeaving = seen.pod.metadata.deletionTimestamp !== undefined
  const reason = phase === 'Succeeded' ? 'PodCompleted' : phase === 'Failed' ? 'PodFailed' : 'ContainersNotReady'
  const message = isOver || unready.length === 0 ? undefined : `containers with unready status: [${unready.join(' ')}]`
  const off = { status: 'False', reason, ...(message === undefined ? {} : { message }) }
  const pending = (seen.pod.spec.initContainers ?? []).filter((container) => !isInitDone(seen, container))
  const initOff = {
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${pending.map(({ name }) => name).join(' ')}]`,
  }
  const areReady = !isOver && unready.length === 0
  const infeasible = isOver ? undefined : whyInfeasible(seen)
  const wanted: PodCondition[] = [
    { type: HAS_NETWORK, status: seen.sandbox ? 'True' : 'False' },
    { type: 'Initialized', ...(areInitsDone ? { status: 'True' } : initOff) },
    { type: 'Ready', ...(areReady && !isLeaving ? { status: 'True' } : off) },
    { type: 'ContainersReady', ...(areReady ? { status: 'True' } : off) },
    { type: 'PodScheduled', status: 'True' },
    ...(infeasible === undefined
      ? []
      : [{ type: RESIZE_PENDING, status: 'True', reason: 'Infeasible', message: infeasible }]),
  ]
  const before = seen.pod.status?.conditions ?? []
  const foreign = before.filter(
    ({ type }) => type !== RESIZE_PENDING && !wanted.some((condition) => condition.type === type),
  )
  const { generation } = seen.pod.metadata
  const observed = generation === undefined ? {} : { observedGeneration: generation }
  return [...wanted.map((condition) => keepTime({ ...condition, ...observed }, before, seen.nowMs)), ...foreign]
}

function keepTime(condition: PodCondition, before: readonly PodCondition[], nowMs: number): PodCondition {
  const old = before.find(({ type, status }) => type === condition.type && status === condition.status)
  return { ...condition, lastProbeTime: null, lastTransitionTime: old?.lastTransitionTime ?? timeText(nowMs) }
}
