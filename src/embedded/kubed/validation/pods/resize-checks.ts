import { equal, type JsonObject, objectOf, objectsOf, stringOf } from '../../../../lib/kube/json.ts'
import { qosClassOf } from '../../defaulting/pod.ts'
import type { FieldError } from '../../fault.ts'
import { type Obj, specOf } from '../../object.ts'
import { forbid, invalidValue } from '../fault-list.ts'

const COMPUTE = ['cpu', 'memory']

/**
 * Checks what is wanted of a pod that runs: more or less of processor and memory, and nothing else.
 *
 * @see k8s.io/kubernetes/pkg/apis/core/validation ValidatePodResize
 */
export function checkResize(pod: Obj, before: Obj, errors: FieldError[]): void {
  const [spec, old] = [specOf(pod), specOf(before)]
  const status = objectOf(before.status)
  if (objectOf(old.os).name === 'windows') {
    errors.splice(0)
    return forbid(errors, '', 'windows pods cannot be resized')
  }
  const had = stringOf(status.qosClass) || qosClassOf(old)
  if (qosClassOf(spec) !== had)
    invalidValue(errors, 'spec', had, 'Pod QOS Class may not change as a result of resizing')
  const running = objectsOf(status.containerStatuses).find(({ state }) => objectOf(state).running !== undefined)
  if (running !== undefined && running.resources === undefined)
    forbid(errors, 'spec', 'Pod running on node without support for resize')
  if (!areSame(spec, old, errors)) return
  for (const list of ['initContainers', 'containers'])
    objectsOf(spec[list]).forEach((container, index) => {
      const other = objectsOf(old[list])[index] ?? {}
      for (const amounts of ['requests', 'limits'] as const)
        if (isRemoved(amountsOf(container, amounts), amountsOf(other, amounts)))
          forbid(errors, `spec.${list}[${index}].resources.${amounts}`, `resource ${amounts} cannot be removed`)
    })
  checkOthers(spec, old, errors)
}

/** Answers false where containers came, went or changed places. */
function areSame(spec: JsonObject, old: JsonObject, errors: FieldError[]): boolean {
  const before = errors.length
  for (const list of ['containers', 'initContainers']) {
    const [now, had] = [objectsOf(spec[list]), objectsOf(old[list])]
    if (now.length !== had.length) forbid(errors, `spec.${list}`, `${list} may not be added or removed on resize`)
    else
      had.forEach(({ name }, index) => {
        if (now[index]?.name !== name)
          forbid(errors, `spec.${list}[${index}].name`, `${list} may not be renamed or reordered on resize`)
      })
  }
  return errors.length === before
}

function checkOthers(spec: JsonObject, old: JsonObject, errors: FieldError[]): void {
  objectsOf(spec.containers).forEach((container, index) => {
    if (!isSameButCompute(container, objectsOf(old.containers)[index] ?? {}))
      forbid(errors, 'spec', 'only cpu and memory resources are mutable')
  })
  objectsOf(spec.initContainers).forEach((container, index) => {
    const other = objectsOf(old.initContainers)[index] ?? {}
    const at = `spec.initContainers[${index}]`
    if (!isSameButCompute(container, other))
      forbid(errors, at, 'only cpu and memory resources for init or sidecar containers are mutable')
    if (equal(amountsIn(container), amountsIn(other)) || container.restartPolicy === 'Always') return
    for (const { restartPolicy } of objectsOf(container.resizePolicy))
      if (restartPolicy === 'RestartContainer')
        forbid(errors, at, 'non-sidecar init containers with a resize policy of RestartContainer cannot be resized')
  })
}

const amountsOf = (container: JsonObject, list: 'requests' | 'limits'): JsonObject =>
  objectOf(objectOf(container.resources)[list])

const amountsIn = (container: JsonObject): JsonObject => ({
  requests: amountsOf(container, 'requests'),
  limits: amountsOf(container, 'limits'),
})

const isRemoved = (now: JsonObject, had: JsonObject): boolean =>
  Object.keys(had).some((name) => now[name] === undefined)

/** Whether two containers are the same but for their processors and memory. */
function isSameButCompute(now: JsonObject, had: JsonObject): boolean {
  const rest = (container: JsonObject): JsonObject => {
    const { requests, limits } = amountsIn(container)
    const others = (amounts: JsonObject | undefined): JsonObject =>
      Object.fromEntries(Object.entries(objectOf(amounts)).filter(([name]) => !COMPUTE.includes(name)))
    const resources = {
      ...objectOf(container.resources),
      requests: others(objectOf(requests)),
      limits: others(objectOf(limits)),
    }
    return { ...container, resources }
  }
  return equal(rest(now), rest(had))
}
