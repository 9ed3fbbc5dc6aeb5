import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Pod } from '../shapes.ts'

/** What the network files of a pod are made of. */
export type NetworkFacts = {
  readonly pod: Pod
  /** Address of the cluster's DNS server. */
  readonly dns: string
  readonly name: string
  readonly namespace: string
  readonly ip: string
}

/** Writes `resolv.conf`, `hosts` and `hostname` of a pod. */
export function writeNetworkFiles(folder: string, facts: NetworkFacts): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'resolv.conf'), renderResolver(facts))
  writeFileSync(join(folder, 'hosts'), renderHosts(facts))
  writeFileSync(join(folder, 'hostname'), `${facts.name}\n`)
}

/** The cluster's DNS server, unless the policy is `None`; what `dnsConfig` adds comes after, its options before those of the same name. */
export function renderResolver({ pod, dns, namespace }: NetworkFacts): string {
  const { dnsPolicy, dnsConfig: { nameservers = [], searches = [], options = [] } = {} } = pod.spec
  const isOwn = dnsPolicy === 'None'
  const domains = [`${namespace}.svc.cluster.local`, 'svc.cluster.local', 'cluster.local']
  const servers = new Set([...(isOwn ? [] : [dns]), ...nameservers])
  const search = new Set([...(isOwn ? [] : domains), ...searches])
  const given = new Map(options.map(({ name, value }) => [name, value]))
  const known = new Map<string, string | undefined>([...(isOwn ? [] : [['ndots', '5'] as const]), ...given])
  const shown = [...known].map(([name, value]) => (value === undefined ? name : `${name}:${value}`))
  return [
    ...(search.size > 0 ? [`search ${[...search].join(' ')}`] : []),
    ...[...servers].map((server) => `nameserver ${server}`),
    ...(shown.length > 0 ? [`options ${shown.join(' ')}`] : []),
    '',
  ].join('\n')
}

function renderHosts({ pod, ip, name, namespace }: NetworkFacts): string {
  const { hostAliases = [], subdomain } = pod.spec
  const names = subdomain === undefined ? name : `${name}.${subdomain}.${namespace}.svc.cluster.local\t${name}`
  const own = `127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n${ip}\t${names}\n`
  const more = hostAliases.map((alias) => `${alias.ip}\t${(alias.hostnames ?? []).join('\t')}\n`)
  const given = more.length === 0 ? '' : `\n# Entries added by HostAliases.\n${more.join('')}`
  return `# Kubernetes-managed hosts file.\n${own}${given}`
}
