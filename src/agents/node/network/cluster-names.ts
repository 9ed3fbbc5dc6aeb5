import type { KubeObject } from '../../../lib/kube/object.ts'
import { isReady, specOf, type Slice } from '../service-shapes.ts'
import type { DnsNames, DnsRecord } from '../keeper/dns.ts'

/**
 * The names of Services: addresses, ports by name, the pods of headless ones, what an ExternalName stands for, and the names of addresses.
 *
 * @see https://github.com/kubernetes/dns/blob/master/docs/specification.md
 */
export function namesOf(
  services: readonly KubeObject[],
  slicesOf: (service: KubeObject) => readonly Slice[],
): Required<DnsNames> {
  const names: Record<string, readonly string[]> = {}
  const records: Record<string, DnsRecord[]> = {}
  const add = (name: string, record: DnsRecord): void => void (records[name] = [...(records[name] ?? []), record])
  for (const service of services) {
    const name = `${service.metadata.name}.${service.metadata.namespace}.svc.cluster.local`
    const { type, externalName = '', ports = [] } = specOf(service)
    if (type === 'ExternalName') {
      add(name, { type: 'CNAME', target: externalName.toLowerCase() })
      continue
    }
    const ip = clusterIpOf(service)
    const pods = ip === undefined ? podsOf(slicesOf(service), name) : []
    names[name] = ip === undefined ? [...new Set(pods.flatMap(({ addresses }) => addresses))] : [ip]
    if (ip !== undefined) add(reverseOf(ip), { type: 'PTR', target: name })
    for (const pod of pods) {
      names[pod.name] = pod.addresses
      if (pod.hasHostname)
        for (const address of pod.addresses) add(reverseOf(address), { type: 'PTR', target: pod.name })
    }
    if (ip !== undefined)
      for (const port of ports.filter((each) => each.name))
        add(portName(port, name), { type: 'SRV', port: port.port, target: name })
    for (const pod of pods)
      for (const port of pod.ports) add(portName(port, name), { type: 'SRV', port: port.port, target: pod.name })
  }
  return { names, records }
}

/** The one IPv4 address of a Service; undefined for a headless one. */
export function clusterIpOf(service: KubeObject): string | undefined {
  const { clusterIP } = specOf(service)
  return clusterIP !== undefined && /^\d+(\.\d+){3}$/.test(clusterIP) ? clusterIP : undefined
}

type NamedPort = { readonly name?: string | null; readonly protocol?: string; readonly port: number }

type PodName = {
  readonly name: string
  readonly hasHostname: boolean
  readonly addresses: readonly string[]
  readonly ports: readonly NamedPort[]
}

function podsOf(slices: readonly Slice[], service: string): PodName[] {
  return slices.flatMap(({ endpoints, ports }) =>
    (endpoints ?? []).filter(isReady).map(({ hostname, addresses }) => ({
      name: `${hostname || (addresses[0] ?? '').replaceAll('.', '-')}.${service}`,
      hasHostname: Boolean(hostname),
      addresses,
      ports: (ports ?? []).flatMap((each) => (each.name && each.port ? [{ ...each, port: each.port }] : [])),
    })),
  )
}

function portName({ name, protocol = 'TCP' }: NamedPort, service: string): string {
  return `_${name}._${protocol.toLowerCase()}.${service}`
}

const reverseOf = (address: string): string => `${address.split('.').reverse().join('.')}.in-addr.arpa`
