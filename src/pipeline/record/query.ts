import { groupBy } from '../../lib/value/group-by.ts'
import { BORDERS, type Cell, type Delivery, type Passage, type Stop } from './delivery.ts'
import { passageKey, podKey } from './ledger-keys.ts'
import { digestOfDelivery, type FactOf, type Ledger, pushBorder } from './ledger.ts'
import { stopOf } from './passage.ts'

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
  const digests = new Set(digestsOfPod(ledger, what))
  const wanted = (delivery: Delivery): boolean =>
    (isCommit(what) && (delivery.commit.startsWith(what) || delivery.configCommit?.startsWith(what) === true)) ||
    (delivery.digest !== undefined && (digests.has(delivery.digest) || isDigest(delivery.digest, what))) ||
    isImage(delivery, what)
  return [...ledger.deliveries.values()].filter(wanted).sort(newestFirst)
}

/** The digests that a pod runs or ran. */
export function digestsOfPod(ledger: Ledger, what: string): readonly string[] {
  const pods = [...ledger.pods.values()].filter((pod) => pod.pod === what || podKey(pod) === what)
  return pods.flatMap((pod) => [pod.digest, ...(pod.others ?? [])])
}

/** A commit's ways that no delivery tells of; of a commit that met no Kustomization, the push alone. */
export type CommitTrace = {
  readonly passages: readonly Passage[]
  /** Pushes of which nothing came, with the runs that they set off. */
  readonly pushes: readonly { readonly push: FactOf<'push'>; readonly runs: readonly FactOf<'run'>[] }[]
}

/**
 * What is known of commits (at least 4 digits of one) besides deliveries: where a Kustomization refused them or, when they changed
 * no service at all, that it took them.
 */
export function commitTraceOf(ledger: Ledger, what: string): CommitTrace {
  if (!isCommit(what)) return { passages: [], pushes: [] }
  const deliveries = traceOf(ledger, what)
  const met = [...ledger.passages.values()].filter(({ commit }) => commit.startsWith(what)).map(withPush(ledger))
  const passages = deliveries.length === 0 ? met : met.filter((passage) => isUntold(passage, deliveries))
  const isKnown = (commit: string): boolean =>
    met.some((passage) => passage.commit === commit) || deliveries.some((one) => isOf(one, commit))
  const runs = [...ledger.runs.values()]
  const pushes = [...ledger.pushes.values()]
    .filter(({ commit }) => commit.startsWith(what) && !isKnown(commit))
    .map((push) => ({ push, runs: runs.filter(({ commit }) => commit === push.commit) }))
  return { passages, pushes }
}

/** The commits that a Kustomization refused and no delivery tells of. */
export function refusedOf(ledger: Ledger): readonly Passage[] {
  const deliveries = [...ledger.deliveries.values()]
  return [...ledger.passages.values()].filter((passage) => isUntold(passage, deliveries)).map(withPush(ledger))
}

/** A Kustomization that stopped; `parts` are what its services say of it, which together may be all there is to say. */
export type StoppedKustomization = {
  readonly kustomization: string
  readonly cause: string
  readonly parts: readonly string[]
  readonly stop: Stop | undefined
}

/** What stopped in Kustomizations, the healthy services of which say nothing of it: they may have none. */
export function stoppedKustomizations(ledger: Ledger): readonly StoppedKustomization[] {
  return [...ledger.environments].flatMap(([kustomization, { cause, concerned, ownCauses }]) => {
    if (cause === undefined) return []
    const parts = concerned?.map((key) => ownCauses?.get(key) ?? cause) ?? [cause]
    return [{ kustomization, cause, parts, stop: environmentStop(ledger, kustomization) }]
  })
}

function isUntold(passage: Passage, deliveries: readonly Delivery[]): boolean {
  const { kustomization, commit } = passage
  if (stopOf(passage) === undefined) return false
  return !deliveries.some((one) => one.kustomization === kustomization && isOf(one, commit) && one.state === 'failed')
}

function isOf({ commit, configCommit }: Delivery, wanted: string): boolean {
  return commit === wanted || configCommit === wanted
}

function withPush(ledger: Ledger): (passage: Passage) => Passage {
  return (passage) => {
    const push = ledger.pushes.get(passage.commit)
    if (push === undefined) return passage
    return { ...passage, startedAt: push.at, borders: { push: pushBorder(push), ...passage.borders } }
  }
}

function isCommit(what: string): boolean {
  return /^[0-9a-f]{4,40}$/.test(what)
}

/** Whether a service shows a delivery as its newest. */
export function isShown({ state, kind }: Delivery): boolean {
  return state !== 'superseded' && kind !== 'drift'
}

/** Every service in every environment that Git asks for or something was delivered to, as it is now; ordered by name. */
export function cellsOf(ledger: Ledger): readonly Cell[] {
  const shown = [...ledger.deliveries.values()].filter(isShown)
  const delivered = shown.map((delivery) => `${delivery.environment}/${delivery.service}`)
  const alive = [...ledger.pods.values()].filter((pod) => !pod.gone)
  const podsOf = groupBy(alive, ({ namespace, workload }) => `${namespace}/${workload}`)
  const keys = [...new Set([...ledger.workloads.keys(), ...delivered])].sort()
  return keys.map((key) => cellOf(ledger, key, podsOf.get(key) ?? []))
}

/** What an environment is called: its Kustomization's name, the namespace where that is unknown. */
export function environmentName(of: {
  readonly environment: string
  readonly kustomization: string | undefined
}): string {
  return of.kustomization?.slice(of.kustomization.indexOf('/') + 1) ?? of.environment
}

function cellOf(ledger: Ledger, key: string, pods: readonly FactOf<'pod'>[]): Cell {
  const [environment = '', service = ''] = key.split('/')
  const all = ledger.deliveries.ofService(environment, service).filter(isShown).sort(latestFirst)
  const [delivery] = all
  const running = all.find((candidate) => candidate.state === 'done')
  const kustomization = ledger.workloads.get(key)?.kustomization ?? delivery?.kustomization
  const found =
    delivery?.cause === undefined ? environmentStopOf(ledger, kustomization, key) : deliveryStop(ledger, delivery)
  const ready = pods.filter((pod) => pod.ready)
  return {
    ...{ service, environment, kustomization, delivery, running, cause: found?.cause, stop: found?.stop },
    isDown: pods.length > 0 && ready.length === 0,
    foreignImage: delivery?.state === 'done' ? foreignImage(ledger, delivery, ready) : undefined,
  }
}

function foreignImage(ledger: Ledger, delivery: Delivery, ready: readonly FactOf<'pod'>[]): string | undefined {
  if (delivery.digest === undefined || ready.some((pod) => digestOfDelivery(ledger, delivery, pod))) return undefined
  return ready[0]?.image
}

type Found = { readonly cause: string; readonly stop: Stop | undefined }

function deliveryStop(ledger: Ledger, { cause = '', commit, borders, kustomization = '' }: Delivery): Found {
  // what has passed a border itself may be held up by a later revision that was refused there
  const held = environmentStop(ledger, kustomization)
  if (held && cause.startsWith(`${held.border}: `) && borders[held.border]?.state !== 'failed')
    return { cause, stop: held }
  const border = BORDERS.find((name) => borders[name]?.state === 'failed')
  return { cause, stop: border && { border, commit, borders } }
}

/** A policy that selects nothing, with the commit that made it so where one did. */
export type PolicyStop = { readonly key: string; readonly cause: string; readonly stop: Stop }

/** The policies that select nothing since a commit (at least 4 digits of it) changed them. */
export function policyStopsOf(ledger: Ledger, what: string): readonly PolicyStop[] {
  if (!isCommit(what)) return []
  const stops = [...ledger.policyCauses.keys()].flatMap((key) => policyStop(ledger, key) ?? [])
  return stops.filter(({ stop }) => stop.commit?.startsWith(what) === true)
}

function policyStop(ledger: Ledger, key: string): PolicyStop | undefined {
  const found = ledger.policyCauses.get(key)
  if (found === undefined) return undefined
  const commit = ledger.policyCommits.get(found.policy)
  const push = ledger.pushes.get(commit ?? '')
  const policy = { state: 'failed', at: found.at, detail: found.cause } as const
  const borders = { ...(push && { push: pushBorder(push) }), policy }
  return { key, cause: `policy ${found.policy}: ${found.cause}`, stop: { border: 'policy', commit, borders } }
}

/** The last delivery of a service into each environment, the newest first. */
export function lastOf(ledger: Ledger, service: string): readonly Delivery[] {
  const cells = cellsOf(ledger).filter((cell) => cell.service === service)
  return cells.flatMap(({ delivery, running }) => delivery ?? running ?? []).sort(newestFirst)
}

/** What stops a service that has no part in it: its Kustomization, or a policy that selects nothing. */
function environmentStopOf(ledger: Ledger, kustomization: string | undefined, key: string): Found | undefined {
  const { cause, concerned, ownCauses } = ledger.environments.get(kustomization ?? '') ?? {}
  if (cause !== undefined && (concerned === undefined || concerned.includes(key)))
    return { cause: ownCauses?.get(key) ?? cause, stop: environmentStop(ledger, kustomization ?? '') }
  const stopped = ledger.policyCauses.has(key) ? policyStop(ledger, key) : undefined
  return stopped && { cause: stopped.cause, stop: stopped.stop }
}

function environmentStop(ledger: Ledger, kustomization: string): Stop | undefined {
  const { stoppedAt: border, stoppedBy: commit = '' } = ledger.environments.get(kustomization) ?? {}
  const passage = ledger.passages.get(passageKey({ kustomization, commit }))
  return border && { border, commit, borders: passage === undefined ? {} : withPush(ledger)(passage).borders }
}

type Started = { readonly startedAt: string; readonly state: string }

/** The order of deliveries for people; what was overtaken in the second in which it began comes behind what overtook it. */
export function newestFirst(a: Started, b: Started): number {
  const isSameSecond = a.startedAt.slice(0, 19) === b.startedAt.slice(0, 19)
  if (isSameSecond && isOvertaken(a) !== isOvertaken(b)) return isOvertaken(a) ? 1 : -1
  return a.startedAt < b.startedAt ? 1 : a.startedAt > b.startedAt ? -1 : 0
}

function isOvertaken({ state }: Started): boolean {
  return state === 'superseded'
}

/** What is on its way comes first; then what arrived or failed last: a delivery that started earlier may well arrive later. */
export function latestFirst(a: Delivery, b: Delivery): number {
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
