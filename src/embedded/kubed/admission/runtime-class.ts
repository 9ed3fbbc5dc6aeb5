import { equal, type JsonObject, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { Environment } from '../environment.ts'
import { forbidden } from '../fault.ts'
import type { Obj } from '../object.ts'
import type { Resource } from '../resources/resource.ts'

/**
 * What the RuntimeClass of a new pod adds to it: overhead, and where it may run. In place.
 *
 * @throws Fault 403 when there is no such class, or the pod says otherwise
 * @see admission plugin RuntimeClass
 */
export function applyRuntimeClass(env: Environment, resource: Resource, pod: Obj, spec: JsonObject): void {
  const refuse = (why: string): Error => forbidden(resource, pod.metadata.name, why)
  const name = stringOf(spec.runtimeClassName)
  const found = name === '' ? undefined : env.store.get('node.k8s.io/runtimeclasses', '', name)
  if (name !== '' && found === undefined) throw refuse(`pod rejected: RuntimeClass ${JSON.stringify(name)} not found`)
  const { podFixed } = objectOf(found?.overhead)
  if (podFixed === undefined && spec.overhead !== undefined)
    throw refuse('pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead')
  if (podFixed !== undefined && spec.overhead !== undefined && !equal(spec.overhead, podFixed))
    throw refuse("pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
  if (podFixed !== undefined) spec.overhead = podFixed
  const { nodeSelector, tolerations } = objectOf(found?.scheduling)
  const own = objectOf(spec.nodeSelector)
  for (const [key, value] of Object.entries(objectOf(nodeSelector)))
    if (own[key] !== undefined && own[key] !== value)
      throw refuse(
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${stringOf(value)}; pod.spec.nodeSelector[${key}] = ${stringOf(own[key])}`,
      )
  if (nodeSelector !== undefined) spec.nodeSelector = { ...own, ...objectOf(nodeSelector) }
  if (tolerations !== undefined) spec.tolerations = [...objectsOf(spec.tolerations), ...objectsOf(tolerations)]
}
