import type { RunningContainer, Sandbox } from '../driver.ts'
import { restartDelayMs } from './backoff.ts'
import type { Health } from './probes/probe-state.ts'
import { type Capacity, resizesOf } from './resize.ts'
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

/** The newest run of a container, and how many restarts it had in a row without ten quiet minutes. */
export type Run = Ended & { readonly restartsInARow: number; readonly previous?: Ended }

/** A container with what it said when it ended. */
export type Ended = RunningContainer & { readonly message?: string }

/** All that the decision looks at. */
export type Seen = {
  readonly nowMs: number
  readonly pod: Pod
  readonly sandbox: Sandbox | undefined
  /** Sandbox, volumes: what stopped them the last time. */
  readonly setupFault: Fault | undefined
  readonly images: ReadonlyMap<string, ImageState>
  readonly runs: ReadonlyMap<string, Run>
  /** Why a container could not be started the last time. */
  readonly startFaults: ReadonlyMap<string, Fault>
  readonly health: ReadonlyMap<string, Health>
  /** Containers that were told to stop, and when their patience ends; undefined while the preStop hook still runs. */
  readonly stopping: ReadonlyMap<string, { readonly killAtMs: number }>
  /** Requests of the pod: still coming, running out, or over. */
  readonly drain: 'none' | 'running' | 'done'
  /** What the last run of a container was given, where that can be changed while it runs. */
  readonly given: ReadonlyMap<string, Resources>
  readonly capacity: Capacity
  /** Effects under way, by the key of their step. */
  readonly inFlight: ReadonlySet<string>
}

/** One thing to do for a pod; every step may be repeated without harm. */
export type Step =
  | { readonly do: 'setup' }
  | { readonly do: 'pull'; readonly image: string; readonly container: string; readonly always: boolean }
  | { readonly do: 'start'; readonly container: string; readonly attempt: number; readonly restartsInARow: number }
  | { readonly do: 'resize'; readonly container: string }
  | { readonly do: 'drain'; readonly timeoutMs: number }
  | { readonly do: 'stop'; readonly container: string; readonly graceMs: number; readonly why: string }
  | { readonly do: 'kill'; readonly container: string }
  | { readonly do: 'teardown' }
  | { readonly do: 'finish' }

/** What to do now, and when to look again although nothing happened. */
export type PodDecision = { readonly steps: readonly Step[]; readonly againAtMs: number | undefined }

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
  const graceMs = (seen.pod.metadata.deletionGracePeriodSeconds ?? 30) * 1000
  const alive = aliveContainers(seen)
  if (alive.length === 0) return now(seen.sandbox ? { do: 'teardown' } : { do: 'finish' })
  if (seen.drain !== 'done' && graceMs > 0) return now({ do: 'drain', timeoutMs: Math.min(graceMs / 2, 10_000) })
  return together(alive.map((name) => stopContainer(seen, name, graceMs, 'Stopping container')))
}

function advance(seen: Seen): PodDecision {
  const { pod, nowMs } = seen
  const { deadlineAtMs, isOver } = lifeOf(pod, nowMs)
  const graceMs = (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000
  if (isOver)
    return together(aliveContainers(seen).map((name) => stopContainer(seen, name, graceMs, 'the pod is over')))
  const unwell = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].flatMap(({ name }) => {
    const failed = isAlive(seen.runs.get(name)) ? seen.health.get(name)?.failed : undefined
    return failed === undefined ? [] : [stopContainer(seen, name, graceMs, failed)]
  })
  const resized = resizesOf(seen).map(({ container, isRestart }) =>
    isRestart
      ? stopContainer(seen, container, graceMs, `Container ${container} resize requires restart`)
      : now({ do: 'resize', container }),
  )
  const next = isFinished(seen) ? [] : [startNext(seen), ...startGuests(seen)]
  return together([...unwell, ...resized, ...next, { steps: [], againAtMs: deadlineAtMs }])
}

function startNext(seen: Seen): PodDecision {
  const { pod } = seen
  if (seen.sandbox === undefined) return retried(seen, seen.setupFault, { do: 'setup' })
  const waiting: PodDecision[] = []
  for (const container of pod.spec.initContainers ?? []) {
    const run = seen.runs.get(container.name)
    const isSidecar = container.restartPolicy === 'Always'
    if (!isSidecar && run?.exit?.code === 0) continue
    if (isSidecar && isAlive(run) && seen.health.get(container.name)?.isStarted) continue
    // once a container of the pod has run, a sidecar that ended does not hold the others back
    const decision = startOne(seen, container, isSidecar ? 'Always' : initPolicy(pod))
    if (!isSidecar || !pod.spec.containers.some(({ name }) => seen.runs.has(name))) return decision
    waiting.push(decision)
  }
  const policy = pod.spec.restartPolicy ?? 'Always'
  return together([...waiting, ...pod.spec.containers.map((container) => startOne(seen, container, policy))])
}

/** Containers that were added to look into the pod: started once, whatever the others do. */
function startGuests(seen: Seen): PodDecision[] {
  if (seen.sandbox === undefined) return []
  return (seen.pod.spec.ephemeralContainers ?? []).map((container) => startOne(seen, container, 'Never'))
}

function startOne(seen: Seen, container: Container, policy: string): PodDecision {
  const run = seen.runs.get(container.name)
  if (isAlive(run)) return nothing
  if (run?.exit && !mayRestart(policy, run.exit.code)) return nothing
  const restartsInARow = run?.exit ? restartsAfter(run) : 0
  if (run?.exit) {
    const restartAtMs = run.exit.atMs + restartDelayMs(restartsInARow)
    if (restartAtMs > seen.nowMs) return { steps: [], againAtMs: restartAtMs }
  }
  const image = seen.images.get(container.image)
  const always = pullsAlways(container)
  const pull: Step = { do: 'pull', image: container.image, container: container.name, always }
  if (image === undefined) return now(pull)
  if (image.state === 'pulling') return nothing
  if (image.state === 'failed') return retried(seen, image, pull)
  const attempt = run === undefined ? 0 : run.attempt + 1
  const start: Step = { do: 'start', container: container.name, attempt, restartsInARow }
  return retried(seen, seen.startFaults.get(container.name), start)
}

function stopContainer(seen: Seen, container: string, graceMs: number, why: string): PodDecision {
  const stopping = seen.stopping.get(container)
  if (stopping === undefined)
    return now(graceMs > 0 ? { do: 'stop', container, graceMs, why } : { do: 'kill', container })
  if (seen.nowMs >= stopping.killAtMs) return now({ do: 'kill', container })
  return { steps: [], againAtMs: stopping.killAtMs }
}

/** Whether nothing of the pod will ever run again. */
export function isFinished(seen: Pick<Seen, 'pod' | 'runs'>): boolean {
  const { pod, runs } = seen
  const policy = pod.spec.restartPolicy ?? 'Always'
  const isOver = (name: string, by: string): boolean => {
    const exit = runs.get(name)?.exit
    return exit !== undefined && !mayRestart(by, exit.code)
  }
  const failedInit = (pod.spec.initContainers ?? []).some(
    ({ name, restartPolicy }) =>
      restartPolicy !== 'Always' && runs.get(name)?.exit?.code !== 0 && isOver(name, initPolicy(pod)),
  )
  return failedInit || pod.spec.containers.every(({ name }) => isOver(name, policy))
}

/** Whether a pod that is being deleted has no container left, and none that is just being started: what its phase says now is the last word. */
export function isCleared(seen: Seen): boolean {
  const isStarting = [...seen.inFlight].some((key) => key.startsWith('start '))
  return seen.pod.metadata.deletionTimestamp !== undefined && !isStarting && aliveContainers(seen).length === 0
}

/** Whether a pod has come to its end by itself or by its deadline, and when the deadline is. */
export function lifeOf(
  pod: Pod,
  nowMs: number,
): { readonly deadlineAtMs: number | undefined; readonly isOver: boolean } {
  const isOver = pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded'
  const seconds = pod.spec.activeDeadlineSeconds
  if (seconds === undefined || pod.status?.startTime === undefined || isOver) return { deadlineAtMs: undefined, isOver }
  const deadlineAtMs = Date.parse(pod.status.startTime) + seconds * 1000
  return { deadlineAtMs, isOver: nowMs >= deadlineAtMs }
}

/** Whether a run has not ended. */
export function isAlive(run: Run | undefined): boolean {
  return run !== undefined && run.exit === undefined
}

/** Restarts in a row that the next start will have: ten quiet minutes make it the first again. */
export function restartsAfter(run: Run): number {
  const ranMs = (run.exit?.atMs ?? run.startedAtMs) - run.startedAtMs
  return ranMs >= 600_000 ? 1 : run.restartsInARow + 1
}

/** `Always`, or no policy and the tag `latest` (or none). */
export function pullsAlways({ image, imagePullPolicy }: Pick<Container, 'image' | 'imagePullPolicy'>): boolean {
  if (imagePullPolicy !== undefined) return imagePullPolicy === 'Always'
  return /(:latest|^[^@:]*|\/[^@:/]*)$/.test(image)
}

function aliveContainers({ pod, runs }: Seen): string[] {
  return containersOf(pod.spec)
    .map(({ name }) => name)
    .filter((name) => isAlive(runs.get(name)))
}

function mayRestart(policy: string, code: number): boolean {
  return policy === 'Always' || (policy === 'OnFailure' && code !== 0)
}

function initPolicy(pod: Pod): string {
  return pod.spec.restartPolicy === 'Never' ? 'Never' : 'OnFailure'
}

function retried({ nowMs }: Seen, fault: { readonly retryAtMs: number } | undefined, step: Step): PodDecision {
  return fault === undefined || fault.retryAtMs <= nowMs ? now(step) : { steps: [], againAtMs: fault.retryAtMs }
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
