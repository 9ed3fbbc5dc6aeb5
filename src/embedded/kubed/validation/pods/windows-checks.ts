import { type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../../../../lib/kube/json.ts'
import { subdomainError } from '../../../../lib/kube/names.ts'
import type { FieldError } from '../../fault.ts'
import { type Check, forbid, invalidValue } from '../fault-list.ts'

const LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const
const MOST_SPEC_KIB = 64
const MOST_DOMAIN = 256
const MOST_USER = 104
const NETBIOS = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/
const DOMAIN_PART = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?'
const DOMAIN = new RegExp(`^${DOMAIN_PART}(?:\\.${DOMAIN_PART})*$`)
const BAD_IN_USER = /["/\\:;|=,+*?<>@[\]]/

/** What Windows does not know, of a pod's security and of a container's. */
const NOT_OF_PODS = [
  ...['appArmorProfile', 'seLinuxOptions', 'seccompProfile', 'fsGroup', 'fsGroupChangePolicy', 'sysctls', 'runAsUser'],
  ...['runAsGroup', 'supplementalGroups', 'supplementalGroupsPolicy', 'seLinuxChangePolicy'],
]
const NOT_OF_CONTAINERS = [
  ...['appArmorProfile', 'seLinuxOptions', 'seccompProfile', 'capabilities', 'readOnlyRootFilesystem', 'privileged'],
  ...['allowPrivilegeEscalation', 'procMount', 'runAsUser', 'runAsGroup'],
]

/** Checks of what pods and containers say of Windows alone. @see k8s.io/kubernetes/pkg/apis/core/validation validateWindowsSecurityContextOptions */
export const WINDOWS_CHECKS: Readonly<Record<string, Check>> = {
  'core.v1.WindowsSecurityContextOptions': (options, path, errors) => {
    const { gmsaCredentialSpecName: name, gmsaCredentialSpec: spec, runAsUserName: user } = options
    const why = typeof name === 'string' ? subdomainError(name) : undefined
    if (why !== undefined) invalidValue(errors, `${path}.gmsaCredentialSpecName`, name, why)
    if (spec === '')
      invalidValue(errors, `${path}.gmsaCredentialSpec`, spec, 'gmsaCredentialSpec cannot be an empty string')
    else if (Buffer.byteLength(stringOf(spec)) > MOST_SPEC_KIB * 1024)
      invalidValue(
        errors,
        `${path}.gmsaCredentialSpec`,
        spec,
        `gmsaCredentialSpec size must be under ${MOST_SPEC_KIB} KiB`,
      )
    if (typeof user !== 'string') return
    for (const fault of userFaults(user)) invalidValue(errors, `${path}.runAsUserName`, user, `runAsUserName${fault}`)
  },
}

function userFaults(text: string): string[] {
  if (text === '') return [' cannot be an empty string']
  // eslint-disable-next-line no-control-regex
  if (/[\x00-\x1f\x7f]/.test(text)) return [' cannot contain control characters']
  const parts = text.split('\\')
  if (parts.length > 2) return [' cannot contain more than one backslash']
  const user = parts.at(-1) ?? ''
  const domain = parts.length === 2 ? parts[0] : undefined
  const faults: string[] = []
  if ((domain ?? '').length >= MOST_DOMAIN) faults.push(`'s Domain length must be under ${MOST_DOMAIN} characters`)
  if (domain !== undefined && !NETBIOS.test(domain) && !DOMAIN.test(domain))
    faults.push("'s Domain doesn't match the NetBios nor the DNS format")
  if (user === '') faults.push("'s User cannot be empty")
  else if (user.length > MOST_USER) faults.push(`'s User length must not be longer than ${MOST_USER} characters`)
  if (/^[. ]+$/.test(user)) faults.push("'s User cannot contain only periods or spaces")
  if (BAD_IN_USER.test(user)) faults.push('\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]')
  return faults
}

/** All containers of a pod are processes of the host, or none is; then the pod has the host's network. */
export function checkHostProcesses(spec: JsonObject, path: string, errors: FieldError[]): void {
  const ofPod = hostProcessOf(spec)
  const all = contextsOf(spec, path)
  let count = 0
  for (const [at, context] of all) {
    const own = hostProcessOf({ securityContext: context })
    if (ofPod !== undefined && own !== undefined && own !== ofPod)
      invalidValue(
        errors,
        `${at}.windowsOptions.hostProcess`,
        own === true,
        `pod hostProcess value must be identical if both are specified, was ${String(ofPod)}`,
      )
    if ((own ?? ofPod) === true) count++
  }
  if (count === 0) return
  if (count !== all.length)
    invalidValue(
      errors,
      path,
      '',
      'If pod contains any hostProcess containers then all containers must be HostProcess containers',
    )
  if (spec.hostNetwork !== true)
    invalidValue(
      errors,
      `${path}.hostNetwork`,
      false,
      'hostNetwork must be true if pod contains any hostProcess containers',
    )
}

const hostProcessOf = ({ securityContext }: JsonObject): unknown =>
  objectOf(objectOf(securityContext).windowsOptions).hostProcess

/** A pod that names its system says nothing that only another has. */
export function checkSystem(spec: JsonObject, path: string, errors: FieldError[]): void {
  const ofPod: [string, JsonObject] = [`${path}.securityContext`, objectOf(spec.securityContext)]
  const { name } = objectOf(spec.os)
  if (name === 'linux')
    for (const [at, { windowsOptions }] of [ofPod, ...contextsOf(spec, path)])
      if (windowsOptions !== undefined)
        forbid(errors, `${at}.windowsOptions`, 'windows options cannot be set for a linux pod')
  if (name !== 'windows') return
  const refuse = (at: string): void => forbid(errors, at, 'cannot be set for a windows pod')
  const [at, context] = ofPod
  for (const field of NOT_OF_PODS) if (isSaid(context, field)) refuse(`${at}.${field}`)
  for (const field of ['hostUsers', 'hostPID', 'hostIPC', 'shareProcessNamespace'])
    if (spec[field] === true || (spec[field] === false && !field.startsWith('hostP') && field !== 'hostIPC'))
      refuse(`${path}.${field}`)
  for (const [where, own] of contextsOf(spec, path))
    for (const field of NOT_OF_CONTAINERS) if (own[field] !== undefined) refuse(`${where}.${field}`)
}

/** An empty list of system calls says nothing. */
const isSaid = (context: JsonObject, field: string): boolean =>
  field === 'sysctls' ? listOf(context[field]).length > 0 : context[field] !== undefined

function contextsOf(spec: JsonObject, path: string): [string, JsonObject][] {
  return LISTS.flatMap((list) =>
    objectsOf(spec[list]).map(({ securityContext }, index): [string, JsonObject] => [
      `${path}.${list}[${index}].securityContext`,
      objectOf(securityContext),
    ]),
  )
}
