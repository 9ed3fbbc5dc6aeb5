import { APP_ARMOR, LOCAL_PROFILE } from '../../../../lib/kube/app-armor.ts'
import { type JsonObject, objectOf, objectsOf, stringOf } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import type { Obj } from '../../object.ts'
import { forbid, invalidValue } from '../fault-list.ts'
import { checkDescending } from '../paths.ts'
import { own } from '../../../../lib/value/own.ts'

const MIRROR = 'kubernetes.io/config.mirror'
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost'
const POD_SECCOMP = 'seccomp.security.alpha.kubernetes.io/pod'
const SECCOMP = 'container.seccomp.security.alpha.kubernetes.io/'
const COST = /^(0|-\d+|[1-9]\d*)$/
const LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const

/** Annotations of a pod or template that mean something. @see k8s.io/kubernetes/pkg/apis/core/validation ValidatePodSpecificAnnotations */
export function checkPodAnnotations({ metadata, spec }: JsonObject, path: string, errors: FieldError[]): void {
  const annotations = annotationsOf(metadata)
  const pod = objectOf(spec)
  const mirror = annotations[MIRROR]
  if (mirror !== undefined && stringOf(pod.nodeName) === '')
    invalidValue(errors, `${path}[${MIRROR}]`, mirror, 'must set spec.nodeName if mirror pod annotation is set')
  const cost = annotations[DELETION_COST]
  if (cost !== undefined && !(COST.test(cost) && Math.abs(Number(cost) + 0.5) < 2 ** 31))
    invalidValue(errors, `${path}[${DELETION_COST}]`, cost, 'must be a 32bit integer')
  for (const [key, profile] of Object.entries(annotations))
    if (key === POD_SECCOMP || key.startsWith(SECCOMP)) checkSeccomp(profile, `${path}.${key}`, errors)
  for (const [key, profile] of Object.entries(annotations))
    if (key.startsWith(APP_ARMOR)) checkAppArmor(profile, key.slice(APP_ARMOR.length), pod, `${path}[${key}]`, errors)
}

const annotationsOf = (metadata: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(objectOf(objectOf(metadata as JsonObject).annotations)).map(([key, value]) => [
      key,
      stringOf(value),
    ]),
  )

function checkSeccomp(profile: string, path: string, errors: FieldError[]): void {
  if (['runtime/default', 'docker/default', 'unconfined'].includes(profile)) return
  if (profile.startsWith(LOCAL_PROFILE)) checkDescending(profile.slice(LOCAL_PROFILE.length), path, errors)
  else invalidValue(errors, path, profile, 'must be a valid seccomp profile')
}

function checkAppArmor(profile: string, container: string, pod: JsonObject, path: string, errors: FieldError[]): void {
  if (!LISTS.some((list) => objectsOf(pod[list]).some(({ name }) => name === container)))
    invalidValue(errors, path, container, 'container not found')
  if (!['', 'runtime/default', 'unconfined'].includes(profile) && !profile.startsWith(LOCAL_PROFILE))
    invalidValue(errors, path, profile, `invalid AppArmor profile name: ${JSON.stringify(profile)}`)
}

/** What a pod says by annotations of who runs it never changes. */
export function checkAnnotationChange(object: Obj, before: Obj, errors: FieldError[]): void {
  const [wanted, had] = [object, before].map(({ metadata }) => annotationsOf(metadata)) as [
    Record<string, string>,
    Record<string, string>,
  ]
  const tell = (key: string, verb: string): void => {
    if (key.startsWith(APP_ARMOR))
      forbid(errors, `metadata.annotations[${key}]`, `may not ${verb} AppArmor annotations`)
    if (key === MIRROR) forbid(errors, `metadata.annotations[${key}]`, `may not ${verb} mirror pod annotation`)
  }
  for (const [key, value] of Object.entries(had)) if (wanted[key] !== value) tell(key, 'remove or update')
  for (const key of Object.keys(wanted)) if (had[key] === undefined) tell(key, 'add')
  checkPodAnnotations(object, 'metadata.annotations', errors)
}

/** Where a profile stands in an annotation and in a field, too, both must say the same. `path` is that of the spec. */
export function checkProfilesAgree({ metadata, spec }: JsonObject, path: string, errors: FieldError[]): void {
  const annotations = annotationsOf(metadata)
  const pod = objectOf(spec)
  const whole = objectOf(pod.securityContext)
  checkSame(annotations[POD_SECCOMP], whole.seccompProfile, 'seccomp', `${path}.securityContext`, errors)
  const containers = LISTS.flatMap((list) =>
    objectsOf(pod[list]).map((each, index): [string, JsonObject] => [
      `${path}.${list}[${index}].securityContext`,
      each,
    ]),
  )
  for (const [at, { name, securityContext }] of containers)
    checkSame(
      annotations[`${SECCOMP}${stringOf(name)}`],
      objectOf(securityContext).seccompProfile,
      'seccomp',
      at,
      errors,
    )
  if (objectOf(pod.os).name === 'windows') return
  for (const [at, { name, securityContext }] of containers) {
    const profile = objectOf(securityContext).appArmorProfile ?? whole.appArmorProfile
    checkSame(annotations[`${APP_ARMOR}${stringOf(name)}`], profile, 'apparmor', at, errors)
  }
}

const FIELDS = { seccomp: 'seccompProfile', apparmor: 'appArmorProfile' }
const WORDS: Readonly<Record<string, readonly string[]>> = {
  Unconfined: ['unconfined'],
  RuntimeDefault: ['runtime/default'],
}

function checkSame(
  annotation: string | undefined,
  profile: unknown,
  what: keyof typeof FIELDS,
  path: string,
  errors: FieldError[],
): void {
  if (annotation === undefined || profile === undefined) return
  const { type, localhostProfile } = objectOf(profile as JsonObject)
  const at = `${path}.${FIELDS[what]}`
  const words = own(WORDS, stringOf(type))
  const isOld = what === 'seccomp' && type === 'RuntimeDefault' && annotation === 'docker/default'
  const fits = type === 'Localhost' ? annotation.startsWith(LOCAL_PROFILE) : (words?.includes(annotation) ?? true)
  if (!fits && !isOld) forbid(errors, `${at}.type`, `${what} type in annotation and field must match`)
  else if (type === 'Localhost' && annotation.slice(LOCAL_PROFILE.length) !== localhostProfile)
    forbid(errors, `${at}.localhostProfile`, `${what} profile in annotation and field must match`)
}
