import { clone, isObject, type Json, type JsonObject, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import { matchSelector } from '../../../lib/kube/selector.ts'
import type { Call } from '../call.ts'
import { type Environment, timestamp } from '../environment.ts'
import { badRequest, conflict, Fault } from '../fault.ts'
import { namespaceOf, type Obj, specOf } from '../object.ts'
import { remove, removalOf } from '../verbs/remove.ts'
import { afterWrite } from '../verbs/write.ts'

const SUCCESS: JsonObject = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }

/** POST of pods/binding: puts a pod on a node. */
export function bind(env: Environment, call: Call, pod: Obj, body: Json): JsonObject {
  const binding = objectOf(isObject(body) ? body : undefined)
  const target = objectOf(binding.target)
  const node = stringOf(target.name)
  const kind = stringOf(target.kind)
  if (stringOf(objectOf(binding.metadata).name) !== pod.metadata.name)
    throw badRequest('name in URL does not match name in Binding object')
  if (kind !== '' && kind !== 'Node')
    throw new Fault(
      500,
      '',
      `target.kind: Unsupported value: ${JSON.stringify(kind)}: supported values: "Node", "<empty>"`,
    )
  if (node === '') throw new Fault(500, '', 'target.name: Required value')
  const current = stringOf(specOf(pod).nodeName)
  if (pod.metadata.deletionTimestamp !== undefined)
    throw conflict(
      { group: '', kind: 'Pod', plural: 'pods/binding' },
      call.name,
      `pod ${call.name} is being deleted, cannot be assigned to a host`,
    )
  if (current !== '')
    throw conflict(
      { group: '', kind: 'Pod', plural: 'pods/binding' },
      call.name,
      `pod ${call.name} is already assigned to node ${JSON.stringify(current)}`,
    )
  const next = clone(pod)
  specOf(next).nodeName = node
  const status = isObject(next.status) ? next.status : {}
  const conditions = objectsOf(status.conditions).filter(({ type }) => type !== 'PodScheduled')
  status.conditions = [
    ...conditions,
    { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: timestamp(env.nowMs()) },
  ]
  next.status = status
  if (!call.dryRun) afterWrite(env, env.store.put(call.resource.storageKey, next), pod)
  return SUCCESS
}

/** POST of pods/eviction: deletes a pod unless a disruption budget forbids it. */
export function evict(env: Environment, call: Call, pod: Obj, body: Json): JsonObject {
  const options = isObject(body) && isObject(body.deleteOptions) ? body.deleteOptions : {}
  const name = stringOf(objectOf(isObject(body) ? body.metadata : undefined).name)
  if (name !== '' && name !== call.name) throw badRequest('name in URL does not match name in Eviction object')
  const phase = stringOf(objectOf(pod.status).phase)
  const isOver =
    phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending' || pod.metadata.deletionTimestamp !== undefined
  if (!isOver) checkBudgets(env, call, pod)
  remove(env, call, pod, removalOf(call, options))
  return SUCCESS
}

function checkBudgets(env: Environment, call: Call, pod: Obj): void {
  const budgets = env.store
    .list('policy/poddisruptionbudgets', namespaceOf(pod))
    .filter((budget) => matchSelector(specOf(budget).selector)(pod.metadata.labels))
  if (budgets.length > 1)
    throw new Fault(
      500,
      'InternalError',
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    )
  const [budget] = budgets
  if (budget === undefined) return
  const status = objectOf(budget.status)
  const allowed = typeof status.disruptionsAllowed === 'number' ? status.disruptionsAllowed : 0
  if (allowed <= 0)
    throw new Fault(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
      causes: [
        {
          reason: 'DisruptionBudget',
          message: `The disruption budget ${budget.metadata.name} needs ${String(status.desiredHealthy ?? 0)} healthy pods and has ${String(status.currentHealthy ?? 0)} currently`,
        },
      ],
    })
  if (call.dryRun) return
  const next = clone(budget)
  next.status = {
    ...status,
    disruptionsAllowed: allowed - 1,
    disruptedPods: { ...objectOf(status.disruptedPods), [pod.metadata.name]: timestamp(env.nowMs()) },
  }
  env.store.put('policy/poddisruptionbudgets', next)
}
