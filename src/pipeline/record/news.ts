import type { AppliedChange, FactBody, WorkloadImages } from './fact.ts'
import { byName, carried, wantedBy } from './fold-cluster.ts'
import { commitOfRevision, namespaceOf } from './names.ts'
import { imageKey, passageKey, podKey, workloadKey } from './ledger-keys.ts'
import { askedOf, deliveryOfImage, type Ledger, type OwedApply } from './ledger.ts'
import { stopOf } from './passage.ts'

/**
 * Whether a fact says what the record does not know yet. Stages tell at every start what their stores show, and at every interval that all is as it
 * was, so most of it is known.
 *
 * Only facts that are repeated so are compared; the others are news by what they are.
 */
export function isNews(ledger: Ledger, fact: FactBody): boolean {
  switch (fact.kind) {
    case 'run': {
      const known = ledger.runs.get(fact.runId)
      return known?.state !== fact.state || known.cause !== fact.cause
    }
    case 'image': {
      const key = imageKey(fact)
      const known = ledger.images.get(key)
      return ledger.intended.images.has(key) || known?.digest !== fact.digest || known.runId !== fact.runId
    }
    case 'write-back':
      return fact.images.length === 0 || !fact.images.every((image) => isWritten(ledger, fact, image))
    case 'pod': {
      const known = ledger.pods.get(podKey(fact))
      const isSame =
        known?.digest === fact.digest &&
        known.image === fact.image &&
        String(known.others ?? []) === String(fact.others ?? [])
      return !isSame || known.ready !== fact.ready || known.gone !== fact.gone
    }
    case 'markers': {
      const { choices = [], problems, cause } = ledger.markers.get(fact.automation) ?? {}
      return JSON.stringify([choices, problems, cause]) !== JSON.stringify([fact.choices, fact.problems, fact.cause])
    }
    case 'build':
      return fact.ok ? !isBuilt(ledger, fact) : !isStopped(ledger, fact)
    case 'apply':
      if (fact.intended === true) return !isIntended(ledger, fact)
      if (!fact.ok) return !isStopped(ledger, fact)
      return fact.changes.length > 0 || !isPassed(ledger, fact, 'apply') || isUnowned(ledger, fact.kustomization)
    case 'deletion':
      return 'policy' in fact ? isNamed(ledger, fact.policy) : ledger.environments.has(fact.kustomization)
    case 'health':
      return fact.state === 'unhealthy' || !isPassed(ledger, fact, 'health')
    default:
      return true
  }
}

type Step = { readonly kustomization: string; readonly revision: string }

/**
 * The revision has passed the border well, was the last to be told healthy, and its build carries nothing that could go on by that.
 *
 * What becomes healthy again, after drift or by going back to an old revision, is news though its passage is long done.
 */
function isPassed(ledger: Ledger, { kustomization, revision }: Step, border: 'build' | 'apply' | 'health'): boolean {
  const environment = ledger.environments.get(kustomization)
  const passage = ledger.passages.get(passageKey({ kustomization, commit: commitOfRevision(revision) }))
  return (
    environment?.revision === revision &&
    environment.healthyAt === revision &&
    passage?.borders[border]?.state === 'done' &&
    stopOf(passage) === undefined &&
    !ledger.intended.applies.has(kustomization) &&
    carried(ledger, kustomization).length === 0
  )
}

/** It asks for a workload that nobody owns yet: an apply that goes through makes it its own. */
function isUnowned(ledger: Ledger, kustomization: string): boolean {
  const isFree = (key: string): boolean => ledger.workloads.get(key)?.isOwned !== true
  return askedOf(ledger).some((one) => one.kustomization === kustomization && isFree(workloadKey(one)))
}

type Refusal = Extract<FactBody, { kind: 'build' | 'apply' }>

/** The revision stands refused at this step for this very cause, and so does all that it carries: a retry that was refused once more. */
function isStopped(ledger: Ledger, fact: Refusal): boolean {
  const { kind, kustomization, revision, cause = '' } = fact
  const why = cause.trim()
  const environment = ledger.environments.get(kustomization)
  const passage = ledger.passages.get(passageKey({ kustomization, commit: commitOfRevision(revision) }))
  const text = `${kind}: ${why}`
  const passed = passage?.borders[kind]
  return (
    environment?.cause === text &&
    passed?.state === 'failed' &&
    passed.detail === why &&
    carried(ledger, kustomization).every((delivery) => delivery.state === 'failed' && delivery.cause === text) &&
    (fact.kind === 'build' || isOwed(ledger, fact))
  )
}

type Apply = Extract<FactBody, { kind: 'apply' }>

/** What a refused apply did before it was refused is remembered until one goes through. */
function isOwed(ledger: Ledger, fact: Apply): boolean {
  return isWithin(fact.changes, refusalOf(ledger, fact)?.changes)
}

/** A retry that is about to do what was refused the last time. */
function isIntended(ledger: Ledger, fact: Apply): boolean {
  return isWithin(fact.changes, refusalOf(ledger, fact)?.refused)
}

function refusalOf({ intended }: Ledger, { kustomization, revision }: Apply): OwedApply | undefined {
  return intended.applies.get(kustomization)?.find((one) => one.revision === revision && !one.ok)
}

function isWithin(changes: readonly AppliedChange[], known: readonly AppliedChange[] | undefined): boolean {
  const texts = new Set(known?.map((one) => JSON.stringify(one)))
  return known !== undefined && changes.every((one) => texts.has(JSON.stringify(one)))
}

/** The record says something of the policy. */
function isNamed({ policyCauses, policyCommits }: Ledger, policy: string): boolean {
  return policyCommits.has(policy) || [...policyCauses.values()].some((one) => one.policy === policy)
}

type Build = Extract<FactBody, { kind: 'build' }>

/** The revision was built with this very outcome, and all that it carries is over or stands refused at its apply: a retry that builds the same. */
function isBuilt(ledger: Ledger, fact: Build): boolean {
  if (!isSameBuild(ledger, fact)) return false
  const wanted = byName(fact.workloads).flatMap((workload) => wantedBy(ledger, workload))
  if (isPassed(ledger, fact, 'build') && wanted.length === 0) return true
  const of = carried(ledger, fact.kustomization)
  return (
    isRefused(ledger, fact) && of.every(({ state }) => state === 'failed') && wanted.every((one) => of.includes(one))
  )
}

/** It stands refused at its apply after a build that went well. */
function isRefused(ledger: Ledger, { kustomization, revision }: Step): boolean {
  const environment = ledger.environments.get(kustomization)
  const passage = ledger.passages.get(passageKey({ kustomization, commit: commitOfRevision(revision) }))
  return (
    environment?.revision === revision &&
    environment.stoppedAt === 'apply' &&
    passage?.borders.build?.state === 'done' &&
    passage.borders.apply?.state === 'failed'
  )
}

function isSameBuild(ledger: Ledger, { kustomization, workloads }: Build): boolean {
  const known = askedOf(ledger).filter((workload) => workload.kustomization === kustomization)
  return textOf(known) === textOf(byName(workloads))
}

function textOf(workloads: readonly WorkloadImages[]): string {
  return workloads
    .map(({ namespace, name, images, needsPods = false }) => JSON.stringify([namespace, name, images, needsPods]))
    .sort()
    .join()
}

/**
 * The push of an image that a policy proves by choosing its tag: the registry wakes the policy before it answers who pushed, and people
 * read what happened in the order in which it did.
 */
export function provedBy(ledger: Ledger, fact: FactBody): FactBody | undefined {
  if (fact.kind !== 'policy') return undefined
  const intent = ledger.intended.images.get(imageKey(fact))
  if (intent === undefined) return undefined
  const { intended: _proved, at: _then, ...pushed } = intent
  return pushed
}

/** Two runs of an automation, woken one after the other, may make the same commit of the same head: to the branch it came once. */
function isWritten(
  ledger: Ledger,
  { automation, commit }: Extract<FactBody, { kind: 'write-back' }>,
  { image, tag }: { readonly image: string; readonly tag: string },
): boolean {
  const delivery = deliveryOfImage(ledger, namespaceOf(automation), image, tag)
  return delivery?.configCommit === commit && delivery.borders['write-back']?.state === 'done'
}
