import { at, type Json, type JsonObject, numberOf, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { Obj } from '../object.ts'
import { AGE, type Column, NAME, spanOf } from './columns.ts'

type Summary = {
  readonly reason: string
  readonly ready: number
  readonly total: number
  readonly restarts: number
  readonly lastRestart: number | undefined
}

/** What `kubectl get pods` says of a pod's containers. */
export function summarize(pod: Obj): Summary {
  const status = objectOf(pod.status)
  const init = initialization(pod, status)
  let reason = init.reason ?? (stringOf(status.reason) || stringOf(status.phase))
  let restarts = init.restarts
  let lastRestart = init.lastRestart
  let ready = init.ready
  if (init.reason === undefined) {
    restarts = 0
    lastRestart = undefined
    let hasRunning = false
    for (const container of objectsOf(status.containerStatuses).reverse()) {
      restarts += numberOf(container.restartCount) ?? 0
      lastRestart = latest(lastRestart, at(container, 'lastState', 'terminated', 'finishedAt'))
      const why = containerReason(container)
      if (why !== undefined) reason = why
      else if (container.ready === true && objectOf(container.state).running !== undefined) {
        hasRunning = true
        ready++
      }
    }
    if (reason === 'Completed' && hasRunning) reason = isReady(status) ? 'Running' : 'NotReady'
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

function isReady(status: JsonObject): boolean {
  return objectsOf(status.conditions).some(({ type, status: value }) => type === 'Ready' && value === 'True')
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

function initialization(
  pod: Obj,
  status: JsonObject,
): { reason: string | undefined; restarts: number; lastRestart: number | undefined; sidecars: number; ready: number } {
  const declared = objectsOf(objectOf(pod.spec).initContainers)
  const isSidecar = (name: Json | undefined): boolean =>
    declared.some((each) => each.name === name && each.restartPolicy === 'Always')
  const sidecars = declared.filter(({ restartPolicy }) => restartPolicy === 'Always').length
  let restarts = 0
  let ready = 0
  let lastRestart: number | undefined
  for (const [index, container] of objectsOf(status.initContainerStatuses).entries()) {
    restarts += numberOf(container.restartCount) ?? 0
    lastRestart = latest(lastRestart, at(container, 'lastState', 'terminated', 'finishedAt'))
    const { waiting, terminated } = objectOf(container.state)
    if (terminated !== undefined && objectOf(terminated).exitCode === 0) continue
    if (isSidecar(container.name) && container.started === true) {
      if (container.ready === true) ready++
      continue
    }
    if (terminated !== undefined)
      return { reason: `Init:${terminatedReason(objectOf(terminated))}`, restarts, lastRestart, sidecars, ready }
    const why = stringOf(objectOf(waiting).reason)
    const reason = why !== '' && why !== 'PodInitializing' ? `Init:${why}` : `Init:${index}/${declared.length}`
    return { reason, restarts, lastRestart, sidecars, ready }
  }
  return { reason: undefined, restarts, lastRestart, sidecars, ready }
}

const wide = (name: string, cell: Column['cell']): Column => ({
  name,
  type: 'string',
  format: '',
  priority: 1,
  description: '',
  cell,
})
const plain = (name: string, cell: Column['cell']): Column => ({ ...wide(name, cell), priority: 0 })

/** Columns of pods. */
export const POD_COLUMNS: readonly Column[] = [
  NAME,
  plain('Ready', (pod) => {
    const { ready, total } = summarize(pod)
    return `${ready}/${total}`
  }),
  plain('Status', (pod) => summarize(pod).reason),
  plain('Restarts', (pod, now) => {
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
