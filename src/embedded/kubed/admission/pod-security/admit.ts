import { at, isObject, type JsonObject, listOf, objectOf, objectsOf } from '../../../../lib/kube/json.ts'
import type { Call } from '../../request/call.ts'
import type { Environment } from '../../environment.ts'
import { type FieldError, forbidden, invalid } from '../../fault.ts'
import { type Obj, specOf } from '../../object.ts'
import { detailsOf, reasonsOf, violationsOf } from './checks.ts'
import { isSameLevel, isStricter, type LevelVersion, podPolicyOf, text } from './levels.ts'
import type { CheckedPod } from './words.ts'

const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  'apps/deployments': ['spec', 'template'],
  'apps/replicasets': ['spec', 'template'],
  'apps/statefulsets': ['spec', 'template'],
  'apps/daemonsets': ['spec', 'template'],
  '/replicationcontrollers': ['spec', 'template'],
  '/podtemplates': ['template'],
  'batch/jobs': ['spec', 'template'],
  'batch/cronjobs': ['spec', 'jobTemplate', 'spec', 'template'],
}
/** Writes of pods that change nothing of what is checked. */
const IGNORED = new Set(['binding', 'eviction', 'status'])

/**
 * Refuses pods that their namespace does not want, and warns of templates that will make such pods.
 *
 * @throws Fault 403, 422
 * @see admission plugin PodSecurity
 */
export function admitPodSecurity(env: Environment, call: Call, object: Obj, before: Obj | undefined): void {
  const { storageKey } = call.resource
  if (storageKey === '/namespaces') return admitNamespace(env, call, object, before)
  if (storageKey === '/pods') return admitPod(env, call, object, before)
  const path = TEMPLATES[storageKey]
  if (path === undefined || call.subresource !== '') return
  const template = at(object, ...path)
  if (isObject(template)) warn(call, policyFor(env, call.namespace).warn, podOf(template))
}

function admitPod(env: Environment, call: Call, pod: Obj, before: Obj | undefined): void {
  if (IGNORED.has(call.subresource) || (before !== undefined && !changesImages(specOf(pod), specOf(before)))) return
  const levels = policyFor(env, call.namespace)
  const checked = podOf(pod)
  const found = violationsOf(levels.enforce, checked)
  if (found.length > 0) {
    const why = `violates PodSecurity ${JSON.stringify(text(levels.enforce))}: ${detailsOf(found)}`
    throw forbidden(call.resource, pod.metadata.name, why)
  }
  warn(call, levels.warn, checked)
}

function warn(call: Call, level: LevelVersion, pod: CheckedPod): void {
  const found = violationsOf(level, pod)
  if (found.length > 0)
    call.warnings.push(`would violate PodSecurity ${JSON.stringify(text(level))}: ${detailsOf(found)}`)
}

const policyFor = (env: Environment, namespace: string): ReturnType<typeof podPolicyOf> =>
  podPolicyOf({ ...env.store.get('/namespaces', '', namespace)?.metadata.labels })

const podOf = ({ metadata, spec }: JsonObject): CheckedPod => ({
  annotations: objectOf(objectOf(metadata).annotations),
  spec: objectOf(spec),
})

/** Of a pod that is there only its images may change, and containers may come to look into it. */
function changesImages(spec: JsonObject, old: JsonObject): boolean {
  const lists = ['containers', 'initContainers']
  return (
    lists.some((list) => listOf(spec[list]).length !== listOf(old[list]).length) ||
    [...lists, 'ephemeralContainers'].some((list) =>
      objectsOf(spec[list]).some(({ name, image }, index) => {
        const was =
          list === 'ephemeralContainers'
            ? objectsOf(old[list]).find((each) => each.name === name)
            : objectsOf(old[list])[index]
        return was?.image !== image
      }),
    )
  )
}

/** The labels of a namespace must name levels; a stricter one tells of the pods that do not fit it. */
function admitNamespace(env: Environment, call: Call, namespace: Obj, before: Obj | undefined): void {
  if (call.subresource !== '') return
  const [errors, had]: [FieldError[], FieldError[]] = [[], []]
  const { enforce } = podPolicyOf({ ...namespace.metadata.labels }, errors)
  const old = podPolicyOf({ ...before?.metadata.labels }, had)
  const isAsBefore = before !== undefined && JSON.stringify(errors) === JSON.stringify(had)
  if (errors.length > 0 && !isAsBefore) throw invalid(call.resource, namespace.metadata.name, errors)
  if (before === undefined || isSameLevel(enforce, old.enforce) || enforce.level === 'privileged') return
  if (enforce.minor === old.enforce.minor && !isStricter(enforce.level, old.enforce.level)) return
  call.warnings.push(...warningsOfPods(env, namespace.metadata.name, enforce))
}

function warningsOfPods(env: Environment, namespace: string, enforce: LevelVersion): string[] {
  const names = new Map<string, string[]>()
  for (const pod of env.store.list('/pods', namespace)) {
    const reasons = reasonsOf(violationsOf(enforce, podOf(pod)))
    if (reasons !== '') names.set(reasons, [...(names.get(reasons) ?? []), pod.metadata.name])
  }
  if (names.size === 0) return []
  const told = [...names].map(([reasons, pods]) => {
    const [first = ''] = pods.sort()
    const others = pods.length - 1
    const count = others === 0 ? '' : ` (and ${others} other ${others === 1 ? 'pod' : 'pods'})`
    return `${first}${count}: ${reasons}`
  })
  const level = JSON.stringify(text(enforce))
  return [
    `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${level}`,
    ...told.sort(),
  ]
}
