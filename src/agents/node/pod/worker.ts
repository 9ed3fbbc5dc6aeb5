import { cpus, totalmem } from 'node:os'
import { ApiError } from '../../../adapters/kube/api-error.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { RunningContainer } from '../driver.ts'
import { onceMore } from '../again.ts'
import type { NodeContext } from './context.ts'
import { decidePod, type Ended, isAlive, keyOfStep, lifeOf, type Run, type Seen, type Step } from './decide.ts'
import { healthOf } from './probes/probe-state.ts'
import type { Memory } from './memory.ts'
import { startProbing } from './probes/probing.ts'
import { containersOf, uidOf, type ContainerStatus, type Pod, type PodStatus, type Resources } from './shapes.ts'
import { keepVolumes, showsOther } from './keep-volumes.ts'
import { isDoubted, withOthersConditions } from './conditions.ts'
import { RESTARTED } from './status.ts'
import { perform } from './steps.ts'
import { startTelling, type Telling } from './tell.ts'
import { terminationMessage } from './content/termination.ts'
import { watchDisk } from './disk/watch-disk.ts'

/** One pod on this node. */
export type PodWorker = {
  readonly pod: () => Pod
  /** A newer version of the object. */
  readonly see: (pod: Pod) => void
  /** The object is gone: end everything at once. */
  readonly gone: () => void
  /** Something may have changed: look again. */
  readonly wake: () => void
  readonly latestAttempt: (container: string) => number | undefined
  readonly isAlive: (container: string) => boolean
  /** Stops looking; what runs goes on. */
  readonly close: () => Promise<void>
}

/** Starts the worker of a pod; `onFinished` is called when nothing of it is left. */
export function startPodWorker(context: NodeContext, first: Pod, onFinished: () => void): PodWorker {
  const memory = freshMemory(first)
  let cancelTimer: () => void = () => undefined
  const { wake, settled } = onceMore(async () => {
    if (!memory.isClosed) await look().catch(failed)
  })
  const failed = (error: unknown): void => {
    context.log(`node: pod ${memory.pod.metadata.namespace}/${memory.pod.metadata.name}: ${textOfError(error)}`)
    later(1_000)
  }
  const later = (afterMs: number): void => {
    cancelTimer()
    cancelTimer = context.clock.after(afterMs, wake)
  }
  const launch = (step: Step): void =>
    runStep(context, memory, step, {
      wake,
      failed: () => later(1_000),
      last() {
        stopTimers()
        onFinished()
      },
    })
  const status = startTelling(context, memory, { wake, failed })
  const look = async (): Promise<void> => {
    const againAtMs = await lookAt(context, memory, wake, { launch, tell: status.tell })
    cancelTimer()
    if (againAtMs !== undefined) later(Math.max(againAtMs - context.clock.nowMs(), 5))
  }
  wake()
  const watches = watchContent(context, memory, wake)
  const stopTimers = (): void => {
    memory.isClosed = true
    cancelTimer()
    watches.stop()
  }
  return {
    pod: () => memory.pod,
    see(pod) {
      if (showsOther(memory.pod, pod)) watches.soon()
      memory.pod = withOwnStatus(pod, memory.pod.status)
      wake()
    },
    gone() {
      memory.isGone = true
      memory.pod = withoutGrace(memory.pod)
      wake()
    },
    wake,
    latestAttempt: (container) => memory.runs.get(container)?.attempt,
    isAlive: (container) => isAlive(memory.runs.get(container)) && !memory.isClosed,
    async close() {
      stopTimers()
      for (const probing of memory.probing.values()) probing.stop()
      await settled()
      await status.settled()
    },
  }
}

/** A newer version of a pod as its node sees it: with what the node says of it, unless others say better. */
function withOwnStatus(pod: Pod, own: PodStatus | undefined): Pod {
  const isKept = own !== undefined && !isDoubted(own, pod.status)
  return { ...pod, status: isKept ? withOthersConditions(own, pod.status) : (pod.status ?? {}) }
}

/** Keeps what its volumes show as it is, and what it has on the disk within its limits. */
function watchContent(
  context: NodeContext,
  memory: Memory,
  wake: () => void,
): { readonly soon: () => void; readonly stop: () => void } {
  const volumes = keepVolumes(context, () => (memory.isClosed || memory.isGone ? undefined : memory))
  const isEnding = (): boolean =>
    memory.isClosed ||
    memory.pod.metadata.deletionTimestamp !== undefined ||
    lifeOf({ pod: memory.pod, nowMs: context.clock.nowMs() }).isOver
  const disk = watchDisk(
    context,
    () => (isEnding() ? undefined : memory.pod),
    (why) => {
      memory.evicted = why
      wake()
    },
  )
  return {
    soon: volumes.soon,
    stop() {
      volumes.stop()
      disk.stop()
    },
  }
}

/** Sees what is, says it, and starts what is to be done; answers when to look again. */
async function lookAt(
  context: NodeContext,
  memory: Memory,
  wake: () => void,
  { launch, tell }: { readonly launch: (step: Step) => void } & Pick<Telling, 'tell'>,
): Promise<number | undefined> {
  await observe(context, memory)
  // before anything is said: what was taken over keeps the health that it had
  keepProbing(context, memory, wake)
  const seen = seenOf(context, memory)
  const { steps, againAtMs } = decidePod(seen)
  const isTold = tell(
    seen,
    steps.some((step) => LAST_STEPS.has(step.do)),
  )
  // who cannot be told, or does not answer, holds nothing up but what takes away what is to be told
  for (const step of steps) if (isTold || !LAST_STEPS.has(step.do)) launch(step)
  return againAtMs
}

/** After these nobody can say any more how the containers ended. */
const LAST_STEPS: ReadonlySet<Step['do']> = new Set(['reset', 'teardown', 'finish'])

/** Runs one step beside the others and says how it went. */
function runStep(
  context: NodeContext,
  memory: Memory,
  step: Step,
  then: { readonly wake: () => void; readonly failed: () => void; readonly last: () => void },
): void {
  const key = keyOfStep(step)
  memory.inFlight.add(key)
  perform(context, memory, step)
    .finally(() => memory.inFlight.delete(key))
    .then(
      (isLast) => (isLast ? then.last() : then.wake()),
      (error: unknown) => {
        context.log(`node: ${key}: ${textOfError(error)}`)
        then.failed()
      },
    )
}

function withoutGrace(pod: Pod): Pod {
  const metadata = { ...pod.metadata, deletionTimestamp: 'gone', deletionGracePeriodSeconds: 0 }
  return { ...pod, metadata }
}

function freshMemory(pod: Pod): Memory {
  return {
    pod,
    isGone: false,
    isClosed: false,
    sandbox: undefined,
    place: undefined,
    setupFault: undefined,
    evicted: undefined,
    drain: 'none',
    images: new Map(),
    pulled: new Map(),
    runs: runsOfStatus(pod),
    former: formerOfStatus(pod),
    elsewhere: new Map(),
    restarts: new Map(),
    startFaults: new Map(),
    probing: new Map(),
    stopping: new Map(),
    given: givenOf(pod),
    inFlight: new Set(),
    messages: new Map(),
  }
}

function givenOf({ status }: Pod): Map<string, Resources> {
  const statuses = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])]
  return new Map(
    statuses.flatMap(({ name, resources }) => (resources === undefined ? [] : [[name, resources] as const])),
  )
}

/** The runs that the object's status speaks of: what an earlier node started. */
function runsOfStatus(pod: Pod): Map<string, Run> {
  return new Map(
    statusesOf(pod).flatMap(({ name, restartCount, imageID, state, lastState }) => {
      const ended = state.terminated ?? lastState.terminated
      const isKnown = ended !== undefined && !['ContainerStatusUnknown', RESTARTED].includes(ended.reason)
      if (state.running === undefined && !isKnown) return []
      const startedAtMs = Date.parse(state.running?.startedAt ?? ended?.startedAt ?? '') || 0
      const run = {
        uid: uidOf(pod),
        container: name,
        attempt: restartCount,
        imageId: imageID,
        startedAtMs,
        restartsInARow: 0,
      }
      if (state.running || !ended) return [[name, run] as const]
      return [
        [
          name,
          { ...run, exit: { code: ended.exitCode, signal: undefined, atMs: Date.parse(ended.finishedAt ?? '') || 0 } },
        ] as const,
      ]
    }),
  )
}

/** The runs before all containers were started anew, as far as the object's status tells. */
function formerOfStatus(pod: Pod): Map<string, Run> {
  return new Map(
    statusesOf(pod).flatMap(({ name, restartCount, imageID, lastState }) => {
      if (lastState.terminated?.reason !== RESTARTED) return []
      const at = { attempt: restartCount - 1, startedAtMs: 0, restartsInARow: 0 }
      return [[name, { uid: uidOf(pod), container: name, imageId: imageID, ...at }] as const]
    }),
  )
}

function statusesOf({ status = {} }: Pod): readonly ContainerStatus[] {
  const { initContainerStatuses = [], containerStatuses = [], ephemeralContainerStatuses = [] } = status
  return [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses]
}

/** Compares what the driver has with what we remember. */
async function observe(context: NodeContext, memory: Memory): Promise<void> {
  const { driver, clock } = context
  const uid = uidOf(memory.pod)
  const { sandboxes, containers } = await driver().list()
  memory.sandbox = sandboxes.find((sandbox) => sandbox.uid === uid)
  if (memory.sandbox === undefined) memory.place = undefined
  const mine = new Map<string, RunningContainer[]>()
  const isNow = ({ container, attempt }: RunningContainer): boolean =>
    attempt > (memory.former.get(container)?.attempt ?? -1)
  for (const container of containers)
    if (container.uid === uid && isNow(container))
      mine.set(container.container, [...(mine.get(container.container) ?? []), container])
  for (const [name, runs] of mine) {
    const [latest, previous] = runs.sort((a, b) => b.attempt - a.attempt)
    if (latest === undefined) continue
    const restartsInARow = memory.restarts.get(name) ?? 0
    const told = (run: RunningContainer): Ended => withMessage(context, memory, run)
    memory.runs.set(name, {
      ...told(latest),
      restartsInARow,
      ...(previous === undefined ? {} : { previous: told(previous) }),
    })
  }
  for (const [name, run] of memory.runs)
    if (isAlive(run) && !mine.has(name))
      memory.runs.set(name, { ...run, exit: { code: 137, signal: undefined, atMs: clock.nowMs() } })
  for (const name of memory.stopping.keys()) if (!isAlive(memory.runs.get(name))) memory.stopping.delete(name)
}

function withMessage({ driver }: NodeContext, { pod, messages }: Memory, run: RunningContainer): Ended {
  if (run.exit === undefined) return run
  const key = `${run.container}/${run.attempt}`
  const container = containersOf(pod.spec).find(({ name }) => name === run.container)
  const message = messages.get(key) ?? (container ? terminationMessage(driver(), run, container) : '')
  messages.set(key, message)
  return { ...run, message }
}

function seenOf({ clock }: NodeContext, memory: Memory): Seen {
  const isLeaving = memory.pod.metadata.deletionTimestamp !== undefined
  const nowMs = clock.nowMs()
  const aheadMs = nowMs - clock.monotonicMs()
  return {
    ...memory,
    nowMs,
    stopping: new Map([...memory.stopping].map(([name, { killAtMs }]) => [name, { killAtMs: killAtMs + aheadMs }])),
    capacity: { cpuMillis: (cpus().length || 1) * 1000, memoryBytes: totalmem() },
    // a place that was not made ready by us is made ready first, unless it is about to go
    sandbox: memory.place || isLeaving ? memory.sandbox : undefined,
    isCutOff: memory.sandbox === undefined,
    runs: new Map([...memory.runs].map(([name, run]) => [name, withPlace(memory, run)])),
    health: new Map([...memory.probing].map(([name, probing]) => [name, probing.health()])),
  }
}

function withPlace({ elsewhere }: Memory, run: Run): Run {
  return run.attempt <= (elsewhere.get(run.container) ?? -1) ? { ...run, isElsewhere: true } : run
}

/** Probes what runs, and only that. */
function keepProbing(context: NodeContext, memory: Memory, wake: () => void): void {
  const containers = [...memory.pod.spec.containers, ...(memory.pod.spec.initContainers ?? [])]
  for (const container of containers) {
    const run = memory.runs.get(container.name)
    const probing = memory.probing.get(container.name)
    if (probing && (!isAlive(run) || probing.attempt !== run?.attempt)) {
      probing.stop()
      memory.probing.delete(container.name)
    }
    if (run === undefined || !isAlive(run) || memory.sandbox === undefined || memory.probing.has(container.name))
      continue
    // what its hook has not let through yet is not asked
    if (container.lifecycle?.postStart !== undefined && memory.inFlight.has(`start ${container.name}`)) continue
    const { sandbox, pod } = memory
    const isLeaving = (): boolean => memory.pod.metadata.deletionTimestamp !== undefined
    const target = { pod, run, container, ip: sandbox.ip, isLeaving }
    memory.probing.set(
      container.name,
      startProbing(context, target, healthOf(memory.pod, container, run.attempt), wake),
    )
  }
}

function textOfError(error: unknown): string {
  if (error instanceof SluiceError || error instanceof ApiError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
