import type { RunningContainer, Sandbox } from '../driver.ts'
import { LONGEST_PAUSE_MS, restartDelayMs } from './backoff.ts'
import { type Health, type ProbeKind, probeOf } from './probes/probe-state.ts'
import { type Capacity, resizesOf } from './resize.ts'
import { isSidecar, mayRestart, restartsAll } from './restart-policy.ts'
import { containersOf, type Container, type Pod, type Resources } from './shapes.ts'

/** What is known of an image that the pod needs. */
export type ImageState =
  | { readonly state: 'ready'; readonly id: string }
  | { readonly state: 'pulling' }
  | {
      readonly state: 'failed'
      readonly reason: string
      readonly message: string
      readonly retryAtMs: number
      readonly failures: number
    }

/** A thing that did not work and is tried again. */
export type Fault = {
  readonly reason: string
  readonly message: string
  readonly retryAtMs: number
  readonly failures: number
}

/** Why a pod was ended that would have gone on. */
export type Verdict = { readonly reason: string; readonly message: string }

/** The newest run of a container, and how many restarts it had in a row without ten quiet minutes. */
export type Run = Ended & {
  readonly restartsInARow: number
  readonly previous?: Ended
  /** It was in a place of the pod that is gone: in a new one the pod begins with its init containers. */
  readonly isElsewhere?: true
}

/** A container with what it said when it ended. */
export type Ended = RunningContainer & { readonly message?: string }

/** All that the decision looks at. */
export type Seen = {
  readonly nowMs: number
  readonly pod: Pod
  readonly sandbox: Sandbox | undefined
  /** What held the network of the pod is gone: containers that still run are in none that leads anywhere. */
  readonly isCutOff: boolean
  /** Sandbox, volumes: what stopped them the last time. */
  readonly setupFault: Fault | undefined
  readonly images: ReadonlyMap<string, ImageState>
  readonly runs: ReadonlyMap<string, Run>
  /** The last runs before all containers were started anew together; they count as having never been but for their number. */
  readonly former: ReadonlyMap<string, Run>
  /** Why a container could not be started the last time. */
  readonly startFaults: ReadonlyMap<string, Fault>
  readonly health: ReadonlyMap<string, Health>
  /** Containers that were told to stop, and when their patience ends; undefined while the preStop hook still runs. */
  readonly stopping: ReadonlyMap<string, { readonly killAtMs: number }>
  /** Why the node ends the pod before its time. */
  readonly evicted: Verdict | undefined
  /** Requests of the pod: still coming, running out, or over. */
  readonly drain: 'none' | 'running' | 'done'
  /** What the last run of a container was given, where that can be changed while it runs. */
  readonly given: ReadonlyMap<string, Resources>
  readonly capacity: Capacity
  /** Effects under way, by the key of their step. */
  readonly inFlight: ReadonlySet<string>
}

/** When an image is pulled. */
export type PullPolicy = 'Always' | 'IfNotPresent' | 'Never'

/** One thing to do for a pod; every step may be repeated without harm. */
export type Step =
  | { readonly do: 'setup' }
  | { readonly do: 'pull'; readonly image: string; readonly container: string; readonly policy: PullPolicy }
  | { readonly do: 'start'; readonly container: string; readonly attempt: number; readonly restartsInARow: number }
  | { readonly do: 'resize'; readonly container: string }
  | { readonly do: 'drain'; readonly timeoutMs: number }
  | { readonly do: 'stop'; readonly container: string; readonly graceMs: number; readonly why: string }
  | { readonly do: 'hurry'; readonly container: string; readonly graceMs: number }
  | { readonly do: 'kill'; readonly container: string }
  | { readonly do: 'reset' }
  | { readonly do: 'teardown' }
  | { readonly do: 'finish' }

/** What to do now, and when to look again although nothing happened. */
export type PodDecision = { readonly steps: readonly Step[]; readonly againAtMs: number | undefined }

/** Even who has waited for others to end is given this long before it is killed. */
const SHORTEST_GRACE_MS = 2_000

/** What is said of a pod that was ended by its deadline. */
export const LATE: Verdict = {
  reason: 'DeadlineExceeded',
  message: 'Pod was active on the node longer than the specified deadline',
}

/** The name under which a step is under way. */
export function keyOfStep(step: Step): string {
  if ('image' in step) return `pull ${step.image}`
  return 'container' in step ? `${step.do} ${step.container}` : step.do
}

/**
 * Decides what a pod needs next, from what is there and nothing else; the kubelet's life cycle.
 *
 * Deletion: drain, then preStop and SIGTERM, then patience, then SIGKILL, then the object. Else: place and volumes, init containers one after
 * the other, then all containers, each restarted by the pod's policy with growing pauses.
 */
export function decidePod(seen: Seen): PodDecision {
  const { steps, againAtMs } = seen.pod.metadata.deletionTimestamp === undefined ? advance(seen) : end(seen)
  return { steps: steps.filter((step) => !seen.inFlight.has(keyOfStep(step))), againAtMs }
}

function end(seen: Seen): PodDecision {
  const { deletionGracePeriodSeconds = 30, deletionTimestamp = '' } = seen.pod.metadata
  const graceMs = deletionGracePeriodSeconds * 1000
  if (aliveContainers(seen).length === 0) return now(seen.sandbox ? { do: 'teardown' } : { do: 'finish' })
  if (seen.drain !== 'done' && graceMs > 0) return now({ do: 'drain', timeoutMs: Math.min(graceMs / 2, 10_000) })
  // the time by which all are to be gone; who waited for others has the rest of it
  return stopAll(seen, graceMs, Date.parse(deletionTimestamp) - seen.nowMs)
}

function advance(seen: Seen): PodDecision {
  const { pod, nowMs } = seen
  const { deadlineAtMs, isOver } = lifeOf(seen)
  const graceMs = (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000
  // evicted pods have no grace: what they use too much of is needed by others
  if (seen.evicted !== undefined) return stopAll(seen, 0, 0)
  if (!isOver && isRestartingAll(seen)) return restartAll(seen)
  if (isOver || isFinished(seen) || isStranded(seen)) return stopAll(seen, graceMs, graceMs)
  const unwell = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].flatMap((container) => {
    const failed = isAlive(seen.runs.get(container.name)) ? seen.health.get(container.name)?.failed : undefined
    if (failed === undefined) return []
    const { terminationGracePeriodSeconds: own } = probeOf(container, failed) ?? {}
    const graceOfProbeMs = own === undefined ? graceMs : own * 1000
    return [stopContainer(seen, container.name, graceOfProbeMs, whyUnwell(pod, container, failed))]
  })
  const resized = resizesOf(seen).map(({ container, isRestart }) =>
    isRestart
      ? stopContainer(seen, container, graceMs, `Container ${container} resize requires restart`)
      : now({ do: 'resize', container }),
  )
  return together([
    ...unwell,
    ...resized,
    startNext(seen),
    ...startGuests(seen),
    { steps: [], againAtMs: deadlineAtMs === undefined ? undefined : Math.max(deadlineAtMs, nowMs) },
  ])
}

/** Whether containers run that must end before their pod is given a new place, for which they are started anew. */
function isStranded(seen: Seen): boolean {
  return seen.isCutOff && aliveContainers(seen).length > 0
}

/** Whether a container has ended in a way for which all of the pod are started anew. */
export function isRestartingAll({ pod: { spec }, runs }: Pick<Seen, 'pod' | 'runs'>): boolean {
  return [...(spec.initContainers ?? []), ...spec.containers].some((container) => {
    const exit = runs.get(container.name)?.exit
    return exit !== undefined && restartsAll(container, exit.code)
  })
}

/** All are ended at once, then all begin again in the order of a new pod; its place and its volumes stay. */
function restartAll(seen: Seen): PodDecision {
  const guests = new Set(seen.pod.spec.ephemeralContainers?.map(({ name }) => name))
  const alive = aliveContainers(seen).filter((name) => !guests.has(name))
  const isStarting = [...seen.inFlight].some((key) => key.startsWith('start '))
  if (alive.length === 0) return isStarting ? nothing : now({ do: 'reset' })
  return together(alive.map((name) => stopContainer(seen, name, 0, '')))
}

/** @see k8s.io/kubernetes/pkg/kubelet/kuberuntime (computeInitContainerActions, computePodActions) */
function whyUnwell(pod: Pod, container: Container, probe: ProbeKind): string {
  const isInit = pod.spec.initContainers?.some(({ name }) => name === container.name)
  if (isInit) return `Init container ${container.name} failed ${probe} probe`
  // what a probe ends has no exit code of its own yet
  const isBack = mayRestart(pod.spec, container, 137)
  return `Container ${container.name} failed ${probe} probe${isBack ? ', will be restarted' : ''}`
}

/** Containers first, then the sidecars one after the other, the last that was started first; each has at least two seconds. */
function stopAll(seen: Seen, graceMs: number, restMs: number): PodDecision {
  const { spec } = seen.pod
  const alive = aliveContainers(seen)
  const stop = (name: string, ms: number): PodDecision => stopContainer(seen, name, ms, `Stopping container ${name}`)
  if (graceMs <= 0) return together(alive.map((name) => stop(name, 0)))
  const sidecars = (spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name)
  const isWaitedFor = spec.containers.some(({ name }) => alive.includes(name))
  const next = isWaitedFor ? undefined : sidecars.findLast((name) => alive.includes(name))
  const isInTurn = (name: string): boolean => name === next || seen.stopping.has(name)
  const ofSidecarMs = Math.max(SHORTEST_GRACE_MS, Math.min(graceMs, Number.isNaN(restMs) ? graceMs : restMs))
  return together(
    alive.flatMap((name) => {
      if (!sidecars.includes(name)) return [stop(name, graceMs)]
      if (!isInTurn(name)) return []
      // the rest shrinks while it stops, which takes nothing from what it was given
      return [stop(name, seen.stopping.has(name) ? graceMs : ofSidecarMs)]
    }),
  )
}

function startNext(seen: Seen): PodDecision {
  const { pod } = seen
  if (seen.sandbox === undefined) return retried(seen, seen.setupFault, { do: 'setup' })
  const waiting: PodDecision[] = []
  for (const container of pod.spec.initContainers ?? []) {
    const run = seen.runs.get(container.name)
    const isAnew = run?.isElsewhere === true
    if (!isSidecar(container) && run?.exit?.code === 0 && !isAnew) continue
    if (isSidecar(container) && isAlive(run) && seen.health.get(container.name)?.isStarted) continue
    // once a container of the pod has run, a sidecar that ended does not hold the others back
    const decision = startOne(seen, container, isAnew)
    const hasRun = pod.spec.containers.some(({ name }) => isHere(seen.runs.get(name)))
    if (!isSidecar(container) || !hasRun) return decision
    waiting.push(decision)
  }
  return together([...waiting, ...pod.spec.containers.map((container) => startOne(seen, container))])
}

/** Containers that were added to look into the pod: started once, whatever the others do. */
function startGuests(seen: Seen): PodDecision[] {
  if (seen.sandbox === undefined) return []
  return (seen.pod.spec.ephemeralContainers ?? []).map((container) => startOne(seen, container))
}

/** @param isAnew whether it starts again though it ended well */
function startOne(seen: Seen, container: Container, isAnew = false): PodDecision {
  const run = seen.runs.get(container.name)
  if (isAlive(run)) return nothing
  if (run?.exit && !isAnew && !mayRestart(seen.pod.spec, container, run.exit.code)) return nothing
  const last = run ?? culprit(seen, container)
  const restartsInARow = last?.exit ? restartsAfter(last) : 0
  // what ended after now says that the clock was set back, and nothing of how long ago it was
  if (last?.exit && last.exit.atMs <= seen.nowMs) {
    const restartAtMs = last.exit.atMs + restartDelayMs(restartsInARow)
    if (restartAtMs > seen.nowMs) return { steps: [], againAtMs: restartAtMs }
  }
  const image = seen.images.get(container.image)
  const pull: Step = {
    do: 'pull',
    image: container.image,
    container: container.name,
    policy: pullPolicyOf(container),
  }
  if (image === undefined) return now(pull)
  if (image.state === 'pulling') return nothing
  if (image.state === 'failed') return retried(seen, image, pull)
  const before = run ?? seen.former.get(container.name)
  const attempt = before === undefined ? 0 : before.attempt + 1
  const start: Step = { do: 'start', container: container.name, attempt, restartsInARow }
  return retried(seen, seen.startFaults.get(container.name), start)
}

/** The run for whose end all were started anew: it alone waits as others that fail, lest a pod starts for ever without a pause. */
function culprit({ former }: Seen, container: Container): Run | undefined {
  const run = former.get(container.name)
  return run?.exit !== undefined && restartsAll(container, run.exit.code) ? run : undefined
}

function stopContainer(seen: Seen, container: string, graceMs: number, why: string): PodDecision {
  const stopping = seen.stopping.get(container)
  if (stopping === undefined)
    return now(graceMs > 0 ? { do: 'stop', container, graceMs, why } : { do: 'kill', container })
  // who is deleted by force while it has patience has none any more
  const isForced = graceMs <= 0 && stopping.killAtMs > seen.nowMs + SHORTEST_GRACE_MS
  if (isForced || seen.nowMs >= stopping.killAtMs) return now({ do: 'kill', container })
  // it was given more: before its pod was deleted with less, or before the clock was set back.
  if (stopping.killAtMs > seen.nowMs + graceMs + SHORTEST_GRACE_MS) return now({ do: 'hurry', container, graceMs })
  return { steps: [], againAtMs: stopping.killAtMs }
}

/** Whether its containers have come to their end by themselves and none will be started again; sidecars may still run. */
export function isFinished({ pod: { spec }, runs }: Pick<Seen, 'pod' | 'runs'>): boolean {
  const isOver = (container: Container): boolean => {
    const exit = runs.get(container.name)?.exit
    return exit !== undefined && !mayRestart(spec, container, exit.code)
  }
  const failedInit = (spec.initContainers ?? []).some(
    (container) => !isSidecar(container) && runs.get(container.name)?.exit?.code !== 0 && isOver(container),
  )
  return failedInit || spec.containers.every(isOver)
}

/** Whether nothing of a pod runs, and nothing is just being started: what its phase says now is the last word. */
export function isStill(seen: Seen): boolean {
  const isStarting = [...seen.inFlight].some((key) => key.startsWith('start '))
  return !isStarting && aliveContainers(seen).length === 0
}

/** Whether a pod that is being deleted has no container left, and none that is just being started. */
export function isCleared(seen: Seen): boolean {
  return seen.pod.metadata.deletionTimestamp !== undefined && isStill(seen)
}

/** Whether a pod has come to its end by itself or by its deadline, and when the deadline is. */
export function lifeOf({ pod, nowMs }: Pick<Seen, 'pod' | 'nowMs'>): {
  readonly deadlineAtMs: number | undefined
  readonly isOver: boolean
} {
  const isOver = pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded'
  const seconds = pod.spec.activeDeadlineSeconds
  if (seconds === undefined || pod.status?.startTime === undefined || isOver) return { deadlineAtMs: undefined, isOver }
  const deadlineAtMs = Date.parse(pod.status.startTime) + seconds * 1000
  return { deadlineAtMs, isOver: nowMs >= deadlineAtMs }
}

/** Why the pod ends before its time; undefined when it does not. */
export function verdictOf(seen: Seen): Verdict | undefined {
  const { deadlineAtMs, isOver } = lifeOf(seen)
  return seen.evicted ?? (isOver && deadlineAtMs !== undefined ? LATE : undefined)
}

/** Whether a run has not ended. */
export function isAlive(run: Run | undefined): boolean {
  return run !== undefined && run.exit === undefined
}

const isHere = (run: Run | undefined): boolean => run !== undefined && run.isElsewhere !== true

/** Restarts in a row that the next start will have: ten quiet minutes make it the first again. */
export function restartsAfter(run: Run): number {
  const ranMs = (run.exit?.atMs ?? run.startedAtMs) - run.startedAtMs
  return ranMs >= 600_000 ? 1 : run.restartsInARow + 1
}

/** The policy as it is told, else `Always` for the tag `latest` (or none). */
export function pullPolicyOf({ image, imagePullPolicy }: Pick<Container, 'image' | 'imagePullPolicy'>): PullPolicy {
  if (imagePullPolicy === 'Always' || imagePullPolicy === 'Never') return imagePullPolicy
  if (imagePullPolicy !== undefined) return 'IfNotPresent'
  return /(:latest|^[^@:]*|\/[^@:/]*)$/.test(image) ? 'Always' : 'IfNotPresent'
}

function aliveContainers({ pod, runs }: Seen): string[] {
  return containersOf(pod.spec)
    .map(({ name }) => name)
    .filter((name) => isAlive(runs.get(name)))
}

/** Nothing is put off for longer than the longest pause, whatever a clock that was set back says. */
function retried({ nowMs }: Seen, fault: { readonly retryAtMs: number } | undefined, step: Step): PodDecision {
  const isLater = fault !== undefined && fault.retryAtMs > nowMs && fault.retryAtMs <= nowMs + LONGEST_PAUSE_MS
  return isLater ? { steps: [], againAtMs: fault.retryAtMs } : now(step)
}

const nothing: PodDecision = { steps: [], againAtMs: undefined }

function now(step: Step): PodDecision {
  return { steps: [step], againAtMs: undefined }
}

function together(decisions: readonly PodDecision[]): PodDecision {
  const times = decisions.flatMap(({ againAtMs }) => againAtMs ?? [])
  return {
    steps: decisions.flatMap(({ steps }) => steps),
    againAtMs: times.length > 0 ? Math.min(...times) : undefined,
  }
}
