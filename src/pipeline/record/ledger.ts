import { Deliveries } from './deliveries.ts'
import { BORDERS, type Border, type BorderRecord, type Delivery, type Passage } from './delivery.ts'
import type { AppliedChange, Fact, WorkloadImages } from './fact.ts'
import { pushedKey, workloadKey } from './ledger-keys.ts'
import { splitImage } from './names.ts'

export type FactOf<Kind extends Fact['kind']> = Extract<Fact, { kind: Kind }>

/** An environment as the newest facts show it: a Kustomization's revision, and why it does not go on. */
export type EnvironmentState = {
  readonly revision: string
  readonly cause: string | undefined
  /** The revision, when that was told healthy and nothing was changed since. */
  readonly healthyAt?: string | undefined
  /** Where it stopped, and the first commit that stopped there for this cause. */
  readonly stoppedAt?: Border | undefined
  readonly stoppedBy?: string | undefined
  /** The workloads (`namespace/name`) that the cause is about; `undefined`: all of them. */
  readonly concerned?: readonly string[] | undefined
  /** What single workloads (`namespace/name`) suffer from, where that is known: their part of the cause. */
  readonly ownCauses?: ReadonlyMap<string, string> | undefined
}

/** A workload and the Kustomization that asks for it, which owns it from its first apply that went through. */
export type WorkloadState = WorkloadImages & { readonly kustomization: string; readonly isOwned?: true }

/**
 * What has been folded so far. Only `fold.ts` and its parts write to it; deliveries in it are replaced, never changed in place.
 *
 * Grows with facts, 2 to 3 KiB a delivery, until what is past goes to the archive (`archive.ts`).
 */
export type Ledger = {
  readonly pushes: Map<string, FactOf<'push'>>
  readonly runs: Map<string, FactOf<'run'>>
  /** By `image:tag`. */
  readonly images: Map<string, FactOf<'image'>>
  /** By `run image:tag`: more than one digest where a run was cut off after it had pushed, and built something else when it was repeated. */
  readonly digests: Map<string, ReadonlySet<string>>
  /** By `namespace/name`: of the Kustomization that owns it, of the last that asks for it where none does. */
  readonly workloads: Map<string, WorkloadState>
  /** By `namespace/name`: what other Kustomizations ask for under the same name. */
  readonly claims: Map<string, readonly WorkloadState[]>
  /** By Kustomization. */
  readonly environments: Map<string, EnvironmentState>
  /** By `kustomization commit`. */
  readonly passages: Map<string, Passage>
  /** Which policy selects nothing and why, by `namespace/service`. */
  readonly policyCauses: Map<string, { readonly policy: string; readonly cause: string; readonly at: string }>
  /** The commit that changed an ImagePolicy last, by `namespace/name`. */
  readonly policyCommits: Map<string, string>
  /** What each automation found last, by `namespace/name`. */
  readonly markers: Map<string, FactOf<'markers'>>
  /** By `namespace/pod`. */
  readonly pods: Map<string, FactOf<'pod'>>
  readonly deliveries: Deliveries
  readonly intended: Intended
  /** How many deliveries of the archive ended how, by `environment/service/state`. */
  readonly archivedEnds: Map<string, number>
}

/** What was about to be done, until the deed is told or a later border proves it. */
export type Intended = {
  /** By `image:tag`. */
  readonly images: Map<string, FactOf<'image'>>
  /** The commit that was about to ask for an image, by `environment image:tag`. */
  readonly writeBacks: Map<string, string>
  /** By Kustomization, one a revision. */
  readonly applies: Map<string, readonly OwedApply[]>
}

/** What is intended and what tries of it did that were refused in the end; a refusal: what tries did until now. */
export type OwedApply = FactOf<'apply'> & {
  /** Of what is intended: that part of its changes which an earlier try did. */
  readonly done?: readonly AppliedChange[]
  /** Of a refusal: what was intended and not done. */
  readonly refused?: readonly AppliedChange[]
}

export function emptyLedger(): Ledger {
  return {
    pushes: new Map(),
    runs: new Map(),
    images: new Map(),
    digests: new Map(),
    workloads: new Map(),
    claims: new Map(),
    environments: new Map(),
    passages: new Map(),
    policyCauses: new Map(),
    policyCommits: new Map(),
    markers: new Map(),
    pods: new Map(),
    deliveries: new Deliveries(),
    intended: { images: new Map(), writeBacks: new Map(), applies: new Map() },
    archivedEnds: new Map(),
  }
}

/** All that Git asks for, also what a Kustomization asks for in vain because another owns it. */
export function askedOf({ workloads, claims }: Ledger): readonly WorkloadState[] {
  return [...workloads.values(), ...[...claims.values()].flat()]
}

/** Whether a Kustomization asks for a workload, be it in vain. */
export function asksFor(
  ledger: Ledger,
  kustomization: string | undefined,
  workload: Pick<WorkloadImages, 'namespace' | 'name'>,
): boolean {
  const key = workloadKey(workload)
  const asking = [ledger.workloads.get(key), ...(ledger.claims.get(key) ?? [])]
  return asking.some((one) => one?.kustomization === kustomization)
}

/** Takes back what a Kustomization asked for; answers what was shown until now. */
export function withdrawClaims(ledger: Ledger, kustomization: string): ReadonlyMap<string, WorkloadState> {
  const before = new Map(ledger.workloads)
  for (const [key, one] of before) if (one.kustomization === kustomization) ledger.workloads.delete(key)
  for (const [key, claims] of ledger.claims) setClaims(ledger, key, othersOf(claims, kustomization))
  return before
}

/** Notes that a Kustomization asks for a workload; false when another owns it, which then stays as it is. */
export function addClaim(ledger: Ledger, claim: WorkloadState): boolean {
  const key = workloadKey(claim)
  const shown = ledger.workloads.get(key)
  const rival = shown?.kustomization === claim.kustomization ? undefined : shown
  const isTaken = rival?.isOwned === true
  if (!isTaken) ledger.workloads.set(key, claim)
  const beside = isTaken ? claim : rival
  const claims = othersOf(ledger.claims.get(key) ?? [], claim.kustomization)
  setClaims(ledger, key, beside === undefined ? claims : [...claims, beside])
  return !isTaken
}

/** An apply has put all into the cluster that a Kustomization asks for; answers what became its own by that, and who had it before. */
export function ownClaims(
  ledger: Ledger,
  kustomization: string,
): readonly { readonly workload: WorkloadState; readonly before: WorkloadState | undefined }[] {
  const taken = [...ledger.claims].flatMap(([key, claims]) => {
    const workload = claims.find((one) => one.kustomization === kustomization)
    return workload === undefined ? [] : [{ key, workload, before: ledger.workloads.get(key) }]
  })
  for (const { key, workload, before } of taken) {
    ledger.workloads.set(key, workload)
    const claims = othersOf(ledger.claims.get(key) ?? [], kustomization)
    setClaims(ledger, key, before === undefined ? claims : [...claims, claimOf(before)])
  }
  for (const [key, one] of ledger.workloads)
    if (one.kustomization === kustomization) ledger.workloads.set(key, { ...one, isOwned: true })
  return taken
}

function claimOf({ isOwned: _past, ...claim }: WorkloadState): WorkloadState {
  return claim
}

function othersOf(claims: readonly WorkloadState[], kustomization: string): readonly WorkloadState[] {
  return claims.filter((one) => one.kustomization !== kustomization)
}

function setClaims({ claims }: Ledger, key: string, rest: readonly WorkloadState[]): void {
  if (rest.length === 0) claims.delete(key)
  else claims.set(key, rest)
}

/** Adds what is intended to what was before, for the same revision or another. */
export function withIntent(owed: readonly OwedApply[], fact: FactOf<'apply'>): readonly OwedApply[] {
  const before = owed.find(({ revision }) => revision === fact.revision)
  const done = doneBy(before)
  const intent = before === undefined ? fact : withOwed(fact, before)
  return [...owed.filter((one) => one !== before), { ...intent, ...(done.length > 0 && { done }) }]
}

/** It names all that it did, which stays owed as what earlier tries did does; what was planned besides was refused. */
export function withRefusal(owed: readonly OwedApply[], fact: FactOf<'apply'>): readonly OwedApply[] {
  const before = owed.find(({ revision }) => revision === fact.revision)
  const planned = before?.ok === false ? before.refused : before?.changes
  const refusal = {
    ...fact,
    changes: joinedChanges(doneBy(before), fact.changes),
    refused: withoutNamed(planned, fact.changes),
  }
  return [...owed.filter((one) => one !== before), refusal]
}

/** What tries of the revision did that were refused in the end. */
function doneBy(owed: OwedApply | undefined): readonly AppliedChange[] {
  return (owed?.ok === false ? owed.changes : owed?.done) ?? []
}

/** With what is owed besides. */
export function withOwed(fact: FactOf<'apply'>, { changes }: OwedApply): FactOf<'apply'> {
  return { ...fact, changes: joinedChanges(changes, fact.changes) }
}

function joinedChanges(earlier: readonly AppliedChange[], changes: readonly AppliedChange[]): readonly AppliedChange[] {
  return [...withoutNamed(earlier, changes), ...changes]
}

function withoutNamed(all: readonly AppliedChange[] = [], those: readonly AppliedChange[]): readonly AppliedChange[] {
  const named = new Set(those.map(({ object }) => object))
  return all.filter(({ object }) => !named.has(object))
}

/** Deliveries that have not ended, and that `wanted` picks. */
export function openDeliveries(ledger: Ledger, wanted: (delivery: Delivery) => boolean): readonly Delivery[] {
  return ledger.deliveries.open().filter(wanted)
}

/** The newest delivery of an image into an environment, ended or not. */
export function deliveryOfImage(ledger: Ledger, environment: string, image: string, tag: string): Delivery | undefined {
  return ledger.deliveries
    .ofImage(image, tag)
    .findLast((delivery) => delivery.environment === environment && delivery.kind === 'image')
}

/** A delivery that goes on again. */
export const HEALED = { state: 'running', cause: undefined } as const

/** Stores a delivery with one border set; a border that is done stays as it is, so that a repeated fact changes nothing. */
export function markBorder(
  ledger: Ledger,
  delivery: Delivery,
  border: Border,
  record: BorderRecord,
  also: Partial<Delivery> = {},
): Delivery {
  const before = delivery.borders[border]
  const isHealed = also.state !== undefined && also.state !== 'failed'
  const standing = record.state === 'failed' ? delivery.borders : withoutFailed(delivery.borders, isHealed || border)
  const borders = before?.state === 'done' ? standing : { ...standing, [border]: record }
  const next = { ...delivery, ...also, borders }
  ledger.deliveries.set(next.id, next)
  return next
}

/**
 * What goes on again, or has come as far as where it stopped, is no longer stopped there; what is only now heard of an earlier border
 * (the run that built the image ends after its image was refused) heals nothing.
 */
function withoutFailed(borders: Delivery['borders'], healed: true | Border): Delivery['borders'] {
  const isHealed = (name: string): boolean =>
    healed === true || BORDERS.findIndex((one) => one === name) <= BORDERS.indexOf(healed)
  return Object.fromEntries(
    Object.entries(borders).filter(([name, { state }]) => state !== 'failed' || !isHealed(name)),
  )
}

/**
 * Starts a delivery at a time, unless it is there; older ones of the same service that are still open end as superseded (or
 * failed, if they had). A change of manifests takes the place of such changes only: an image that is being built goes on.
 */
export function startDelivery(ledger: Ledger, delivery: Delivery, at: string): Delivery {
  const known = ledger.deliveries.get(delivery.id)
  if (known !== undefined && known.isDropped !== true) return known
  endRivals(ledger, delivery, at)
  const push = ledger.pushes.get(delivery.commit)
  const whole =
    push === undefined ? delivery : { ...delivery, borders: { push: pushBorder(push), ...delivery.borders } }
  ledger.deliveries.set(whole.id, whole)
  return whole
}

/** Ends the deliveries whose place one takes. What is still being built for a later push is none of them: its turn is to come. */
export function endRivals(ledger: Ledger, delivery: Delivery, at: string): void {
  const isToCome = (other: Delivery): boolean =>
    other.runId !== undefined && other.image === undefined && other.startedAt > delivery.startedAt
  const isRival = (other: Delivery): boolean =>
    other.id !== delivery.id && (delivery.kind === 'image' || other.kind === delivery.kind) && !isToCome(other)
  const { environment: namespace, service: name } = delivery
  for (const other of ledger.deliveries.openOf({ namespace, name }).filter(isRival)) supersede(ledger, other, at)
}

/** Ends what has not arrived and no longer can; what had failed before stays so. */
export function supersede(ledger: Ledger, delivery: Delivery, at: string): void {
  const state = delivery.state === 'failed' ? 'failed' : 'superseded'
  ledger.deliveries.set(delivery.id, { ...delivery, state, endedAt: at })
}

/**
 * What its Kustomization no longer asks for: it goes on with another that asks for it, and ends where there is none (yet: one that an app moves
 * to may build later).
 */
export function dropDelivery(ledger: Ledger, delivery: Delivery, at: string): void {
  const heir = heirOf(ledger, delivery)
  if (heir === undefined) return supersede(ledger, { ...delivery, isDropped: true }, at)
  const { kustomization, name: service } = heir
  const going = isBuilt(delivery) ? goingOn(delivery) : delivery
  ledger.deliveries.set(delivery.id, { ...going, kustomization, service })
}

/** Who asks for the image that a delivery brings; who asks for its workload, while no build has carried it. */
function heirOf(ledger: Ledger, delivery: Delivery): WorkloadState | undefined {
  const { environment, service, kind, image, version } = delivery
  const asking = askedOf(ledger).filter(({ namespace }) => namespace === environment)
  const ofService = asking.filter(({ name }) => name === service)
  if (!isBuilt(delivery)) return ofService[0]
  const asksForIt = ({ images }: WorkloadState): boolean =>
    images.map(splitImage).some((one) => one.image === image && one.tag === version)
  return ofService.find(asksForIt) ?? (kind === 'image' ? asking.find(asksForIt) : undefined)
}

/**
 * What was dropped goes on when its image is asked for again, unless something else has arrived since. A newer one that Git asked for meanwhile,
 * and no longer does, is dropped for it: or this source has not come as far, and it goes on when it has, whatever arrived before it. One that is
 * still to be written back has its turn to come.
 */
export function reopenDropped(ledger: Ledger, { namespace, name, images }: WorkloadImages, at: string): void {
  const isAsked = ({ image, version }: Delivery): boolean =>
    images.map(splitImage).some((one) => one.image === image && one.tag === version)
  const isLeft = ({ kind, borders }: Delivery): boolean =>
    kind === 'image' && borders['write-back']?.state === 'done' && borders.build === undefined
  for (const { image, tag } of images.map(splitImage)) {
    const dropped = deliveryOfImage(ledger, namespace, image, tag)
    if (dropped?.isDropped !== true) continue
    const { isDropped: _past, endedAt = '', ...delivery } = dropped
    const hasArrivedSince = ({ kind, state, endedAt: arrivedAt = '' }: Delivery): boolean =>
      kind !== 'drift' && state === 'done' && arrivedAt > endedAt
    const isOvertaken = !isLeft(dropped) && ledger.deliveries.ofService(namespace, name).some(hasArrivedSince)
    if (isOvertaken) continue
    for (const other of ledger.deliveries.openOf({ namespace, name }))
      if (isLeft(other) && !isAsked(other)) supersede(ledger, { ...other, isDropped: true }, at)
    ledger.deliveries.set(dropped.id, goingOn({ ...delivery, endedAt: undefined }))
  }
}

function isBuilt({ borders }: Delivery): boolean {
  return borders.build?.state === 'done'
}

function goingOn(delivery: Delivery): Delivery {
  return { ...delivery, ...HEALED, borders: withoutFailed(delivery.borders, true) }
}

/** What of a delivery a pod runs in one of its containers; a run that was repeated may have pushed more than one digest for it. */
export function digestOfDelivery({ digests }: Ledger, delivery: Delivery, pod: FactOf<'pod'>): string | undefined {
  const { runId = '', image = '', version } = delivery
  const pushed = digests.get(pushedKey(runId, { image, tag: version }))
  return [pod.digest, ...(pod.others ?? [])].find((digest) => digest === delivery.digest || pushed?.has(digest))
}

/** The first border: who wrote what, and who pushed it. */
export function pushBorder(push: FactOf<'push'>): BorderRecord {
  const detail = `${push.author}: ${push.message.split('\n')[0] ?? ''}`
  return { state: 'done', at: push.at, detail, ...(push.pusher === undefined ? {} : { by: push.pusher }) }
}

type Known = Pick<Delivery, 'id' | 'service' | 'environment' | 'kind' | 'commit' | 'startedAt'>

/** A delivery of which nothing is known yet but what `known` says. */
export function newDelivery(known: Known & Partial<Delivery>): Delivery {
  return {
    kustomization: undefined,
    image: undefined,
    version: '',
    digest: undefined,
    configCommit: undefined,
    runId: undefined,
    state: 'running',
    cause: undefined,
    endedAt: undefined,
    borders: {},
    ...known,
  }
}
