import type { Sysctl } from '../../driver.ts'
import type { Pod } from '../shapes.ts'

const ipv4 = (name: string): string => `net.ipv4.${name}`

/** Settings that touch nothing outside of the pod. @see https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/ */
const SAFE = new Set([
  'kernel.shm_rmid_forced',
  ...['ip_local_port_range', 'tcp_syncookies', 'ping_group_range', 'ip_unprivileged_port_start'].map(ipv4),
  ...['ip_local_reserved_ports', 'tcp_keepalive_time', 'tcp_fin_timeout', 'tcp_keepalive_intvl'].map(ipv4),
  ...['tcp_keepalive_probes', 'tcp_rmem', 'tcp_wmem'].map(ipv4),
])

/** The settings of the kernel that a pod asks for, by their names with dots. */
export function sysctlsOf({ spec }: Pod): readonly Sysctl[] {
  const asked = spec.securityContext?.sysctls ?? []
  return asked.map(({ name, value }) => ({ name: name.replaceAll('/', '.'), value }))
}

/** Why a pod is not let in for the settings that it asks for; undefined when it is. */
export function forbiddenSysctl(pod: Pod): string | undefined {
  const unsafe = sysctlsOf(pod).find(({ name }) => !SAFE.has(name))
  return unsafe && `forbidden sysctl: ${JSON.stringify(unsafe.name)} not allowlisted`
}
