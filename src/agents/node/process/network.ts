import type { NetworkTable } from '../keeper/messages.ts'
import type { Addresses } from './addresses.ts'
import type { LoopbackNames } from './shim.ts'

/** The cluster's Services as they are reached on loopback. */
export type LoopbackNetwork = {
  /** For the balancer. */
  readonly table: NetworkTable
  /** For programs, by name. */
  readonly names: LoopbackNames
  /** For programs, by cluster address. */
  readonly byClusterIp: ReadonlyMap<string, LoopbackNames[string]>
}

/** Gives every Service with a port a loopback address; headless ones keep the addresses of their pods. */
export function planLoopback(table: NetworkTable, addresses: Addresses): LoopbackNetwork {
  const names: Record<string, LoopbackNames[string]> = {}
  const byClusterIp = new Map<string, LoopbackNames[string]>()
  const ports = table.ports.map((port) => {
    if (!isOfService(port.key)) return port
    const at = port.key.lastIndexOf(':')
    const number = Number(port.key.slice(at + 1))
    const host = addresses.service(port.key.slice(0, at))
    const shown = addresses.port(number)
    const [namespace, name] = port.key.slice(0, at).split('/')
    const full = `${name}.${namespace}.svc.cluster.local`
    const entry = { host, ports: { ...names[full]?.ports, ...(shown === number ? {} : { [number]: shown }) } }
    names[full] = entry
    const [ip] = table.names[full] ?? []
    if (ip !== undefined) byClusterIp.set(ip, entry)
    return { ...port, listen: { host, port: shown } }
  })
  return { table: { ports, names: table.names }, names, byClusterIp }
}

/** Others are ports that pods ask for, which have no address of their own. */
const isOfService = (key: string): boolean => /:\d+$/.test(key)

/** `NAME_SERVICE_HOST` and `NAME_SERVICE_PORT`, with cluster addresses replaced by those that answer here. */
export function mapServiceEnv(
  env: readonly (readonly [string, string])[],
  { byClusterIp }: Pick<LoopbackNetwork, 'byClusterIp'>,
): Map<string, string> {
  const mapped = new Map(env)
  for (const [name, value] of env) {
    const found = name.endsWith('_SERVICE_HOST') ? byClusterIp.get(value) : undefined
    if (found === undefined) continue
    mapped.set(name, found.host)
    const prefix = name.replace(/_HOST$/, '_PORT')
    for (const [other, port] of env)
      if (other === prefix || other.startsWith(`${prefix}_`)) mapped.set(other, String(found.ports[port] ?? port))
  }
  return mapped
}
