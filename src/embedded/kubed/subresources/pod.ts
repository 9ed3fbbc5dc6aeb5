import {
  clone,
  isObject,
  type JsonObject,
  listOf,
  numberOf,
  objectOf,
  objectsOf,
  stringOf,
} from '../../../lib/kube/json.ts'
import { matchSelector } from '../../../lib/kube/selector.ts'
import { topologyLabels } from '../admission/topology-labels.ts'
import type { Call } from '../request/call.ts'
import { decodeBodyKind } from '../decoding/body-kind.ts'
import { type Environment, timestamp } from '../environment.ts'
import { badRequest, conflict, Fault, notFound, unknownResource } from '../fault.ts'
import { namespaceOf, type Obj, specOf } from '../object.ts'
import { removalWith } from '../verbs/removal.ts'
import { remove } from '../verbs/remove.ts'
import { afterWrite } from '../upkeep/after-write.ts'

const SUCCESS: JsonObject = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }

/** POST of bindings: the pod is named by the body. */
export function bindNamed(env: Environment, call: Call): JsonObject {
  const pods = env.registry.find('', 'v1', 'pods')
  const binding = decodeBodyKind(env, call)
  const { name } = binding.metadata
  if (name === '') throw badRequest('Name parameter required.')
  checkTarget(binding)
  if (pods === undefined) throw unknownResource()
  const pod = env.store.get(pods.storageKey, call.namespace, name)
  return bind(env, { ...call, resource: pods, name, subresource: 'binding' }, pod)
}

/** POST of pods/binding: puts a pod on a node. What the body says is checked before the pod is looked for. */
export function bind(env: Environment, call: Call, pod: Obj | undefined): JsonObject {
  const binding = decodeBodyKind(env, call)
  const node = stringOf(objectOf(binding.target).name)
  if (binding.metadata.name !== call.name) throw badRequest('name in URL does not match name in Binding object')
  checkTarget(binding)
  if (pod === undefined) throw notFound(call.resource, call.name)
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
  if (listOf(specOf(pod).schedulingGates).length > 0)
    throw conflict(
      { group: '', kind: 'Pod', plural: 'pods/binding' },
      call.name,
      `pod ${call.name} has non-empty .spec.schedulingGates`,
    )
  const next = clone(pod)
  specOf(next).nodeName = node
  takeMetadata(env, next, binding, node)
  const status = isObject(next.status) ? next.status : {}
  const conditions = objectsOf(status.conditions).filter(({ type }) => type !== 'PodScheduled')
  status.conditions = [
    ...conditions,
    { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: timestamp(env.nowMs()) },
  ]
  delete status.nominatedNodeName
  next.status = status
  if (!call.dryRun) afterWrite(env, env.store.put(call.resource.storageKey, next), pod)
  return SUCCESS
}

/** A binding may bring labels and annotations; the node says where in the world it is. */
function takeMetadata(env: Environment, { metadata }: Obj, binding: Obj, node: string): void {
  const labels = { ...objectOf(binding.metadata.labels), ...topologyLabels(env, node) }
  const annotations = objectOf(binding.metadata.annotations)
  if (Object.keys(labels).length > 0) metadata.labels = { ...metadata.labels, ...labels }
  if (Object.keys(annotations).length > 0) metadata.annotations = { ...metadata.annotations, ...annotations }
}

/** @throws Fault 500, which is what the real server makes of it */
function checkTarget({ target }: Obj): void {
  const { kind, name } = objectOf(target)
  const said = stringOf(kind)
  if (said !== '' && said !== 'Node') {
    const message = `target.kind: Unsupported value: ${JSON.stringify(said)}: supported values: "Node", "<empty>"`
    throw new Fault(500, '', message)
  }
  if (stringOf(name) === '') throw new Fault(500, '', 'target.name: Required value')
}

/** POST of pods/eviction: deletes a pod unless a disruption budget forbids it. The name is checked before the pod is looked for. */
export function evict(env: Environment, call: Call, pod: Obj | undefined): JsonObject {
  const eviction = decodeBodyKind(env, call)
  const options = objectOf(eviction.deleteOptions)
  const { name } = eviction.metadata
  if (name !== call.name) throw badRequest('name in URL does not match name in Eviction object')
  if (pod === undefined) throw notFound(call.resource, call.name)
  const phase = stringOf(objectOf(pod.status).phase)
  const isOver =
    phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending' || pod.metadata.deletionTimestamp !== undefined
  if (!isOver) checkBudgets(env, call, pod)
  remove(env, call, pod, removalWith(call, options))
  return SUCCESS
}

function checkBudgets(env: Environment, call: Call, pod: Obj): void {
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
  const allowed = numberOf(status.disruptionsAllowed) ?? 0
  if (allowed <= 0) throw violates(whyNone(name, status))
  if (call.dryRun) return
  const next = clone(budget)
  next.status = {
    ...status,
    disruptionsAllowed: allowed - 1,
    disruptedPods: { ...objectOf(status.disruptedPods), [pod.metadata.name]: timestamp(env.nowMs()) },
  }
  env.store.put('policy/poddisruptionbudgets', next)
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
