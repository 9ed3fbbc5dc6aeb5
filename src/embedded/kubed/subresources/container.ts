import { objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import { badRequest } from '../fault.ts'
import { type Obj, specOf } from '../object.ts'

/**
 * The container that a call means: the one it names, or a pod's only one besides its init containers.
 *
 * @throws Fault 400
 * @see k8s.io/kubernetes/pkg/registry/core/pod validateContainer
 */
export function containerOf(call: Pick<Call, 'name' | 'query'>, pod: Obj): string {
  const { initContainers, containers, ephemeralContainers } = specOf(pod)
  const names = (list: typeof containers): string[] => objectsOf(list).map(({ name }) => stringOf(name))
  const all = [...names(initContainers), ...names(containers), ...names(ephemeralContainers)]
  const wanted = call.query.get('container') ?? ''
  if (wanted !== '') {
    if (!all.includes(wanted)) throw badRequest(`container ${wanted} is not valid for pod ${call.name}`)
    return wanted
  }
  const [only, ...others] = names(containers)
  if (only !== undefined && others.length === 0) return only
  throw badRequest(`a container name must be specified for pod ${call.name}, choose one of: [${all.join(' ')}]`)
}
