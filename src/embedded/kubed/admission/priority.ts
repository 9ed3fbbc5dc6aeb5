import { stringOf } from '../../../lib/kube/json.ts'
import type { Environment } from '../environment.ts'
import { forbidden } from '../fault.ts'
import { type Obj, specOf, toldName } from '../object.ts'
import type { Resource } from '../resources/resource.ts'

/** Gives a new pod the number of the class that it names, or of the default one. In place. @throws Fault 403 */
export function addPriority(env: Environment, resource: Resource, pod: Obj): void {
  const spec = specOf(pod)
  const classes = env.store.list('scheduling.k8s.io/priorityclasses')
  const named = spec.priorityClassName
  const chosen =
    typeof named === 'string' && named !== ''
      ? classes.find(({ metadata }) => metadata.name === named)
      : classes.find(({ globalDefault }) => globalDefault === true)
  if (typeof named === 'string' && named !== '' && chosen === undefined)
    throw forbidden(resource, toldName(pod), `no PriorityClass with name ${named} was found`)
  if (chosen !== undefined) spec.priorityClassName = chosen.metadata.name
  const priority = chosen?.value ?? 0
  if (spec.priority !== undefined && spec.priority !== priority)
    throw forbidden(
      resource,
      toldName(pod),
      `the integer value of priority (${String(spec.priority)}) must not be provided in pod spec; priority admission controller computed ${String(priority)} from the given PriorityClass name`,
    )
  spec.priority = priority
  const policy = chosen?.preemptionPolicy ?? 'PreemptLowerPriority'
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy)
    throw forbidden(
      resource,
      toldName(pod),
      `the string value of PreemptionPolicy (${stringOf(spec.preemptionPolicy)}) must not be provided in pod spec; priority admission controller computed ${stringOf(policy)} from the given PriorityClass name`,
    )
  spec.preemptionPolicy = policy
}

/** A changed pod keeps the priority that it was made with, unless it says another, which validation refuses. In place. */
export function keepPriority(pod: Obj, before: Obj): void {
  const [spec, old] = [specOf(pod), specOf(before)]
  for (const field of ['priority', 'preemptionPolicy']) if (old[field] !== undefined) spec[field] ??= old[field]
}
