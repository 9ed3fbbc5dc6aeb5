import type { Border, BorderRecord, Delivery } from './delivery.ts'
import type { WorkloadImages } from './fact.ts'
import { openForImage, provePushed } from './fold-ci.ts'
import { commitOfRevision, splitImage } from './names.ts'
import { imageKey, podKey, wayKey, workloadKey } from './ledger-keys.ts'
import {
  addClaim,
  asksFor,
  deliveryOfImage,
  digestOfDelivery,
  dropDelivery,
  type FactOf,
  HEALED,
  type Ledger,
  markBorder,
  newDelivery,
  openDeliveries,
  ownClaims,
  reopenDropped,
  startDelivery,
  supersede,
  withdrawClaims,
  withIntent,
  withOwed,
  withRefusal,
} from './ledger.ts'
import { notePassage } from './passage.ts'

/** A source that has a new revision. */
export function foldSource(ledger: Ledger, fact: FactOf<'source'>): void {
  const detail = `${fact.source} is at ${fact.revision}`
  for (const delivery of openDeliveries(ledger, (open) => open.configCommit === fact.commit))
    markBorder(ledger, delivery, 'source', { state: 'done', at: fact.at, detail })
}

/** A build: says which workloads run which images at this revision, and so which deliveries it carries. */
export function foldBuild(ledger: Ledger, fact: FactOf<'build'>): void {
  if (!fact.ok) return stop(ledger, fact, 'build', fact.cause ?? 'the build failed')
  pass(ledger, fact, 'build', `revision ${fact.revision}`)
  const { stoppedAt, healthyAt, ...state } = ledger.environments.get(fact.kustomization) ?? { cause: undefined }
  // a retry builds well again before it is refused again
  const isHealed = stoppedAt === undefined || stoppedAt === 'build'
  const { revision } = fact
  ledger.environments.set(
    fact.kustomization,
    isHealed
      ? { revision, cause: undefined, ...(healthyAt === revision && { healthyAt }) }
      : { ...state, stoppedAt, revision },
  )
  const before = withdrawClaims(ledger, fact.kustomization)
  for (const workload of byName(fact.workloads)) {
    const shown = before.get(workloadKey(workload))
    const isOwned = shown?.kustomization === fact.kustomization && shown.isOwned
    const claim = { ...workload, kustomization: fact.kustomization, ...(isOwned && { isOwned }) }
    if (addClaim(ledger, claim)) carry(ledger, workload, shown, fact)
  }
}

/** The workloads of a build, those of one name as one. What was forgotten a namespace in Git no server takes. */
export function byName(workloads: readonly WorkloadImages[]): readonly WorkloadImages[] {
  const named = new Map<string, WorkloadImages>()
  for (const one of workloads.filter(({ namespace }) => namespace !== '')) {
    const before = named.get(workloadKey(one))
    named.set(workloadKey(one), before === undefined ? one : together(before, one))
  }
  return [...named.values()]
}

/** A Deployment and a CronJob may have one name. */
function together(first: WorkloadImages, second: WorkloadImages): WorkloadImages {
  const images = [...new Set([...first.images, ...second.images])]
  return { ...first, images, ...(second.needsPods && { needsPods: true }) }
}

/** What it asks for now is in its workloads: open deliveries of these images go on with it, those of others have no way any more. */
function carry(ledger: Ledger, workload: WorkloadImages, before: WorkloadImages | undefined, step: Step): void {
  openForNewImages(ledger, workload, before?.images ?? [], step.at)
  reopenDropped(ledger, workload, step.at)
  for (const delivery of wantedBy(ledger, workload)) markBuilt(ledger, delivery, workload, step)
  endOthers(ledger, 'config', workload, step)
}

// After a crash Git may show the image before the policy that chose it is heard again: the write-back told that it would ask for it here.
function openForNewImages(ledger: Ledger, workload: WorkloadImages, before: readonly string[], at: string): void {
  for (const written of workload.images.filter((name) => !before.includes(name))) {
    const { image, tag } = splitImage(written)
    provePushed(ledger, image, tag, at)
    if (!ledger.intended.writeBacks.has(wayKey(workload.namespace, { image, tag }))) continue
    if (deliveryOfImage(ledger, workload.namespace, image, tag) !== undefined) continue
    const delivery = openForImage(ledger, workload.namespace, workload.name, { image, tag, at })
    ledger.deliveries.set(delivery.id, delivery)
  }
}

/**
 * An apply: marks what the build carried, opens a delivery for a change of manifests only, and notes corrected drift.
 *
 * What was intended and is not named by the apply that went through was done before a crash: it is found unchanged afterwards.
 */
export function foldApply(ledger: Ledger, fact: FactOf<'apply'>): void {
  const { applies } = ledger.intended
  const owed = applies.get(fact.kustomization) ?? []
  notePolicies(ledger, fact)
  if (fact.intended) return void applies.set(fact.kustomization, withIntent(owed, fact))
  if (!fact.ok) {
    applies.set(fact.kustomization, withRefusal(owed, fact))
    return stop(ledger, fact, 'apply', fact.cause ?? 'the apply failed')
  }
  applies.delete(fact.kustomization)
  for (const { workload, before } of ownClaims(ledger, fact.kustomization)) carry(ledger, workload, before, fact)
  for (const workload of ledger.workloads.values())
    if (workload.kustomization === fact.kustomization) endOthers(ledger, 'image', workload, fact)
  for (const earlier of owed.filter(({ ok, revision }) => ok && revision !== fact.revision))
    foldApplied(ledger, { ...earlier, at: fact.at })
  foldApplied(ledger, owed.filter(({ revision }) => revision === fact.revision).reduce(withOwed, fact))
}

/** A policy that selects nothing from now on does so for what this commit made of it. */
function notePolicies(ledger: Ledger, { changes, revision }: FactOf<'apply'>): void {
  for (const { object, action, drift } of changes) {
    const [kind, namespace, name] = object.split('/')
    if (kind === 'ImagePolicy' && action !== 'unchanged' && drift !== true)
      ledger.policyCommits.set(`${namespace}/${name}`, commitOfRevision(revision))
  }
}

function foldApplied(ledger: Ledger, fact: FactOf<'apply'>): void {
  const count = fact.changes.filter(({ action }) => action !== 'unchanged' && action !== 'skipped').length
  pass(
    ledger,
    fact,
    'apply',
    count === 0 ? 'nothing to change' : `${count} ${count === 1 ? 'object' : 'objects'} changed`,
  )
  goOn(ledger, fact.kustomization, count === 0 ? ledger.environments.get(fact.kustomization)?.healthyAt : undefined)
  const touched = new Map<string, boolean>()
  for (const change of fact.changes) {
    const workload = workloadOf(ledger, fact.kustomization, change.object)
    if (workload === undefined || change.action === 'unchanged' || change.action === 'skipped') continue
    if (change.object.startsWith('Image')) continue // a policy called as its service changes nothing that runs
    touched.set(workload, change.drift === true)
  }
  for (const [workload, isDrift] of touched) foldChange(ledger, workload, isDrift, fact)
  const detail = fact.changes
    .filter(({ action }) => action !== 'unchanged')
    .map(({ object, action }) => `${object} ${action}`)
    .join(', ')
  for (const delivery of carried(ledger, fact.kustomization))
    markBorder(ledger, delivery, 'apply', { state: 'done', at: fact.at, detail }, HEALED)
}

/**
 * Health of an environment at a revision; a delivery is done only when pods run its very digest.
 *
 * Where the check names workloads that are not healthy, the deliveries of the others arrive.
 */
export function foldHealth(ledger: Ledger, fact: FactOf<'health'>): void {
  if (fact.state === 'healthy') {
    goOn(ledger, fact.kustomization, fact.revision)
    pass(ledger, fact, 'health', 'healthy')
    endDropped(ledger, fact)
    return arriveAll(ledger, carried(ledger, fact.kustomization), fact.at)
  }
  const concerned = unhealthyWorkloads(ledger, fact)
  const own = new Map(fact.causes?.map(({ workload, cause }) => [workload, cause]))
  stop(ledger, fact, 'health', fact.cause ?? 'a workload is not healthy', { concerned, own })
  if (concerned === undefined) return
  const isSound = (open: Delivery): boolean => !concerned.includes(`${open.environment}/${open.service}`)
  arriveAll(ledger, carried(ledger, fact.kustomization).filter(isSound), fact.at)
}

/** `undefined` where something else than a workload is not healthy: then it concerns them all. */
function unhealthyWorkloads(
  ledger: Ledger,
  { kustomization, objects }: FactOf<'health'>,
): readonly string[] | undefined {
  const workloads = objects?.map((object) => workloadOf(ledger, kustomization, object))
  return workloads?.every((workload) => workload !== undefined) ? workloads : undefined
}

/** What this Kustomization no longer asks for at all it has pruned by now, or left to another: here it has not arrived, though nothing is ill. */
function endDropped(ledger: Ledger, { kustomization, at }: FactOf<'health'>): void {
  const isAsked = ({ environment: namespace, service: name }: Delivery): boolean =>
    asksFor(ledger, kustomization, { namespace, name })
  for (const delivery of carried(ledger, kustomization)) if (!isAsked(delivery)) dropDelivery(ledger, delivery, at)
}

function arriveAll(ledger: Ledger, deliveries: readonly Delivery[], at: string): void {
  const nothing: BorderRecord = { state: 'done', at, detail: 'nothing to change' }
  for (const delivery of deliveries) arrive(ledger, markBorder(ledger, delivery, 'apply', nothing, HEALED), at)
}

/** A pod that is ready may be the one that a delivery waits for. */
export function foldPod(ledger: Ledger, fact: FactOf<'pod'>): void {
  ledger.pods.set(podKey(fact), fact)
  if (!fact.ready) return
  const isWaiting = ({ state, borders }: Delivery): boolean =>
    state === 'running' && borders.health?.state === 'running'
  const open = ledger.deliveries.openOf({ namespace: fact.namespace, name: fact.workload })
  for (const delivery of open.filter(isWaiting)) arrive(ledger, delivery, fact.at)
}

function arrive(ledger: Ledger, delivery: Delivery, at: string): void {
  const running = [...ledger.pods.values()].filter(
    (pod) => pod.ready && pod.namespace === delivery.environment && pod.workload === delivery.service,
  )
  const found = running.flatMap((pod) => digestOfDelivery(ledger, delivery, pod) ?? [])
  const ours = delivery.digest === undefined ? running.length : found.length
  const needsPods = ledger.workloads.get(`${delivery.environment}/${delivery.service}`)?.needsPods === true
  if (ours === 0 && (needsPods || running.length > 0)) {
    const detail = `waiting for a ready pod${delivery.digest === undefined ? '' : ` that runs ${delivery.digest}`}`
    markBorder(ledger, delivery, 'health', { state: 'running', at, detail })
    return
  }
  const done: BorderRecord = {
    state: 'done',
    at,
    detail: ours === 0 ? 'healthy' : `healthy, ${ours} ${ours === 1 ? 'pod' : 'pods'} on this digest`,
  }
  const digest = delivery.digest === undefined ? undefined : (found[0] ?? delivery.digest)
  markBorder(ledger, delivery, 'health', done, { state: 'done', cause: undefined, endedAt: at, digest })
}

/** A Kustomization that is no more asks for nothing: what it had on its way does not arrive by it, and nothing stops it any longer. */
export function foldDeletion(ledger: Ledger, { kustomization, at }: Pick<Step, 'kustomization' | 'at'>): void {
  withdrawClaims(ledger, kustomization)
  for (const delivery of openDeliveries(ledger, (open) => open.kustomization === kustomization))
    dropDelivery(ledger, delivery, at)
  ledger.environments.delete(kustomization)
  ledger.intended.applies.delete(kustomization)
}

/** The open deliveries that the Kustomization's last build carried. */
export function carried(ledger: Ledger, kustomization: string): readonly Delivery[] {
  return openDeliveries(ledger, (open) => isCarried(open, kustomization))
}

function isCarried(open: Delivery, kustomization: string): boolean {
  return open.kustomization === kustomization && open.borders.build?.state === 'done'
}

/**
 * Ends the deliveries that were carried to a workload with an image that Git no longer asks for (another tag was written by hand, a write-back
 * was reverted), and those of a Kustomization that has left the workload to this one: they will never arrive.
 *
 * That of an image stays on its way until an apply went through: what is refused leaves it in the cluster, where Git may ask for it again.
 */
function endOthers(ledger: Ledger, kind: Delivery['kind'], workload: WorkloadImages, step: Step): void {
  const shown = ledger.workloads.get(workloadKey(workload))
  const isOwner = shown?.isOwned === true && shown.kustomization === step.kustomization
  const isOvertaken = (open: Delivery): boolean =>
    open.kind === kind &&
    (open.kustomization === step.kustomization || (isOwner && !asksFor(ledger, open.kustomization, workload))) &&
    open.borders.build !== undefined &&
    !workload.images.map(splitImage).some(({ image, tag }) => image === open.image && tag === open.version)
  for (const delivery of ledger.deliveries.openOf(workload).filter(isOvertaken)) supersede(ledger, delivery, step.at)
}

/** The deliveries on their way whose images a workload asks for. */
export function wantedBy(ledger: Ledger, workload: WorkloadImages): readonly Delivery[] {
  return workload.images
    .map(splitImage)
    .map(({ image, tag }) => deliveryOfImage(ledger, workload.namespace, image, tag))
    .filter((delivery) => delivery !== undefined)
    .filter((delivery) => delivery.endedAt === undefined)
}

function markBuilt(ledger: Ledger, delivery: Delivery, workload: WorkloadImages, step: Step): void {
  const { image = '', version: tag } = delivery
  const owed = ledger.intended.writeBacks.get(wayKey(workload.namespace, { image, tag }))
  const commit = delivery.configCommit ?? owed ?? commitOfRevision(step.revision)
  const known = { service: workload.name, kustomization: step.kustomization, configCommit: commit, ...HEALED }
  const asked: BorderRecord = { state: 'done', at: step.at, detail: `${commit.slice(0, 12)} asks for it` }
  const built: BorderRecord = { state: 'done', at: step.at, detail: `revision ${step.revision}` }
  const inGit = markBorder(ledger, delivery, 'write-back', asked)
  markBorder(ledger, markBorder(ledger, inGit, 'source', built), 'build', built, known)
}

function foldChange(ledger: Ledger, key: string, isDrift: boolean, fact: FactOf<'apply'>): void {
  const workload = ledger.workloads.get(key)
  if (workload === undefined) return
  const { image, tag } = splitImage(workload.images[0] ?? '')
  const commit = commitOfRevision(fact.revision)
  const built: BorderRecord = { state: 'done', at: fact.at, detail: `revision ${fact.revision}` }
  const kind = isDrift ? 'drift' : 'config'
  const delivery = newDelivery({
    id: `${key}/${kind}/${isDrift ? fact.at : commit}`,
    service: workload.name,
    environment: workload.namespace,
    kustomization: fact.kustomization,
    kind,
    image,
    version: tag,
    digest: ledger.images.get(imageKey({ image, tag }))?.digest,
    commit,
    configCommit: commit,
    startedAt: ledger.pushes.get(commit)?.at ?? fact.at,
    borders: { source: built, build: built },
  })
  if (isDrift) return correctedDrift(ledger, delivery, fact)
  const isOnItsWay = ledger.deliveries
    .openOf(workload)
    .some((open) => open.kind === 'image' && isCarried(open, fact.kustomization))
  if (!isOnItsWay) startDelivery(ledger, delivery, fact.at)
}

// Drift ends where it is found: it never takes the place of a delivery that is on its way.
function correctedDrift(ledger: Ledger, delivery: Delivery, fact: FactOf<'apply'>): void {
  const changes = fact.changes.filter((change) => change.drift).map((change) => `${change.object} ${change.action}`)
  const apply: BorderRecord = { state: 'done', at: fact.at, detail: `drift corrected: ${changes.join(', ')}` }
  const cause = 'changed by hand, set back to Git'
  ledger.deliveries.set(delivery.id, {
    ...delivery,
    state: 'done',
    startedAt: fact.at,
    endedAt: fact.at,
    cause,
    borders: { apply },
  })
}

type Step = { readonly kustomization: string; readonly revision: string; readonly at: string }

function pass(ledger: Ledger, { kustomization, revision, at }: Step, border: Border, detail: string): void {
  const done = { state: 'done', at, detail } as const
  if (border === 'build') notePassage(ledger, kustomization, revision, 'source', done)
  notePassage(ledger, kustomization, revision, border, done)
}

/** The workloads (`namespace/name`) that something is about, all when absent, and what each of them suffers from. */
type Concern = { readonly concerned?: readonly string[] | undefined; readonly own?: ReadonlyMap<string, string> }

function stop(
  ledger: Ledger,
  { kustomization, revision, at }: Step,
  border: 'build' | 'apply' | 'health',
  cause: string,
  { concerned, own = new Map() }: Concern = {},
): void {
  const textOf = (why: string): string => `${border}: ${why.trim()}`
  const failedBy = (why: string) => ({ state: 'failed', at, detail: why.trim() }) as const
  const text = textOf(cause)
  const failed = failedBy(cause)
  const before = ledger.environments.get(kustomization)
  const stoppedBy = before?.cause === text ? before.stoppedBy : commitOfRevision(revision)
  ledger.environments.set(kustomization, {
    revision: before?.revision ?? '',
    cause: text,
    stoppedAt: border,
    stoppedBy,
    concerned,
    ownCauses: new Map([...own].map(([key, why]) => [key, textOf(why)])),
  })
  if (border === 'build')
    notePassage(ledger, kustomization, revision, 'source', { ...failed, state: 'done', detail: `revision ${revision}` })
  notePassage(ledger, kustomization, revision, border, failed)
  for (const delivery of carried(ledger, kustomization)) {
    const key = `${delivery.environment}/${delivery.service}`
    if (concerned?.includes(key) === false) continue
    const why = own.get(key) ?? cause
    markBorder(ledger, delivery, border, failedBy(why), { state: 'failed', cause: textOf(why) })
  }
}

/** Nothing stops it any longer; `healthyAt`: the revision that is healthy by all that is known. */
function goOn(ledger: Ledger, kustomization: string, healthyAt: string | undefined): void {
  const state = ledger.environments.get(kustomization)
  if (state === undefined) return
  const { revision } = state
  ledger.environments.set(kustomization, { revision, cause: undefined, ...(healthyAt === revision && { healthyAt }) })
}

/** `Deployment/default/web` -> `default/web`, when a workload of the Kustomization is called so. */
function workloadOf(ledger: Ledger, kustomization: string, object: string): string | undefined {
  const key = object.split('/').slice(1).join('/')
  return ledger.workloads.get(key)?.kustomization === kustomization ? key : undefined
}
