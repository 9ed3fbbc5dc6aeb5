import { internalForm } from '../../../../lib/kube-schema/go-types.ts'
import { type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import {
  type Check,
  checkRange,
  checkWord,
  duplicate,
  HIGHEST_ID,
  invalidValue,
  type Place,
  required,
  unsupported,
} from '../fault-list.ts'
import { checkDescending } from '../paths.ts'

const PROFILES = ['Localhost', 'RuntimeDefault', 'Unconfined']
const SYSCTL = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/
const SYSCTL_TEXT = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$'
const IPC_SYSCTLS = /^(kernel[./]shm|kernel[./]msg|kernel[./]sem|fs[./]mqueue[./])/

/** Checks of what pods and containers may do on their host. @see k8s.io/kubernetes/pkg/apis/core/validation ValidateSecurityContext */
export const SECURITY_CHECKS: Readonly<Record<string, Check>> = {
  'core.v1.SecurityContext': checkContext,
  'core.v1.SeccompProfile': (profile, path, errors) => {
    const { type, localhostProfile } = profile
    checkWord(type, `${path}.type`, PROFILES, errors, 'type is required when seccompProfile is set')
    const at = `${path}.localhostProfile`
    if (type !== 'Localhost') {
      if (localhostProfile !== undefined)
        invalidValue(
          errors,
          at,
          internalForm('core/SeccompProfile', profile),
          'can only be set when seccomp type is Localhost',
        )
    } else if (localhostProfile === undefined) required(errors, at, 'must be set when seccomp type is Localhost')
    else checkDescending(stringOf(localhostProfile), at, errors)
  },
  'core.v1.AppArmorProfile': ({ type, localhostProfile }, path, errors) => {
    checkWord(type, `${path}.type`, PROFILES, errors, 'type is required when appArmorProfile is set')
    const at = `${path}.localhostProfile`
    const name = stringOf(localhostProfile)
    if (type === 'Localhost') {
      if (name !== name.trim()) invalidValue(errors, at, name, 'must not be padded with whitespace')
      else if (name === '') required(errors, at, 'must be set when AppArmor type is Localhost')
    } else if (localhostProfile !== undefined && PROFILES.includes(stringOf(type)))
      invalidValue(errors, at, localhostProfile, 'can only be set when AppArmor type is Localhost')
  },
}

function checkContext(
  context: JsonObject,
  path: string,
  errors: FieldError[],
  below: (field: string) => void,
  place: Place | undefined,
): void {
  const { procMount, privileged, allowPrivilegeEscalation: escalates, capabilities } = context
  checkRange(context.runAsUser, `${path}.runAsUser`, errors, HIGHEST_ID)
  checkRange(context.runAsGroup, `${path}.runAsGroup`, errors, HIGHEST_ID)
  if (procMount !== undefined) {
    if (procMount !== 'Default' && procMount !== 'Unmasked')
      unsupported(errors, `${path}.procMount`, procMount, ['Default', 'Unmasked'])
    if (procMount === 'Unmasked' && place?.pod.hostUsers !== false)
      invalidValue(errors, `${path}.procMount`, procMount, '`hostUsers` must be false to use `Unmasked`')
  }
  below('seccompProfile')
  const printed = internalForm('core/SecurityContext', context)
  if (escalates === false && privileged === true)
    invalidValue(errors, path, printed, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true')
  if (escalates === false && listOf(objectOf(capabilities).add).includes('CAP_SYS_ADMIN'))
    invalidValue(
      errors,
      path,
      printed,
      'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN',
    )
}

/** The part of a pod's security that depends on the pod. */
export function checkPodContext(
  spec: JsonObject,
  path: string,
  errors: FieldError[],
  below: (field: string) => void,
): void {
  const context = objectOf(spec.securityContext)
  const { supplementalGroups, fsGroupChangePolicy, supplementalGroupsPolicy, seLinuxChangePolicy } = context
  for (const field of ['fsGroup', 'runAsUser', 'runAsGroup'])
    checkRange(context[field], `${path}.${field}`, errors, HIGHEST_ID)
  listOf(supplementalGroups).forEach((group, index) =>
    checkRange(group, `${path}.supplementalGroups[${index}]`, errors, HIGHEST_ID),
  )
  checkSysctls(spec, objectsOf(context.sysctls), `${path}.sysctls`, errors)
  const optional = (field: string, allowed: readonly string[]): void => {
    const value = context[field]
    if (value !== undefined && !allowed.includes(stringOf(value)))
      unsupported(errors, `${path}.${field}`, value, allowed)
  }
  if (fsGroupChangePolicy !== undefined) optional('fsGroupChangePolicy', ['Always', 'OnRootMismatch'])
  below('securityContext')
  if (supplementalGroupsPolicy !== undefined) optional('supplementalGroupsPolicy', ['Merge', 'Strict'])
  if (seLinuxChangePolicy !== undefined) optional('seLinuxChangePolicy', ['MountOption', 'Recursive'])
}

function checkSysctls(spec: JsonObject, sysctls: readonly JsonObject[], path: string, errors: FieldError[]): void {
  const names = new Set<string>()
  sysctls.forEach(({ name }, index) => {
    const text = stringOf(name)
    const at = `${path}[${index}].name`
    if (text === '') required(errors, at)
    else if (text.length > 253 || !SYSCTL.test(text))
      invalidValue(errors, at, text, `must have at most 253 characters and match regex ${SYSCTL_TEXT}`)
    else if (names.has(text)) duplicate(errors, at, text)
    names.add(text)
    if (spec.hostNetwork === true && /^net[./]/.test(text))
      invalidValue(errors, at, text, "may not be specified when 'hostNetwork' is true")
    else if (spec.hostIPC === true && IPC_SYSCTLS.test(text))
      invalidValue(errors, at, text, "may not be specified when 'hostIPC' is true")
  })
}
