import type { RunningContainer } from '../driver.ts'
import {
  type Ended,
  type ImageState,
  isAlive,
  isCleared,
  isFinished,
  isStill,
  restartsAfter,
  type Run,
  type Seen,
  type Verdict,
  verdictOf,
} from './decide.ts'
import { durationText, restartDelayMs } from './backoff.ts'
import { conditionsOf, HAS_NETWORK, isInitialized, isOwnCondition, timeText } from './conditions.ts'
import { isSidecar, mayRestart } from './restart-policy.ts'
import {
  containersOf,
  labelOf,
  type Container,
  type ContainerState,
  type ContainerStatus,
  type MountStatus,
  type PodStatus,
} from './shapes.ts'

/**
 * Renders the status of a pod; conditions of others and times of what did not change are kept. A last phase is told when nothing of the pod runs any more.
 *
 * Of simulated pods it names no container and no network: there is none.
 */
export function renderPodStatus(seen: Seen, hostIp: string, isSimulated = false): PodStatus {
  const { pod, nowMs } = seen
  const before = pod.status ?? {}
  if (wasRefused(seen)) return refusedStatus(seen, before)
  const inits = pod.spec.initContainers ?? []
  const initContainerStatuses = inits.map((container) => containerStatus(seen, container, true))
  const containerStatuses = pod.spec.containers.map((container) => containerStatus(seen, container, false))
  const guests = pod.spec.ephemeralContainers ?? []
  const ephemeralContainerStatuses = guests.map((container) => guestStatus(seen, container))
  const life = lifeOfStatus(seen)
  const ip = seen.sandbox?.ip ?? before.podIP
  const { generation } = pod.metadata
  const conditions = conditionsOf(seen, life.phase, [...initContainerStatuses, ...containerStatuses])
  const most = Math.floor(MOST_WORDS / Math.max(1, containersOf(pod.spec).length))
  const shown = (statuses: readonly ContainerStatus[]): ContainerStatus[] =>
    statuses.map((status) => withLastWords(isSimulated ? withoutContainer(status) : status, most))
  return {
    ...(before.qosClass === undefined ? {} : { qosClass: before.qosClass }),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...life,
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

/** Whether a pod was over before anything was heard of its containers: its node did not take it. */
function wasRefused({ pod: { status = {} }, runs, sandbox }: Seen): boolean {
  return status.phase === 'Failed' && status.containerStatuses === undefined && runs.size === 0 && sandbox === undefined
}

/** Nothing is said of containers and conditions that never were. */
function refusedStatus(
  { pod, nowMs }: Seen,
  { qosClass, reason, message, startTime, conditions = [] }: PodStatus,
): PodStatus {
  const { generation } = pod.metadata
  return {
    ...(qosClass === undefined ? {} : { qosClass }),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase: 'Failed',
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    conditions: conditions.filter((condition) => !isOwnCondition(condition)),
    startTime: startTime ?? timeText(nowMs),
  }
}

/** The phase and what it is due to. From Failed and Succeeded no way leads back. */
function lifeOfStatus(seen: Seen): { readonly phase: string } & Partial<Verdict> {
  const { phase: before, reason, message } = seen.pod.status ?? {}
  const told = { ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) }
  if (before === 'Failed' || before === 'Succeeded') return { phase: before, ...told }
  const verdict = verdictOf(seen)
  const phase = verdict === undefined ? phaseOf(seen) : 'Failed'
  const isLast = phase === 'Failed' || phase === 'Succeeded'
  // who takes the place of a pod that is over relies on it that nothing of it runs
  if (isLast && !isStill(seen)) return { phase: before ?? 'Pending', ...told }
  return { phase, ...verdict }
}

/** Characters of last messages that a pod tells, all of its containers together. */
const MOST_WORDS = 12 * 1024

function withLastWords(status: ContainerStatus, most: number): ContainerStatus {
  const cut = ({ terminated: ended, ...state }: ContainerState): ContainerState => {
    if (ended?.message === undefined || ended.message.length <= most)
      return { ...state, ...(ended && { terminated: ended }) }
    return { ...state, terminated: { ...ended, message: ended.message.slice(0, most) } }
  }
  return { ...status, state: cut(status.state), lastState: cut(status.lastState) }
}

function withoutContainer({
  containerID: _none,
  volumeMounts: _unmounted,
  state,
  lastState,
  ...status
}: ContainerStatus): ContainerStatus {
  return { ...status, state: stateWithout(state), lastState: stateWithout(lastState) }
}

function stateWithout({ terminated: ended, ...state }: ContainerState): ContainerState {
  if (ended === undefined) return state
  const { containerID: _none, ...others } = ended
  return { ...state, terminated: others }
}

/** As a kubelet writes of a container that was to run and of which there is no trace when its pod has been ended. */
const NEVER_SEEN: ContainerState = {
  terminated: {
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    message: 'The container could not be located when the pod was terminated',
  },
}

/** The reason of what ended because all containers of its pod were started anew. */
export const RESTARTED = 'RestartingAllContainers'
const ANEW = 'The container is removed because RestartAllContainers in place'
const BEGUN_ANEW: ContainerState = { terminated: { exitCode: 137, reason: RESTARTED, message: ANEW } }

function phaseOf(seen: Seen): string {
  const { pod, runs, former } = seen
  const inits = (pod.spec.initContainers ?? []).filter((container) => !isSidecar(container))
  // who begins anew has been initialized before
  const isAnew = (name: string): boolean => !runs.has(name) && former.has(name)
  const areInitsDone = inits.every(({ name }) => runs.get(name)?.exit?.code === 0 || isAnew(name))
  const haveRun = areInitsDone && pod.spec.containers.every(({ name }) => runs.has(name) || isAnew(name))
  // sidecars that still run keep a pod going whose containers are done
  const isGoingOn = haveRun && pod.spec.initContainers?.some(({ name }) => isAlive(runs.get(name))) === true
  if ((isFinished(seen) && !isGoingOn) || isCleared(seen)) {
    const all = pod.spec.containers.every(({ name }) => runs.get(name)?.exit?.code === 0)
    return all && areInitsDone ? 'Succeeded' : 'Failed'
  }
  return haveRun ? 'Running' : 'Pending'
}

function containerStatus(seen: Seen, container: Container, isInit: boolean): ContainerStatus {
  const run = seen.runs.get(container.name)
  const former = seen.former.get(container.name)
  const image = seen.images.get(container.image)
  const health = seen.health.get(container.name)
  const state = stateOf(seen, container, run)
  const isUp = state.running !== undefined
  const isCompleted = isInit && run?.exit?.code === 0
  return {
    name: container.name,
    image: container.image,
    imageID: run?.imageId ?? (image?.state === 'ready' ? image.id : ''),
    ...(run === undefined ? {} : { containerID: containerId(run) }),
    ready: isInit && !isSidecar(container) ? isCompleted : isUp && health?.isReady === true,
    started: isUp && (health?.isStarted ?? false),
    restartCount: run?.attempt ?? (former === undefined ? 0 : former.attempt + 1),
    state,
    lastState: lastStateOf(run, state) ?? (former === undefined ? {} : BEGUN_ANEW),
    ...(run === undefined ? {} : givenTo(seen, container)),
    ...mountsOf(container),
    ...userOf(run),
  }
}

/** What is read-only is so with all that is mounted below it: a volume of which that cannot be said is not mounted. */
function mountsOf({ volumeMounts = [] }: Container): Pick<ContainerStatus, 'volumeMounts'> {
  if (volumeMounts.length === 0) return {}
  const shown = volumeMounts.map(({ name, mountPath, readOnly, recursiveReadOnly = 'Disabled' }): MountStatus => {
    if (readOnly !== true) return { name, mountPath }
    return { name, mountPath, readOnly, recursiveReadOnly: recursiveReadOnly === 'Disabled' ? 'Disabled' : 'Enabled' }
  })
  return { volumeMounts: shown }
}

function userOf(run: Run | undefined): Pick<ContainerStatus, 'user'> {
  if (run?.user === undefined) return {}
  const { uid, gid, groups } = run.user
  return { user: { linux: { uid, gid, supplementalGroups: groups } } }
}

/** What a container was given, as a node says it that can give it something else. */
function givenTo({ given }: Seen, { name }: Container): Pick<ContainerStatus, 'resources' | 'allocatedResources'> {
  const resources = given.get(name)
  if (resources === undefined) return {}
  return { resources, ...(resources.requests === undefined ? {} : { allocatedResources: resources.requests }) }
}

/** A container that looks into the pod is never ready: nothing depends on it. */
function guestStatus(seen: Seen, container: Container): ContainerStatus {
  const { started: _started, ...status } = containerStatus(seen, container, false)
  return { ...status, ready: false }
}

function stateOf(seen: Seen, container: Container, run: Run | undefined): ContainerState {
  const { pod } = seen
  const waiting = { waiting: { reason: pod.spec.initContainers?.length ? 'PodInitializing' : 'ContainerCreating' } }
  if (run && isAlive(run))
    return isBeingStarted(seen, container) ? waiting : { running: { startedAt: timeText(run.startedAtMs) } }
  if (!run && isInitialized(seen) && isCleared(seen)) return NEVER_SEEN
  const image = seen.images.get(container.image)
  if (image?.state === 'failed') return waitingFor(seen, container, image)
  const fault = seen.startFaults.get(container.name)
  if (fault && !run) return { waiting: { reason: fault.reason, message: fault.message } }
  // a kubelet says why its pod has no place in Events only; who reads the status alone is to see it, too
  const unplaced = seen.sandbox ? undefined : seen.setupFault
  if (unplaced && !run) return { waiting: { ...waiting.waiting, message: unplaced.message } }
  if (run === undefined && seen.former.has(container.name)) return { waiting: { reason: RESTARTED, message: ANEW } }
  if (run?.exit === undefined) return waiting
  // a sidecar that ended well is shown as it ended, though it will be started again
  const isDone = run.exit.code === 0 && pod.spec.initContainers?.some(({ name }) => name === container.name)
  const willRestart = isDone !== true && !isFinished(seen) && mayRestart(pod.spec, container, run.exit.code)
  const restarts = restartsAfter(run)
  if (!willRestart || pod.metadata.deletionTimestamp || restarts <= 1) return terminated(run)
  const delay = durationText(restartDelayMs(restarts))
  const message = `back-off ${delay} restarting failed container=${container.name} pod=${labelOf(pod)}`
  return { waiting: { reason: 'CrashLoopBackOff', message } }
}

/** Its program runs; it counts when its hook is through. */
function isBeingStarted({ inFlight }: Seen, { name, lifecycle }: Container): boolean {
  return lifecycle?.postStart !== undefined && inFlight.has(`start ${name}`)
}

/** An image that cannot be had: what was answered, or, while it is waited for the next attempt, that and what it was. */
function waitingFor(
  { nowMs, inFlight }: Seen,
  { image: name }: Container,
  { reason, message, retryAtMs }: ImageState & { readonly state: 'failed' },
): ContainerState {
  const isWaiting = nowMs < retryAtMs && !inFlight.has(`pull ${name}`)
  if (reason !== 'ErrImagePull' || !isWaiting) return { waiting: { reason, message } }
  return {
    waiting: { reason: 'ImagePullBackOff', message: `Back-off pulling image "${name}": ${reason}: ${message}` },
  }
}

function lastStateOf(run: Run | undefined, state: ContainerState): ContainerState | undefined {
  if (run?.exit && state.terminated === undefined) return terminated(run)
  return run?.previous?.exit ? terminated(run.previous) : undefined
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
