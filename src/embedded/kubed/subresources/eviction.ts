import { clone, type JsonObject, numberOf, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import { matchSelector } from '../../../lib/kube/selector.ts'
import type { Call } from '../request/call.ts'
import { decodeBodyKind } from '../decoding/body-kind.ts'
import { type Environment, timestamp } from '../environment.ts'
import { badRequest, Fault, forbidden, notFound } from '../fault.ts'
import { namespaceOf, type Obj, specOf } from '../object.ts'
import { type Removal, removalWith } from '../verbs/removal.ts'
import { checkPreconditions, remove } from '../verbs/remove.ts'
import { afterWrite } from '../upkeep/after-write.ts'

const SUCCESS: JsonObject = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }

/** POST of pods/eviction: deletes a pod unless a disruption budget forbids it. The name is checked before the pod is looked for. */
export function evict(env: Environment, call: Call, pod: Obj | undefined): JsonObject {
  const eviction = decodeBodyKind(env, call)
  const options = objectOf(eviction.deleteOptions)
  const { name } = eviction.metadata
  if (name !== call.name) throw badRequest('name in URL does not match name in Eviction object')
  if (pod === undefined) throw notFound(call.resource, call.name)
  const phase = stringOf(objectOf(pod.status).phase)
  const isUnprotected =
    phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending' || pod.metadata.deletionTimestamp !== undefined
  const removal = removalWith(call, options)
  if (!isUnprotected) checkBudgets(env, pod, removal.dryRun)
  const marked = removal.dryRun ? pod : markDisrupted(env, call, pod, removal)
  const { resourceVersion } = marked.metadata
  remove(env, call, marked, removal.resourceVersion === undefined ? removal : { ...removal, resourceVersion })
  return SUCCESS
}

/** Says on the pod why it ends, for those who ask how it ended. */
function markDisrupted(env: Environment, call: Call, pod: Obj, removal: Removal): Obj {
  checkPreconditions(call, pod, removal)
  const status = objectOf(pod.status)
  const conditions = objectsOf(status.conditions)
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: timestamp(env.nowMs()),
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
  }
  const isMarked = conditions.some(({ type, status: value }) => type === condition.type && value === 'True')
  if (isMarked) return pod
  const others = conditions.filter(({ type }) => type !== condition.type)
  const marked = env.store.put(call.resource.storageKey, {
    ...clone(pod),
    status: { ...status, conditions: [...others, condition] },
  })
  afterWrite(env, marked, pod)
  return marked
}

function checkBudgets(env: Environment, pod: Obj, isDryRun: boolean): void {
  const budgets = env.store
    .list('policy/poddisruptionbudgets', namespaceOf(pod))
    .filter((budget) => matchSelector(specOf(budget).selector)(pod.metadata.labels))
  if (budgets.length > 1)
    throw new Fault(
      500,
      '',
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    )
  const [budget] = budgets
  if (budget === undefined) return
  const status = objectOf(budget.status)
  if (!isReady(pod) && letsUnhealthyGo(budget, status)) return
  const { name, generation = 0 } = budget.metadata
  if ((numberOf(status.observedGeneration) ?? 0) < generation)
    throw violates(`The disruption budget ${name} is still being processed by the server.`, 10)
  const disrupted = objectOf(status.disruptedPods)
  if (Object.keys(disrupted).length > MOST_DISRUPTED) throw overwhelmed(name)
  const allowed = numberOf(status.disruptionsAllowed) ?? 0
  if (allowed <= 0) throw violates(whyNone(name, status))
  if (isDryRun) return
  const now = timestamp(env.nowMs())
  const next = clone(budget)
  next.status = {
    ...(allowed === 1 ? spent(status, now) : status),
    disruptionsAllowed: allowed - 1,
    disruptedPods: { ...disrupted, [pod.metadata.name]: now },
  }
  env.store.put('policy/poddisruptionbudgets', next)
}

/** So many evictions may wait for the controller of the budget. */
const MOST_DISRUPTED = 2000

/** Says in the condition what the last disruption leaves: nothing, until the controller counts again. */
function spent(status: JsonObject, now: string): JsonObject {
  const type = 'DisruptionAllowed'
  const conditions = objectsOf(status.conditions)
  const before = conditions.find((each) => each.type === type)
  const isSince = before?.status === 'False' && before.lastTransitionTime !== undefined
  const condition = {
    type,
    status: 'False',
    observedGeneration: status.observedGeneration ?? 0,
    lastTransitionTime: isSince ? (before.lastTransitionTime ?? now) : now,
    reason: 'InsufficientPods',
    message: '',
  }
  return {
    ...status,
    conditions: before ? conditions.map((each) => (each === before ? condition : each)) : [...conditions, condition],
  }
}

function overwhelmed(name: string): Fault {
  const why = 'DisruptedPods map too big - too many evictions not confirmed by PDB controller'
  const message = `The disruption budget ${name} does not allow evicting pods currently: too many pending evictions not confirmed by PDB controller`
  return forbidden({ group: 'policy', kind: 'PodDisruptionBudget', plural: 'poddisruptionbudget' }, name, why, [
    { reason: 'DisruptionBudget', message },
  ])
}

const isReady = (pod: Obj): boolean =>
  objectsOf(objectOf(pod.status).conditions).some(({ type, status }) => type === 'Ready' && status === 'True')

/** A pod that is not ready protects nobody. @see spec.unhealthyPodEvictionPolicy */
function letsUnhealthyGo(budget: Obj, status: JsonObject): boolean {
  const wanted = numberOf(status.desiredHealthy) ?? 0
  return (
    specOf(budget).unhealthyPodEvictionPolicy === 'AlwaysAllow' ||
    (wanted > 0 && (numberOf(status.currentHealthy) ?? 0) >= wanted)
  )
}

function violates(message: string, retryAfterSeconds?: number): Fault {
  return new Fault(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason: 'DisruptionBudget', message }],
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  })
}

/** Why a budget allows no disruption, in the real server's words. */
function whyNone(name: string, status: JsonObject): string {
  const refused = `The disruption budget ${name} does not allow evicting pods currently`
  const { reason, message } =
    objectsOf(status.conditions).find((each) => each.type === 'DisruptionAllowed' && each.status === 'False') ?? {}
  if (reason === 'SyncFailed' && stringOf(message) !== '')
    return `${refused} because it failed sync: ${stringOf(message)}`
  const wanted = numberOf(status.desiredHealthy) ?? 0
  const healthy = numberOf(status.currentHealthy) ?? 0
  if (healthy <= wanted)
    return `The disruption budget ${name} needs ${wanted} healthy pods and has ${healthy} currently`
  return stringOf(message) === '' ? refused : `${refused} (${stringOf(reason)}): ${stringOf(message)}`
}
