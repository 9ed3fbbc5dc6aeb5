import { type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../../../../lib/kube/json.ts'
import { isSeccomp, seccompProfile } from './baseline.ts'
import {
  containersOf,
  contextOf,
  each,
  hasOwnUsers,
  isWindows,
  named,
  namesOf,
  type PodCheck,
  quoted,
  settersOf,
  uses,
} from './words.ts'

/** Kinds of volumes that the cluster itself fills, or that a claim stands before. */
const VOLUMES = [
  ...['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'image', 'persistentVolumeClaim', 'projected'],
  'secret',
]

/** No container gets more rights than it began with. */
export const allowPrivilegeEscalation: PodCheck = ({ spec }) => {
  const names = namesOf(containersOf(spec), (container) => contextOf(container).allowPrivilegeEscalation !== false)
  if (names.length === 0) return undefined
  const detail = `${named(names)} must set securityContext.allowPrivilegeEscalation=false`
  return { reason: 'allowPrivilegeEscalation != false', detail }
}

/** Containers give up all capabilities but one. */
export const dropsCapabilities: PodCheck = ({ spec }) => {
  const added = (container: JsonObject): string[] =>
    listOf(objectOf(contextOf(container).capabilities).add)
      .map(stringOf)
      .filter((name) => name !== 'NET_BIND_SERVICE')
  const all = containersOf(spec)
  const keep = namesOf(all, (each) => !listOf(objectOf(contextOf(each).capabilities).drop).includes('ALL'))
  const add = namesOf(all, (container) => added(container).length > 0)
  const details = [
    ...(keep.length > 0 ? [`${named(keep)} must set securityContext.capabilities.drop=["ALL"]`] : []),
    ...(add.length > 0
      ? [`${named(add)} must not include ${quoted(each(all.flatMap(added)))} in securityContext.capabilities.add`]
      : []),
  ]
  return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') }
}

/** Volumes of harmless kinds alone. */
export const restrictedVolumes: PodCheck = ({ spec }) => {
  const bad = objectsOf(spec.volumes).filter((volume) => !VOLUMES.some((kind) => volume[kind] !== undefined))
  if (bad.length === 0) return undefined
  const kindOf = (volume: JsonObject): string => Object.keys(volume).find((field) => field !== 'name') ?? 'unknown'
  const kinds = named(each(bad.map(kindOf)), 'restricted volume type')
  const names = bad.map(({ name }) => stringOf(name))
  return { reason: 'restricted volume types', detail: `${named(names, 'volume')} ${uses(names.length)} ${kinds}` }
}

/** Nobody is root. */
export const runAsNonRoot: PodCheck = ({ spec }) => {
  const reason = 'runAsNonRoot != true'
  const setters = settersOf(spec, (context) => context.runAsNonRoot === false)
  if (setters.length > 0)
    return { reason, detail: `${setters.join(' and ')} must not set securityContext.runAsNonRoot=false` }
  if (contextOf(spec).runAsNonRoot === true) return undefined
  const silent = namesOf(containersOf(spec), (container) => contextOf(container).runAsNonRoot === undefined)
  if (silent.length === 0) return undefined
  return { reason, detail: `pod or ${named(silent)} must set securityContext.runAsNonRoot=true` }
}

/** Nobody asks to be root. */
export const runAsUser: PodCheck = ({ spec }) => {
  const setters = settersOf(spec, (context) => context.runAsUser === 0)
  if (setters.length === 0) return undefined
  return { reason: 'runAsUser=0', detail: `${setters.join(' and ')} must not set runAsUser=0` }
}

/** Containers say how their system calls are filtered. */
export const setsSeccomp: PodCheck = (pod) => {
  const bad = seccompProfile(pod)
  if (bad !== undefined) return bad
  const { spec } = pod
  if (isSeccomp(objectOf(contextOf(spec).seccompProfile).type)) return undefined
  const silent = namesOf(containersOf(spec), (container) => contextOf(container).seccompProfile === undefined)
  if (silent.length === 0) return undefined
  const wanted = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
  return { reason: 'seccompProfile', detail: `pod or ${named(silent)} ${wanted}` }
}

/** What Windows does not know is not asked of its pods. */
export const notOfWindows =
  (check: PodCheck): PodCheck =>
  (pod) =>
    isWindows(pod.spec) ? undefined : check(pod)

/** What is harmless with users of the pod's own. */
export const ofHostUsers =
  (check: PodCheck): PodCheck =>
  (pod) =>
    hasOwnUsers(pod.spec) ? undefined : check(pod)
