import type { Cell, Delivery } from './delivery.ts'
import type { FactOf, Ledger } from './ledger.ts'

/** Which deliveries `history` shows. */
export type HistoryQuery = {
  readonly service?: string | undefined
  readonly environment?: string | undefined
  readonly limit: number
}

/** The deliveries, the newest first. */
export function historyOf(ledger: Ledger, query: HistoryQuery): readonly Delivery[] {
  const wanted = (delivery: Delivery): boolean =>
    (query.service === undefined || delivery.service === query.service) &&
    (query.environment === undefined || [delivery.environment, environmentName(delivery)].includes(query.environment))
  return [...ledger.deliveries.values()].filter(wanted).sort(newestFirst).slice(0, query.limit)
}

/** The deliveries that a commit (at least 4 digits of it), an image (`name:tag` or digest) or a pod belongs to, the newest first. */
export function traceOf(ledger: Ledger, what: string): readonly Delivery[] {
  const pods = [...ledger.pods.values()].filter((pod) => pod.pod === what || `${pod.namespace}/${pod.pod}` === what)
  const digests = new Set(pods.map((pod) => pod.digest))
  const isCommit = /^[0-9a-f]{4,40}$/.test(what)
  const wanted = (delivery: Delivery): boolean =>
    (isCommit && (delivery.commit.startsWith(what) || delivery.configCommit?.startsWith(what) === true)) ||
    (delivery.digest !== undefined && (digests.has(delivery.digest) || isDigest(delivery.digest, what))) ||
    isImage(delivery, what)
  return [...ledger.deliveries.values()].filter(wanted).sort(newestFirst)
}

/** Every service in every environment, as it is now; ordered by name. */
export function cellsOf(ledger: Ledger): readonly Cell[] {
  const delivered = [...ledger.deliveries.values()].map((delivery) => `${delivery.environment}/${delivery.service}`)
  const pods = [...ledger.pods.values()].filter((pod) => !pod.gone)
  return [...new Set([...ledger.workloads.keys(), ...delivered])].sort().map((key) => cellOf(ledger, key, pods))
}

/** What an environment is called: its Kustomization's name, the namespace where that is unknown. */
export function environmentName(of: {
  readonly environment: string
  readonly kustomization: string | undefined
}): string {
  return of.kustomization?.slice(of.kustomization.indexOf('/') + 1) ?? of.environment
}

function cellOf(ledger: Ledger, key: string, alive: readonly FactOf<'pod'>[]): Cell {
  const [environment = '', service = ''] = key.split('/')
  const all = [...ledger.deliveries.values()]
    .filter((delivery) => delivery.environment === environment && delivery.service === service)
    .filter((delivery) => delivery.kind !== 'drift')
    .sort(latestFirst)
  const delivery = all.find((candidate) => candidate.state !== 'superseded')
  const running = all.find((candidate) => candidate.state === 'done')
  const kustomization = ledger.workloads.get(key)?.kustomization ?? delivery?.kustomization
  const cause = delivery?.cause ?? environmentCause(ledger, kustomization, key) ?? ledger.policyCauses.get(key)
  const pods = alive.filter((pod) => pod.namespace === environment && pod.workload === service)
  const isDown = pods.length > 0 && !pods.some((pod) => pod.ready)
  return { service, environment, kustomization, delivery, running, cause, isDown }
}

function environmentCause(ledger: Ledger, kustomization: string | undefined, key: string): string | undefined {
  const { cause, concerned } = ledger.environments.get(kustomization ?? '') ?? {}
  return concerned === undefined || concerned.includes(key) ? cause : undefined
}

// The later started of two that began at the same time is the newer one.
function newestFirst(a: Delivery, b: Delivery): number {
  return a.startedAt < b.startedAt ? 1 : a.startedAt > b.startedAt ? -1 : 0
}

// What is on its way comes first; then what arrived or failed last: a delivery that started earlier may well arrive later.
function latestFirst(a: Delivery, b: Delivery): number {
  if ((a.state === 'running') !== (b.state === 'running')) return a.state === 'running' ? -1 : 1
  const [atA, atB] = [lastStep(a), lastStep(b)]
  return atA === atB ? newestFirst(a, b) : atA < atB ? 1 : -1
}

function lastStep({ startedAt, borders }: Delivery): string {
  return Object.values(borders).reduce((last, { at }) => (at > last ? at : last), startedAt)
}

function isDigest(digest: string, what: string): boolean {
  return digest === what || (/^[0-9a-f]{12,64}$/.test(what) && digest.startsWith(`sha256:${what}`))
}

function isImage({ image, version }: Delivery, what: string): boolean {
  return image !== undefined && (what === `${image}:${version}` || `${image}:${version}`.endsWith(`/${what}`))
}
