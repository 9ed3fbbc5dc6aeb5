import { equal, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { Environment } from '../environment.ts'
import { Fault, forbidden } from '../fault.ts'
import { type Obj, specOf, toldName } from '../object.ts'
import type { Resource } from '../resources/resource.ts'

const refusal = (resource: Resource, pod: Obj, why: string): Fault => forbidden(resource, toldName(pod), why)

/** The class that a pod names; undefined where it names none. @throws Fault 403 when there is no such class */
function classOf(env: Environment, resource: Resource, pod: Obj): Obj | undefined {
  const name = specOf(pod).runtimeClassName
  if (typeof name !== 'string') return undefined
  if (name === '') throw new Fault(500, 'InternalError', 'resource name may not be empty')
  const found = env.store.get('node.k8s.io/runtimeclasses', '', name)
  if (found === undefined) throw refusal(resource, pod, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`)
  return found
}

/**
 * What the RuntimeClass of a new pod adds to it: overhead, and where it may run. In place.
 *
 * @throws Fault 403 when there is no such class, or the pod says otherwise
 * @see admission plugin RuntimeClass
 */
export function applyRuntimeClass(env: Environment, resource: Resource, pod: Obj): void {
  const spec = specOf(pod)
  const found = classOf(env, resource, pod)
  const { podFixed } = objectOf(found?.overhead)
  if (podFixed !== undefined && spec.overhead !== undefined && !equal(spec.overhead, podFixed))
    throw refusal(resource, pod, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
  if (podFixed !== undefined) spec.overhead = podFixed
  const { nodeSelector, tolerations } = objectOf(found?.scheduling)
  const own = objectOf(spec.nodeSelector)
  for (const [key, value] of Object.entries(objectOf(nodeSelector)))
    if (own[key] !== undefined && own[key] !== value)
      throw refusal(
        resource,
        pod,
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${stringOf(value)}; pod.spec.nodeSelector[${key}] = ${stringOf(own[key])}`,
      )
  if (nodeSelector !== undefined) spec.nodeSelector = { ...own, ...objectOf(nodeSelector) }
  if (tolerations !== undefined) spec.tolerations = [...objectsOf(spec.tolerations), ...objectsOf(tolerations)]
}

/** What a pod costs beside its containers comes from its class alone; asked after all other checks. @throws Fault 403 */
export function checkOverhead(env: Environment, resource: Resource, pod: Obj): void {
  if (specOf(pod).overhead === undefined) return
  if (objectOf(classOf(env, resource, pod)?.overhead).podFixed === undefined)
    throw refusal(resource, pod, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead')
}
