import { APP_ARMOR } from '../../../../lib/kube/app-armor.ts'
import {
  type Json,
  type JsonObject,
  listOf,
  numberOf,
  objectOf,
  objectsOf,
  stringOf,
} from '../../../../lib/kube/json.ts'
import {
  containersOf,
  contextOf,
  each,
  hasOwnUsers,
  named,
  namesOf,
  type PodCheck,
  plural,
  quoted,
  settersOf,
  uses,
} from './words.ts'

const SECCOMP = ['seccomp.security.alpha.kubernetes.io/pod', 'container.seccomp.security.alpha.kubernetes.io/']
const CAPABILITIES = new Set([
  ...['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE', 'SETFCAP'],
  ...['SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'],
])
const SELINUX_TYPES = ['', 'container_t', 'container_init_t', 'container_kvm_t']
/** Settings of the kernel that a pod has of its own, by the version of Kubernetes from which on they are harmless. */
const SYSCTLS: readonly (readonly [minor: number, names: readonly string[]])[] = [
  [
    0,
    [
      ...['kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.tcp_syncookies'],
      ...['net.ipv4.ping_group_range', 'net.ipv4.ip_unprivileged_port_start'],
    ],
  ],
  [27, ['net.ipv4.ip_local_reserved_ports']],
  [
    29,
    [
      ...['net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_keepalive_intvl'],
      'net.ipv4.tcp_keepalive_probes',
    ],
  ],
  [32, ['net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem']],
  [37, ['net.ipv4.tcp_slow_start_after_idle', 'net.ipv4.tcp_notsent_lowat']],
]

/** A profile of system calls that keeps some of them from the pod. */
export const isSeccomp = (type: unknown): boolean => type === 'Localhost' || type === 'RuntimeDefault'

/** AppArmor stays on. */
export const appArmorProfile: PodCheck = ({ annotations, spec }) => {
  const typeOf = (context: JsonObject): string | undefined => {
    const { appArmorProfile: profile } = context
    const type = stringOf(objectOf(profile).type)
    return profile === undefined || isSeccomp(type) ? undefined : type
  }
  const setters = settersOf(spec, (context) => typeOf(context) !== undefined)
  const types = [spec, ...containersOf(spec)].flatMap((holder) => typeOf(contextOf(holder)) ?? [])
  const bad = Object.entries(annotations)
    .filter(([key, value]) => key.startsWith(APP_ARMOR) && !/^($|runtime\/default$|localhost\/)/.test(stringOf(value)))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
  const values = [...each(types), ...bad.sort()]
  if (bad.length > 0) setters.push(plural('annotation', bad.length))
  if (setters.length === 0) return undefined
  return {
    reason: plural('forbidden AppArmor profile', values.length),
    detail: `${setters.join(' and ')} must not set AppArmor profile type to ${quoted(values)}`,
  }
}

/** No capabilities beside those that a container engine gives. */
export const capabilities: PodCheck = ({ spec }) => {
  const badOf = (container: JsonObject): string[] =>
    listOf(objectOf(contextOf(container).capabilities).add)
      .map(stringOf)
      .filter((name) => !CAPABILITIES.has(name))
  const names = namesOf(containersOf(spec), (container) => badOf(container).length > 0)
  if (names.length === 0) return undefined
  const bad = quoted(each(containersOf(spec).flatMap(badOf)))
  return {
    reason: 'non-default capabilities',
    detail: `${named(names)} must not include ${bad} in securityContext.capabilities.add`,
  }
}

/** No namespaces of the host. */
export const hostNamespaces: PodCheck = ({ spec }) => {
  const set = ['hostNetwork', 'hostPID', 'hostIPC'].filter((field) => spec[field] === true)
  return set.length === 0
    ? undefined
    : { reason: 'host namespaces', detail: set.map((field) => `${field}=true`).join(', ') }
}

/** No folders of the host. */
export const hostPathVolumes: PodCheck = ({ spec }) => {
  const names = namesOf(objectsOf(spec.volumes), ({ hostPath }) => hostPath !== undefined)
  return names.length === 0 ? undefined : { reason: 'hostPath volumes', detail: named(names, 'volume') }
}

/** No ports of the host. */
export const hostPorts: PodCheck = ({ spec }) => {
  const portsOf = ({ ports }: JsonObject): string[] =>
    objectsOf(ports).flatMap(({ hostPort }) => ((numberOf(hostPort) ?? 0) === 0 ? [] : [String(hostPort)]))
  const names = namesOf(containersOf(spec), (container) => portsOf(container).length > 0)
  if (names.length === 0) return undefined
  const ports = each(containersOf(spec).flatMap(portsOf))
  const which = `${plural('hostPort', ports.length)} ${ports.join(', ')}`
  return { reason: 'hostPort', detail: `${named(names)} ${uses(names.length)} ${which}` }
}

/** Probes and hooks ask the pod alone. */
export const hostsOfProbes: PodCheck = ({ spec }) => {
  const hostsOf = (container: JsonObject): string[] => {
    const { postStart, preStop } = objectOf(container.lifecycle)
    return [container.livenessProbe, container.readinessProbe, container.startupProbe, postStart, preStop]
      .flatMap((handler) => [objectOf(handler).httpGet, objectOf(handler).tcpSocket])
      .map((action) => stringOf(objectOf(action).host))
      .filter((host) => host !== '')
  }
  const names = each(namesOf(containersOf(spec), (container) => hostsOf(container).length > 0))
  if (names.length === 0) return undefined
  const hosts = each(containersOf(spec).flatMap(hostsOf))
  return {
    reason: 'probe or lifecycle host',
    detail: `${named(names)} ${uses(names.length)} ${named(hosts, 'probe or lifecycle host')}`,
  }
}

/** No container is privileged. */
export const privileged: PodCheck = ({ spec }) => {
  const names = namesOf(containersOf(spec), (container) => contextOf(container).privileged === true)
  if (names.length === 0) return undefined
  return { reason: 'privileged', detail: `${named(names)} must not set securityContext.privileged=true` }
}

/** What `/proc` hides stays hidden. */
export const procMount: PodCheck = ({ spec }) => {
  const mountOf = (container: JsonObject): string => stringOf(contextOf(container).procMount ?? 'Default')
  const names = namesOf(containersOf(spec), (container) => mountOf(container) !== 'Default')
  if (names.length === 0) return undefined
  const bad = each(
    containersOf(spec)
      .map(mountOf)
      .filter((mount) => mount !== 'Default'),
  )
  return { reason: 'procMount', detail: `${named(names)} must not set securityContext.procMount to ${quoted(bad)}` }
}

/** Users of the pod's own make it harmless. */
export const procMountOfHostUsers: PodCheck = (pod) => (hasOwnUsers(pod.spec) ? undefined : procMount(pod))

/**
 * SELinux is not set to let the pod out.
 *
 * @param more types that are harmless, too
 */
export const seLinuxOptions =
  (more: readonly string[]): PodCheck =>
  ({ spec }) => {
    const optionsOf = (context: JsonObject): JsonObject => objectOf(context.seLinuxOptions)
    const isBadType = (type: Json | undefined): boolean => ![...SELINUX_TYPES, ...more].includes(stringOf(type))
    const isSet = (value: Json | undefined): boolean => stringOf(value) !== ''
    const setters = settersOf(spec, (context) => {
      const { type, user, role } = optionsOf(context)
      return isBadType(type) || isSet(user) || isSet(role)
    })
    if (setters.length === 0) return undefined
    const all = [spec, ...containersOf(spec)].map((holder) => optionsOf(contextOf(holder)))
    const types = each(all.filter(({ type }) => isBadType(type)).map(({ type }) => stringOf(type)))
    const why = [
      ...(types.length > 0 ? [named(types, 'type')] : []),
      ...(all.some(({ user }) => isSet(user)) ? ['user may not be set'] : []),
      ...(all.some(({ role }) => isSet(role)) ? ['role may not be set'] : []),
    ]
    const detail = `${setters.join(' and ')} set forbidden securityContext.seLinuxOptions: ${why.join('; ')}`
    return { reason: 'seLinuxOptions', detail }
  }

/** Before there was a field, annotations said it. */
export const seccompAnnotations: PodCheck = ({ annotations, spec }) => {
  const [ofPod = '', ofContainer = ''] = SECCOMP
  const keys = [ofPod, ...containersOf(spec).map(({ name }) => `${ofContainer}${stringOf(name)}`)]
  const bad = keys
    .filter((key) => annotations[key] !== undefined)
    .filter((key) => !/^(runtime\/default$|docker\/default$|localhost\/)/.test(stringOf(annotations[key])))
    .map((key) => `${key}=${JSON.stringify(annotations[key])}`)
  if (bad.length === 0) return undefined
  return {
    reason: 'seccompProfile',
    detail: `forbidden ${plural('annotation', bad.length)} ${each(bad).join(', ')}`,
  }
}

/** System calls stay filtered. */
export const seccompProfile: PodCheck = ({ spec }) => {
  const isBad = ({ seccompProfile: profile }: JsonObject): boolean =>
    profile !== undefined && !isSeccomp(objectOf(profile).type)
  const setters = settersOf(spec, isBad)
  if (setters.length === 0) return undefined
  const types = [spec, ...containersOf(spec)]
    .map(contextOf)
    .filter(isBad)
    .map((context) => stringOf(objectOf(context.seccompProfile).type))
  const detail = `${setters.join(' and ')} must not set securityContext.seccompProfile.type to ${quoted(each(types))}`
  return { reason: 'seccompProfile', detail }
}

/**
 * No settings of the kernel that reach beyond the pod.
 *
 * @param minor the version whose settings are allowed
 */
export const sysctls =
  (minor: number): PodCheck =>
  ({ spec }) => {
    const allowed = new Set(SYSCTLS.flatMap(([since, names]) => (since <= minor ? names : [])))
    const bad = objectsOf(contextOf(spec).sysctls)
      .map(({ name }) => stringOf(name))
      .filter((name) => !allowed.has(name))
    return bad.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: bad.join(', ') }
  }

/** No container is a process of the host. */
export const windowsHostProcess: PodCheck = ({ spec }) => {
  const setters = settersOf(spec, ({ windowsOptions }) => objectOf(windowsOptions).hostProcess === true)
  if (setters.length === 0) return undefined
  const detail = `${setters.join(' and ')} must not set securityContext.windowsOptions.hostProcess=true`
  return { reason: 'hostProcess', detail }
}
