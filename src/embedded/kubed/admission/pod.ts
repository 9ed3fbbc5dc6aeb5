import { type JsonObject, listOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import { qosClassOf } from '../defaulting/pod.ts'
import { type Environment, timestamp } from '../environment.ts'
import { forbidden } from '../fault.ts'
import { applyLimitDefaults } from './limit-ranger.ts'
import { randomSuffix } from './random-name.ts'
import { admitAccount } from './service-account.ts'
import { applyRuntimeClass } from './runtime-class.ts'
import { type Obj, specOf, toldName } from '../object.ts'
import type { Resource } from '../resources/resource.ts'

const NOT_READY = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']

/** What admission adds to a new pod: account, priority, tolerations, phase and class. */
export function admitPod(env: Environment, call: Call, pod: Obj): void {
  const { resource } = call
  const spec = specOf(pod)
  if (!env.disabledPlugins.has('LimitRanger')) applyLimitDefaults(env, pod)
  if (!env.disabledPlugins.has('ServiceAccount')) admitAccount(env, resource, pod, () => randomSuffix(env))
  if (!env.disabledPlugins.has('Priority')) addPriority(env, resource, pod, spec)
  if (!env.disabledPlugins.has('DefaultTolerationSeconds')) addTolerations(spec)
  if (!env.disabledPlugins.has('RuntimeClass')) applyRuntimeClass(env, resource, pod, spec)
  pod.status = { phase: 'Pending', qosClass: qosClassOf(spec) }
  if (listOf(spec.schedulingGates).length > 0) pod.status.conditions = [gated(env.nowMs())]
}

/** What admission adds to a changed pod: what was added to the new one stays. */
export function admitChangedPod(env: Environment, pod: Obj, before: Obj): void {
  const [spec, old] = [specOf(pod), specOf(before)]
  if (!env.disabledPlugins.has('Priority'))
    for (const field of ['priority', 'preemptionPolicy']) if (old[field] !== undefined) spec[field] ??= old[field]
  if (!env.disabledPlugins.has('DefaultTolerationSeconds')) addTolerations(specOf(pod))
}

const gated = (nowMs: number): JsonObject => ({
  type: 'PodScheduled',
  status: 'False',
  lastProbeTime: null,
  lastTransitionTime: timestamp(nowMs),
  reason: 'SchedulingGated',
  message: 'Scheduling is blocked due to non-empty scheduling gates',
})

function addPriority(env: Environment, resource: Resource, pod: Obj, spec: JsonObject): void {
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

function addTolerations(spec: JsonObject): void {
  const tolerations = listOf(spec.tolerations)
  for (const key of NOT_READY) {
    const isTolerated = objectsOf(tolerations).some(
      (each) =>
        (each.key === key || (each.key ?? '') === '') && (each.effect === 'NoExecute' || (each.effect ?? '') === ''),
    )
    if (!isTolerated) tolerations.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 })
  }
  spec.tolerations = tolerations
}
