import { clone, isObject, type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import { topologyLabels } from '../admission/topology-labels.ts'
import type { Call } from '../request/call.ts'
import { decodeBodyKind } from '../decoding/body-kind.ts'
import { type Environment, timestamp } from '../environment.ts'
import { badRequest, conflict, Fault, notFound, unknownResource } from '../fault.ts'
import { type Obj, specOf } from '../object.ts'
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
  const faults: string[] = []
  if (said !== '' && said !== 'Node')
    faults.push(`target.kind: Unsupported value: ${JSON.stringify(said)}: supported values: "Node", "<empty>"`)
  if (stringOf(name) === '') faults.push('target.name: Required value')
  const [first, ...others] = faults
  if (first !== undefined) throw new Fault(500, '', others.length === 0 ? first : `[${faults.join(', ')}]`)
}
