import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import type { Pod } from '../shapes.ts'

/** What the network files of a pod are made of. */
export type NetworkFacts = {
  readonly pod: Pod
  /** Address of the cluster's DNS server. */
  readonly dns: string
  readonly namespace: string
  readonly ip: string
}

/** The longest name of a host that Linux takes, and that a pod asks for in full. */
const LONGEST_NAME = 63
const LONGEST_FULL_NAME = 64

/**
 * The name that a pod has in its own network, and its domain; empty where it has none.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/pods/pod-hostname/
 */
export function hostnameOf({ metadata, spec }: Pod): { readonly name: string; readonly domain: string } {
  const cut = (name: string): string =>
    name.length <= LONGEST_NAME ? name : name.slice(0, LONGEST_NAME).replace(/[-.]+$/, '')
  if (spec.hostnameOverride !== undefined) return { name: cut(spec.hostnameOverride), domain: '' }
  const { namespace = 'default' } = metadata
  const domain = spec.subdomain ? `${spec.subdomain}.${namespace}.svc.cluster.local` : ''
  return { name: cut(spec.hostname || metadata.name), domain }
}

/** The name of the kernel for a pod: with its domain where it wants that. @throws SluiceError POD_CONFIG when that is too long */
export function kernelNameOf(pod: Pod): string {
  const { name, domain } = hostnameOf(pod)
  if (pod.spec.setHostnameAsFQDN !== true || domain === '') return name
  const full = `${name}.${domain}`
  if (full.length <= LONGEST_FULL_NAME) return full
  throw new SluiceError(
    'POD_CONFIG',
    `failed to construct FQDN from pod hostname and cluster domain, FQDN ${full} is too long (${LONGEST_FULL_NAME} characters is the max, ${full.length} characters requested)`,
  )
}

/** Writes `resolv.conf`, `hosts` and `hostname` of a pod. */
export function writeNetworkFiles(folder: string, facts: NetworkFacts): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'resolv.conf'), renderResolver(facts))
  writeFileSync(join(folder, 'hosts'), renderHosts(facts))
  writeFileSync(join(folder, 'hostname'), `${kernelNameOf(facts.pod)}\n`)
}

/**
 * The cluster's DNS server, unless the policy is `None`, with the domains of the cluster where that is asked for; what `dnsConfig` adds comes after, its
 * options before those of the same name. What programs would not read is left out.
 *
 * There is no other server that pods reach: `Default` has the cluster's, too, without its domains.
 * @see k8s.io/kubernetes/pkg/kubelet/network/dns
 */
export function renderResolver({ pod, dns, namespace }: NetworkFacts): string {
  const { dnsPolicy, dnsConfig: { nameservers = [], searches = [], options = [] } = {} } = pod.spec
  const isOfCluster = dnsPolicy !== 'None' && dnsPolicy !== 'Default'
  const domains = [`${namespace}.svc.cluster.local`, 'svc.cluster.local', 'cluster.local']
  const servers = new Set([...(dnsPolicy === 'None' ? [] : [dns]), ...nameservers])
  const search = withinLimits([...new Set([...(isOfCluster ? domains : []), ...searches])])
  const given = new Map(options.map(({ name, value }) => [name, value]))
  const known = new Map<string, string | undefined>([...(isOfCluster ? [['ndots', '5'] as const] : []), ...given])
  const shown = [...known].map(([name, value]) => (value ? `${name}:${value}` : name))
  return [
    ...(search.length > 0 ? [`search ${search.join(' ')}`] : []),
    ...[...servers].slice(0, MOST_SERVERS).map((server) => `nameserver ${server}`),
    ...(shown.length > 0 ? [`options ${shown.join(' ')}`] : []),
    '',
  ].join('\n')
}

const MOST_SERVERS = 3
const MOST_DOMAINS = 32
const LONGEST_DOMAIN = 253
const LONGEST_SEARCH = 2048

/** As many domains as resolvers take; some end their program at a longer one. */
function withinLimits(domains: readonly string[]): readonly string[] {
  const kept = domains.slice(0, MOST_DOMAINS).filter(({ length }) => length <= LONGEST_DOMAIN)
  while (kept.join(' ').length > LONGEST_SEARCH) kept.pop()
  return kept
}

/** The names that a pod knows without asking: its own, and its aliases. */
export function renderHosts({ pod, ip }: NetworkFacts): string {
  const { hostAliases = [] } = pod.spec
  const { name, domain } = hostnameOf(pod)
  const names = domain === '' ? name : `${name}.${domain}\t${name}`
  const six = ['::1\tlocalhost ip6-localhost ip6-loopback', 'fe00::0\tip6-localnet', 'fe00::0\tip6-mcastprefix']
  const own = [
    '127.0.0.1\tlocalhost',
    ...six,
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
    `${ip}\t${names}`,
    '',
  ]
  const more = hostAliases.map((alias) => `${alias.ip}\t${(alias.hostnames ?? []).join('\t')}\n`)
  const given = more.length === 0 ? '' : `\n# Entries added by HostAliases.\n${more.join('')}`
  return `# Kubernetes-managed hosts file.\n${own.join('\n')}${given}`
}
