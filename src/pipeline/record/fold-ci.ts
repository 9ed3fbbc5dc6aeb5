import type { BorderRecord, Delivery } from './delivery.ts'
import { judgeWriteBack } from './fold-markers.ts'
import { baseName, branchOfRevision, namespaceOf } from './names.ts'
import { imageKey, pushedKey, wayKey } from './ledger-keys.ts'
import {
  deliveryOfImage,
  endRivals,
  type FactOf,
  HEALED,
  type Ledger,
  markBorder,
  newDelivery,
  pushBorder,
  startDelivery,
} from './ledger.ts'

/** A push: the first border of every delivery of its commit, also of those that were heard of before it. */
export function foldPush(ledger: Ledger, fact: FactOf<'push'>): void {
  if (ledger.pushes.has(fact.commit)) return
  ledger.pushes.set(fact.commit, fact)
  for (const delivery of ledger.deliveries.ofCommit(fact.commit))
    ledger.deliveries.set(delivery.id, { ...delivery, borders: { push: pushBorder(fact), ...delivery.borders } })
}

/** A workflow run: opens a delivery where the branch and the workflow tell which one it will be, and marks `ci`. */
export function foldRun(ledger: Ledger, fact: FactOf<'run'>): void {
  ledger.runs.set(fact.runId, fact)
  if (fact.event === 'pull_request' || fact.state === 'skipped') return
  const isKnown = (target: Target): boolean =>
    ledger.deliveries
      .ofRun(fact.runId)
      .some(({ environment, service }) => environment === target.environment && service === target.service)
  const targets = fact.state === 'succeeded' ? [] : targetsOf(ledger, fact).filter((target) => !isKnown(target))
  for (const { environment, service, kustomization } of targets) {
    const id = `${environment}/${service}/run/${fact.runId}`
    const { commit, runId, at: startedAt } = fact
    const known = { id, service, environment, kustomization, kind: 'image', commit, runId, startedAt } as const
    startDelivery(ledger, newDelivery(known), fact.at)
  }
  const detail = detailOf(fact)
  const at = fact.at
  endOfRun(ledger, fact)
  for (const delivery of ledger.deliveries.ofRun(fact.runId)) {
    if (delivery.endedAt !== undefined) continue
    if (fact.state === 'succeeded') markBorder(ledger, delivery, 'ci', { state: 'done', at, detail })
    else if (fact.state === 'failed' || fact.state === 'cancelled')
      markBorder(
        ledger,
        delivery,
        'ci',
        { state: 'failed', at, detail },
        { state: 'failed', cause: `ci: ${detail}`, endedAt: at },
      )
    else markBorder(ledger, delivery, 'ci', { state: 'running', at, detail })
  }
}

// A run may go on after its image has arrived; how it ends is noted, and changes nothing else of a delivery that has ended.
function endOfRun(ledger: Ledger, fact: FactOf<'run'>): void {
  const state = fact.state === 'succeeded' ? 'done' : fact.state === 'failed' ? 'failed' : undefined
  if (state === undefined) return
  for (const delivery of ledger.deliveries.ofRun(fact.runId)) {
    const { endedAt, borders } = delivery
    if (endedAt === undefined || borders.ci?.state !== 'running') continue
    const ci: BorderRecord = { state, at: fact.at, detail: detailOf(fact) }
    ledger.deliveries.set(delivery.id, { ...delivery, borders: { ...borders, ci } })
  }
}

/** A workflow that could not be read has no name but its path, and its cause begins with it. */
function detailOf({ workflow, state, cause }: FactOf<'run'>): string {
  if (cause === undefined) return `${workflow} ${state}`
  return cause.startsWith(`${workflow}:`) ? cause : `${workflow}: ${cause}`
}

/**
 * An image that was pushed. It joins the delivery of its run, and whatever delivery a policy opened for its tag before the
 * run told of it.
 */
export function foldImage(ledger: Ledger, fact: FactOf<'image'>): void {
  const key = imageKey(fact)
  if (fact.intended) return void ledger.intended.images.set(key, fact)
  ledger.intended.images.delete(key)
  ledger.images.set(key, fact)
  const ofRun = pushedKey(fact.runId, fact)
  ledger.digests.set(ofRun, new Set([...(ledger.digests.get(ofRun) ?? []), fact.digest]))
  const isOfRun = (open: Delivery): boolean =>
    open.endedAt === undefined && open.image === undefined && open.service === baseName(fact.image)
  const isOpen = ({ endedAt, commit }: Delivery): boolean => endedAt === undefined || commit === ''
  const ofTag = ledger.deliveries.ofImage(fact.image, fact.tag).filter(isOpen)
  for (const delivery of [...ofTag, ...ledger.deliveries.ofRun(fact.runId).filter(isOfRun)]) {
    const detail = `${key} ${fact.digest}`
    const known = { image: fact.image, version: fact.tag, digest: fact.digest }
    const origin = originOf(ledger, fact, delivery)
    markBorder(ledger, { ...delivery, ...origin }, 'image', { state: 'done', at: fact.at, detail }, known)
  }
}

/** The tag is in the registry: who was about to push it has done so. The intent stays until the deed is told, which then still is news. */
export function provePushed(ledger: Ledger, image: string, tag: string, at: string): void {
  const key = imageKey({ image, tag })
  const fact = ledger.intended.images.get(key)
  if (fact === undefined) return
  const { intended: _proved, ...pushed } = fact
  foldImage(ledger, { ...pushed, at })
  ledger.intended.images.set(key, fact)
}

/** A policy's choice: from here on the delivery has its environment, the policy's namespace. */
export function foldPolicy(ledger: Ledger, fact: FactOf<'policy'>): void {
  provePushed(ledger, fact.image, fact.tag, fact.at)
  const environment = namespaceOf(fact.policy)
  const service = serviceOf(ledger, environment, fact.image)
  dropCause(ledger, fact.policy)
  if (fact.cause !== undefined) {
    const { policy, cause, at } = fact
    ledger.policyCauses.set(`${environment}/${service}`, { policy, cause, at })
    return
  }
  ledger.policyCauses.delete(`${environment}/${service}`)
  const known = deliveryOfImage(ledger, environment, fact.image, fact.tag)
  if (known?.endedAt !== undefined || (known === undefined && isDeployed(ledger, environment, fact))) return
  if (known !== undefined) endRivals(ledger, known, fact.at)
  const delivery = known ?? openForImage(ledger, environment, service, fact)
  const detail = `${fact.policy} selects ${fact.tag} of ${fact.considered} ${fact.considered === 1 ? 'tag' : 'tags'}`
  judgeWriteBack(ledger, markBorder(ledger, delivery, 'policy', { state: 'done', at: fact.at, detail }), fact.at)
}

/** An ImagePolicy that is no more stops nothing. */
export function foldPolicyDeletion(ledger: Ledger, policy: string): void {
  dropCause(ledger, policy)
  ledger.policyCommits.delete(policy)
}

/** It may have been about the image of another service before. */
function dropCause({ policyCauses }: Ledger, policy: string): void {
  for (const [key, cause] of policyCauses) if (cause.policy === policy) policyCauses.delete(key)
}

/** The commit that asks for new images. */
export function foldWriteBack(ledger: Ledger, fact: FactOf<'write-back'>): void {
  const environment = namespaceOf(fact.automation)
  for (const { image, tag } of fact.images) {
    const key = wayKey(environment, { image, tag })
    if (fact.intended) {
      ledger.intended.writeBacks.set(key, fact.commit)
      continue
    }
    ledger.intended.writeBacks.delete(key)
    const delivery = deliveryOfImage(ledger, environment, image, tag)
    if (delivery === undefined || delivery.endedAt !== undefined) continue
    const detail = `${fact.automation} committed ${fact.commit.slice(0, 12)} to ${fact.branch}`
    markBorder(
      ledger,
      delivery,
      'write-back',
      { state: 'done', at: fact.at, detail },
      { configCommit: fact.commit, ...HEALED },
    )
  }
}

/** An image as it is first met in an environment. */
export type ImageMet = { readonly image: string; readonly tag: string; readonly digest?: string; readonly at: string }

/** The delivery of an image that has none in this environment yet: the one that its run opened, or a new one. */
export function openForImage(ledger: Ledger, environment: string, service: string, met: ImageMet): Delivery {
  return adoptRun(ledger, environment, service, met) ?? startOfImage(ledger, environment, service, met)
}

/** The delivery that a run opened and whose image nobody has named yet. */
function adoptRun(
  ledger: Ledger,
  environment: string,
  service: string,
  { image, tag, at }: ImageMet,
): Delivery | undefined {
  const built = ledger.images.get(imageKey({ image, tag }))
  const isIt = ({ runId, image: pushed }: Delivery): boolean =>
    runId !== undefined && pushed === undefined && (built === undefined || built.runId === runId)
  const open = ledger.deliveries.openOf({ namespace: environment, name: service }).find(isIt)
  if (open === undefined) return undefined
  endRivals(ledger, open, at)
  return { ...open, image, version: tag }
}

function startOfImage(ledger: Ledger, environment: string, service: string, met: ImageMet): Delivery {
  const built = ledger.images.get(imageKey(met))
  const delivery = newDelivery({
    id: `${environment}/${service}/image/${imageKey(met)}`,
    service,
    environment,
    kustomization: ledger.workloads.get(`${environment}/${service}`)?.kustomization,
    kind: 'image',
    image: met.image,
    version: met.tag,
    digest: built?.digest ?? met.digest,
    commit: '',
    startedAt: met.at,
  })
  if (built === undefined) return startDelivery(ledger, delivery, met.at)
  const image: BorderRecord = { state: 'done', at: built.at, detail: `${imageKey(built)} ${built.digest}` }
  const origin = originOf(ledger, built, delivery)
  return startDelivery(ledger, { ...delivery, ...origin, borders: { ...origin.borders, image } }, met.at)
}

/** What an image says of where it comes from: commit, run, push. */
function originOf(ledger: Ledger, built: FactOf<'image'>, { startedAt, borders }: Delivery) {
  const push = ledger.pushes.get(built.commit)
  const run = ledger.runs.get(built.runId)
  const ci: BorderRecord | undefined = run && {
    state: run.state === 'succeeded' ? 'done' : 'running',
    at: run.at,
    detail: `${run.workflow} ${run.state}`,
  }
  return {
    commit: built.commit,
    runId: built.runId,
    startedAt: [push?.at, run?.at, built.at, startedAt].filter((at) => at !== undefined).sort()[0] ?? startedAt,
    borders: { ...(push && { push: pushBorder(push) }), ...(ci && { ci }), ...borders },
  }
}

type Target = { readonly environment: string; readonly service: string; readonly kustomization: string }

/** Which deliveries a run will become: environments that follow its branch, and the service whose image this workflow built before or whose name it bears. */
function targetsOf(ledger: Ledger, fact: FactOf<'run'>): readonly Target[] {
  const branch = fact.ref.replace(/^refs\/heads\//, '')
  if (branch === fact.ref) return []
  const isFollowing = (kustomization: string): boolean =>
    branchOfRevision(ledger.environments.get(kustomization)?.revision ?? '') === branch
  return [...ledger.workloads.values()]
    .filter(
      (workload) =>
        isFollowing(workload.kustomization) && isBuiltBy(ledger, workload.images, workload.name, fact.workflow),
    )
    .map(({ namespace, name, kustomization }) => ({ environment: namespace, service: name, kustomization }))
}

function isBuiltBy(ledger: Ledger, images: readonly string[], name: string, workflow: string): boolean {
  const byName = workflow.toLowerCase().replaceAll(' ', '-').includes(name)
  return byName || images.some((image) => ledger.runs.get(ledger.images.get(image)?.runId ?? '')?.workflow === workflow)
}

function serviceOf(ledger: Ledger, environment: string, image: string): string {
  const workload = [...ledger.workloads.values()].find(
    (candidate) =>
      candidate.namespace === environment &&
      candidate.images.some((used) => used === image || used.startsWith(`${image}:`)),
  )
  return workload?.name ?? baseName(image)
}

function isDeployed(ledger: Ledger, environment: string, chosen: FactOf<'policy'>): boolean {
  return [...ledger.workloads.values()].some(
    (workload) => workload.namespace === environment && workload.images.includes(imageKey(chosen)),
  )
}
