import { cpus, totalmem } from 'node:os'
import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import { isQuantityError, parseQuantity as readQuantity } from '../../../../lib/kube/quantity.ts'
import { goQuote } from '../../../../lib/value/go-quote.ts'
import type { Container, Pod } from '../shapes.ts'

/**
 * The value of a `fieldRef` of the downward API.
 *
 * @throws SluiceError POD_CONFIG for a field that the downward API does not have
 */
export function fieldValue(pod: Pod, path: string, ip: string, hostIp: string): string {
  const { metadata, spec } = pod
  const keyed = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path)
  if (keyed) return (keyed[1] === 'labels' ? metadata.labels : metadata.annotations)?.[keyed[2] ?? ''] ?? ''
  const list = (map: Readonly<Record<string, string>> | undefined): string =>
    Object.entries(map ?? {})
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => `${key}=${goQuote(value)}`)
      .join('\n')
  const known: Readonly<Record<string, string>> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace ?? '',
    'metadata.uid': metadata.uid ?? '',
    'metadata.labels': list(metadata.labels),
    'metadata.annotations': list(metadata.annotations),
    'spec.nodeName': spec.nodeName ?? '',
    'spec.serviceAccountName': spec.serviceAccountName ?? 'default',
    'status.podIP': ip,
    'status.podIPs': ip,
    'status.hostIP': hostIp,
    'status.hostIPs': hostIp,
  }
  const value = known[path]
  if (value === undefined) throw new SluiceError('POD_CONFIG', `"${path}" is no field of the downward API`)
  return value
}

/** What a container may use of this machine when nothing limits it. */
const WHOLE: Readonly<Record<string, () => string>> = {
  cpu: () => String(cpus().length || 1),
  memory: () => String(Math.floor(totalmem() / 1024) * 1024),
  'ephemeral-storage': () => '100Gi',
}

/** The container that a `resourceFieldRef` means; of a volume it is always named. @throws SluiceError POD_CONFIG when it is not there */
export function namedContainer(
  { spec }: Pod,
  { containerName: name = '' }: { readonly containerName?: string },
  own?: Container,
): Container | undefined {
  if (name === '') return own
  const found = [...spec.containers, ...(spec.initContainers ?? [])].find((container) => container.name === name)
  if (found !== undefined) return found
  throw new SluiceError('POD_CONFIG', `container ${name} not found`)
}

/**
 * The value of a `resourceFieldRef` in units of its divisor, rounded up; what is not limited is limited by the machine. As in the original processor
 * is counted in thousandths and everything else in whole units, divisors too.
 *
 * @throws SluiceError POD_CONFIG for a resource that the downward API does not have
 */
export function resourceValue(
  container: Container | undefined,
  { resource, divisor }: { readonly resource: string; readonly divisor?: string | number },
): string {
  const [, list, name = ''] = /^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.*)$/s.exec(resource) ?? []
  if (list === undefined) throw new SluiceError('POD_CONFIG', `unsupported container resource : ${resource}`)
  const count = (given: string | number | undefined): bigint => countOf(given, name === 'cpu')
  const { limits, requests } = container?.resources ?? {}
  const own = (list === 'limits' ? limits : requests)?.[name]
  const amount = list === 'limits' && nanosOf(own) === 0n ? WHOLE[name]?.() : own
  const unit = nanosOf(divisor) === 0n ? '1' : divisor
  return String(Math.ceil(Number(count(amount)) / Number(count(unit))))
}

function nanosOf(given: string | number | undefined): bigint {
  const quantity = readQuantity(given ?? 0)
  return isQuantityError(quantity) ? 0n : quantity.nano
}

function countOf(given: string | number | undefined, isCpu: boolean): bigint {
  const unit = isCpu ? 1_000_000n : 1_000_000_000n
  return (nanosOf(given) + unit - 1n) / unit
}

const UNITS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/** A Kubernetes quantity as a number: `250m` -> 0.25, `64Mi` -> 67108864; undefined for anything else. */
export function parseQuantity(value: string | number | undefined): number | undefined {
  if (value === undefined) return undefined
  const match = /^([+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?|\d+\.)([a-zA-Z]*)$/.exec(String(value))
  const unit = UNITS[match?.[2] ?? '']
  return match && unit !== undefined ? Number(match[1]) * unit : undefined
}
