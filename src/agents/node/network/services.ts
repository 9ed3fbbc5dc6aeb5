import type { KubeObject } from '../../../lib/kube/object.ts'
import { clusterIpOf, namesOf } from './cluster-names.ts'
import type { NetworkTable, ServicePortTable, Target } from '../keeper/messages.ts'
import { isApiServer, isReady, isSlice, specOf, type ServiceSpec, type Slice } from '../service-shapes.ts'

/**
 * What the network must do for the Services as they stand: ready pods by port, those that still serve while they leave, and names.
 *
 * TCP and UDP; UDP only inside the cluster's network. `hasClusterIps` is false where pods have no network of their own. The API
 * server, which pods do not reach by its address, is behind `apiSocket`.
 */
export function planNetwork(
  services: readonly KubeObject[],
  slices: readonly KubeObject[],
  hasClusterIps: boolean,
  apiSocket?: string,
): NetworkTable {
  const byService = new Map<string, Slice[]>()
  for (const slice of slices.filter(isSlice)) {
    const key = `${slice.metadata.namespace}/${slice.metadata.labels?.['kubernetes.io/service-name']}`
    byService.set(key, [...(byService.get(key) ?? []), slice])
  }
  const keyOf = ({ metadata }: KubeObject): string => `${metadata.namespace}/${metadata.name}`
  const slicesOf = (service: KubeObject): readonly Slice[] => byService.get(keyOf(service)) ?? []
  const ports: ServicePortTable[] = []
  for (const service of services) {
    const { ports: servicePorts = [], type, ...spec } = specOf(service)
    if (type === 'ExternalName') continue
    const ip = clusterIpOf(service)
    for (const { name = '', port, protocol = 'TCP', nodePort } of servicePorts) {
      const listen = ip && hasClusterIps ? { host: ip, port } : undefined
      const isRelayed = apiSocket !== undefined && isApiServer(service)
      const targets = isRelayed ? relayed(apiSocket, port) : targetsOf(slicesOf(service), name)
      const onNodes = nodePort === undefined ? {} : { nodePort }
      const table = { key: portKeyOf(service, port, protocol), listen, ...onNodes, ...targets }
      if (protocol === 'TCP') ports.push({ ...table, ...affinityOf(spec) })
      if (protocol === 'UDP' && listen) ports.push({ ...table, protocol })
    }
  }
  return { ports, ...namesOf(services, slicesOf) }
}

const relayed = (path: string, port: number): Pick<ServicePortTable, 'ready' | 'serving'> => ({
  ready: [{ host: 'kubernetes', port, path }],
  serving: [],
})

/** The key of the table of a Service's port. */
export function portKeyOf({ metadata }: KubeObject, port: number, protocol = 'TCP'): string {
  return `${metadata.namespace}/${metadata.name}:${port}${protocol === 'TCP' ? '' : `/${protocol.toLowerCase()}`}`
}

/** The key of a Service's port; its first port when none is named. */
export function portKey(service: KubeObject, port?: number): string | undefined {
  const ports = (specOf(service).ports ?? []).filter(({ protocol = 'TCP' }) => protocol === 'TCP')
  const found = port === undefined ? ports[0] : ports.find((candidate) => candidate.port === port)
  return found && portKeyOf(service, found.port)
}

function affinityOf({ sessionAffinity, sessionAffinityConfig }: ServiceSpec): { readonly affinityMs?: number } {
  if (sessionAffinity !== 'ClientIP') return {}
  return { affinityMs: (sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800) * 1000 }
}

function targetsOf(slices: readonly Slice[], name: string): { ready: Target[]; serving: Target[] } {
  const ready: Target[] = []
  const serving: Target[] = []
  for (const slice of slices) {
    const port = (slice.ports ?? []).find((candidate) => (candidate.name ?? '') === name)?.port
    if (port === undefined || port === null) continue
    for (const endpoint of slice.endpoints ?? []) {
      const [host] = endpoint.addresses
      if (host === undefined) continue
      if (isReady(endpoint)) ready.push({ host, port })
      else if (endpoint.conditions?.serving === true && endpoint.conditions.terminating === true)
        serving.push({ host, port })
    }
  }
  return { ready, serving }
}
