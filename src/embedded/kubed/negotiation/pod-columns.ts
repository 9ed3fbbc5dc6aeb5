import { at, type Json, type JsonObject, numberOf, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { Obj } from '../object.ts'
import { AGE, type Column, NAME, spanOf, text } from './columns.ts'

type Summary = {
  readonly reason: string
  readonly ready: number
  readonly total: number
  readonly restarts: number
  readonly lastRestart: number | undefined
}

/** What `kubectl get pods` says of a pod's containers. */
function summarize(pod: Obj): Summary {
  const status = objectOf(pod.status)
  const init = initialization(pod, status)
  let reason = init.reason ?? waitingReason(status)
  let { restarts, lastRestart, ready } = init
  if (init.reason === undefined || isTrue(status, 'Initialized')) {
    restarts = init.sidecarRestarts
    lastRestart = init.lastSidecarRestart
    let hasRunning = false
    let errorReason = ''
    for (const container of objectsOf(status.containerStatuses).reverse()) {
      restarts += numberOf(container.restartCount) ?? 0
      lastRestart = latest(lastRestart, at(container, 'lastState', 'terminated', 'finishedAt'))
      const why = containerReason(container)
      if (why !== undefined) {
        reason = why
        if (hasFailed(container)) errorReason = why
      } else if (container.ready === true && objectOf(container.state).running !== undefined) {
        hasRunning = true
        ready++
      }
    }
    if (reason === 'Completed' && hasRunning && isTrue(status, 'Ready')) reason = 'Running'
    else if (reason === 'Completed') reason = errorReason || (hasRunning ? 'NotReady' : reason)
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (status.reason === 'NodeLost') reason = 'Unknown'
    else if (status.phase !== 'Failed' && status.phase !== 'Succeeded') reason = 'Terminating'
  }
  return {
    reason,
    ready,
    total: objectsOf(objectOf(pod.spec).containers).length + init.sidecars,
    restarts,
    lastRestart,
  }
}

function waitingReason(status: JsonObject): string {
  const isGated = objectsOf(status.conditions).some(
    ({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated',
  )
  return isGated ? 'SchedulingGated' : stringOf(status.reason) || stringOf(status.phase)
}

function isTrue(status: JsonObject, condition: string): boolean {
  return objectsOf(status.conditions).some(({ type, status: value }) => type === condition && value === 'True')
}

function hasFailed({ state }: JsonObject): boolean {
  const { waiting, terminated } = objectOf(state)
  const { exitCode } = objectOf(terminated)
  return stringOf(objectOf(waiting).reason) === '' && exitCode !== 0
}

function latest(a: number | undefined, time: Json | undefined): number | undefined {
  if (typeof time !== 'string') return a
  return Math.max(a ?? 0, Date.parse(time))
}

function containerReason(container: JsonObject): string | undefined {
  const { waiting, terminated } = objectOf(container.state)
  if (stringOf(objectOf(waiting).reason) !== '') return stringOf(objectOf(waiting).reason)
  if (terminated === undefined) return undefined
  return terminatedReason(objectOf(terminated))
}

function terminatedReason({ reason, signal, exitCode }: JsonObject): string {
  if (stringOf(reason) !== '') return stringOf(reason)
  return typeof signal === 'number' && signal !== 0 ? `Signal:${signal}` : `ExitCode:${String(exitCode ?? 0)}`
}

type Initialization = {
  readonly reason: string | undefined
  readonly restarts: number
  readonly lastRestart: number | undefined
  readonly sidecarRestarts: number
  readonly lastSidecarRestart: number | undefined
  readonly sidecars: number
  readonly ready: number
}

/** Goes through the init containers up to the first that is not done. */
function initialization(pod: Obj, status: JsonObject): Initialization {
  const declared = objectsOf(objectOf(pod.spec).initContainers)
  const sidecars = declared.filter(({ restartPolicy }) => restartPolicy === 'Always')
  const seen = { restarts: 0, sidecarRestarts: 0, ready: 0 }
  let lastRestart: number | undefined
  let lastSidecarRestart: number | undefined
  let reason: string | undefined
  for (const [index, container] of objectsOf(status.initContainerStatuses).entries()) {
    const isSidecar = sidecars.some(({ name }) => name === container.name)
    const restarts = numberOf(container.restartCount) ?? 0
    const endedAt = at(container, 'lastState', 'terminated', 'finishedAt')
    seen.restarts += restarts
    lastRestart = latest(lastRestart, endedAt)
    if (isSidecar) {
      seen.sidecarRestarts += restarts
      lastSidecarRestart = latest(lastSidecarRestart, endedAt)
    }
    reason = initReason(container, isSidecar, `${index}/${declared.length}`)
    if (reason !== undefined) break
    if (isSidecar && container.started === true && container.ready === true) seen.ready++
  }
  return { ...seen, reason, lastRestart, lastSidecarRestart, sidecars: sidecars.length }
}

/** Why the pod waits for this init container; undefined when it need not. */
function initReason({ state, started }: JsonObject, isSidecar: boolean, place: string): string | undefined {
  const { waiting, terminated } = objectOf(state)
  if (terminated !== undefined && objectOf(terminated).exitCode === 0) return undefined
  if (isSidecar && started === true) return undefined
  if (terminated !== undefined) return `Init:${terminatedReason(objectOf(terminated))}`
  const why = stringOf(objectOf(waiting).reason)
  return why !== '' && why !== 'PodInitializing' ? `Init:${why}` : `Init:${place}`
}

const wide = (name: string, cell: Column['cell']): Column => text(name, cell, 1)

/** Columns of pods. */
export const POD_COLUMNS: readonly Column[] = [
  NAME,
  text('Ready', (pod) => {
    const { ready, total } = summarize(pod)
    return `${ready}/${total}`
  }),
  text('Status', (pod) => summarize(pod).reason),
  text('Restarts', (pod, now) => {
    const { restarts, lastRestart } = summarize(pod)
    return restarts === 0 || lastRestart === undefined
      ? String(restarts)
      : `${restarts} (${spanOf(now - lastRestart)} ago)`
  }),
  AGE,
  wide('IP', (pod) => stringOf(at(pod, 'status', 'podIP')) || '<none>'),
  wide('Node', (pod) => stringOf(at(pod, 'spec', 'nodeName')) || '<none>'),
  wide('Nominated Node', (pod) => stringOf(at(pod, 'status', 'nominatedNodeName')) || '<none>'),
  wide('Readiness Gates', (pod) => {
    const gates = objectsOf(at(pod, 'spec', 'readinessGates'))
    const conditions = objectsOf(at(pod, 'status', 'conditions'))
    const met = gates.filter(({ conditionType }) =>
      conditions.some(({ type, status }) => type === conditionType && status === 'True'),
    )
    return gates.length === 0 ? '<none>' : `${met.length}/${gates.length}`
  }),
]
