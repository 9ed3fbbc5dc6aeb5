import { type Border, type BorderName, BORDERS, type BorderState, type Delivery } from './delivery.ts'
import type { Fact } from './fact.ts'
import {
  branchOfRevision,
  commitOfRevision,
  compare,
  type FactIndex,
  type FactOf,
  imagesOf,
  indexFacts,
  serviceOf,
  shortRef,
  splitImage,
} from './fact-index.ts'
import { reachEnvironment, type Reached, type Wanted } from './reach.ts'

/** Facts folded: the deliveries, newest first, and the index they were made from. */
export type DeliveryRecord = { readonly deliveries: readonly Delivery[]; readonly facts: FactIndex }

/**
 * Folds facts into deliveries, joined by commit and by image (digest, or name and tag), never by labels.
 *
 * Pure: repeated facts and another order of arrival give the same record. Time grows with facts times environments.
 */
export function foldFacts(facts: Iterable<Fact>): DeliveryRecord {
  const index = indexFacts(facts)
  const writeBacks = new Set(index['write-back'].map((fact) => fact.commit))
  const known = new Set([...index.push, ...index.run, ...index.image].map((fact) => fact.commit))
  for (const fact of index.source) known.add(fact.commit)
  const commits = [...known].filter((commit) => commit !== '' && !writeBacks.has(commit))
  const deliveries = commits.flatMap((commit) => deliveriesOf(index, commit))
  deliveries.sort(
    (a, b) =>
      compare(b.startedAt, a.startedAt) || compare(a.service, b.service) || compare(a.environment, b.environment),
  )
  return { deliveries: markSuperseded(deliveries), facts: index }
}

/** What a commit is known by before it reaches an environment. */
type Origin = {
  readonly commit: string
  readonly branch: string
  readonly startedAt: string
  readonly author: string
  readonly message: string
  readonly push: Border
}

function deliveriesOf(index: FactIndex, commit: string): Delivery[] {
  const origin = originOf(index, commit)
  const images = index.image.filter((fact) => fact.commit === commit)
  const services = new Map(images.map((fact) => [serviceName(index, fact.image), fact]))
  const built = [...services].flatMap(([service, image]) => imageDeliveries(index, origin, service, image))
  const runs = lastRuns(index, commit).filter((run) => !images.some((image) => image.runId === run.runId))
  const unbuilt = runs
    .filter((run) => run.state !== 'succeeded' && run.state !== 'skipped')
    .map((run) => runDelivery(index, origin, run))
  return [...built, ...unbuilt, ...configDeliveries(index, origin)]
}

function originOf(index: FactIndex, commit: string): Origin {
  const push = index.push.find((fact) => fact.commit === commit)
  const first = [
    ...index.run.filter((fact) => fact.commit === commit),
    ...index.image.filter((fact) => fact.commit === commit),
    ...index.source.filter((fact) => fact.commit === commit),
  ].sort((a, b) => compare(a.at, b.at))[0]
  const run = index.run.find((fact) => fact.commit === commit)
  const source = index.source.find((fact) => fact.commit === commit)
  const branch = push
    ? shortRef(push.ref)
    : run
      ? shortRef(run.ref)
      : source
        ? (branchOfRevision(source.revision) ?? '')
        : ''
  const message = push?.message.split('\n')[0] ?? ''
  const startedAt = push?.at ?? first?.at ?? ''
  const detail = push ? `${push.author}: ${message}` : 'seen later, its push was not'
  return {
    commit,
    branch,
    startedAt,
    author: push?.author ?? '',
    message,
    push: border('push', 'done', startedAt, detail),
  }
}

/** The newest fact of each run. */
function lastRuns(index: FactIndex, commit: string): readonly FactOf<'run'>[] {
  const runs = new Map<string, FactOf<'run'>>()
  for (const fact of index.run) if (fact.commit === commit) runs.set(fact.runId, fact)
  const newest = new Map<string, FactOf<'run'>>()
  for (const run of runs.values()) newest.set(run.workflow, run)
  return [...newest.values()]
}

function ciBorder(run: FactOf<'run'> | undefined): Border {
  if (!run) return border('ci', 'done', undefined, 'not seen')
  const state: BorderState =
    run.state === 'succeeded' || run.state === 'skipped'
      ? 'done'
      : run.state === 'running'
        ? 'running'
        : run.state === 'queued'
          ? 'waiting'
          : 'failed'
  return border(
    'ci',
    state,
    run.at,
    state === 'failed'
      ? `${run.workflow} ${run.state}: ${run.cause ?? 'no cause told'}`
      : `${run.workflow} ${run.state}`,
  )
}

/** A run that brought no image (yet): its delivery stands at CI. */
function runDelivery(index: FactIndex, origin: Origin, run: FactOf<'run'>): Delivery {
  const names = new Set(index.image.map((fact) => serviceName(index, fact.image)))
  const service = [...names].filter((name) => run.workflow.includes(name)).sort((a, b) => b.length - a.length)[0]
  const environment = run.event === 'pull_request' ? `pull request to ${origin.branch}` : origin.branch
  return finish(origin, service ?? run.workflow, environment, undefined, [origin.push, ciBorder(run)])
}

function imageDeliveries(index: FactIndex, origin: Origin, service: string, image: FactOf<'image'>): Delivery[] {
  const run = index.run.filter((fact) => fact.runId === image.runId).at(-1) ?? lastRuns(index, origin.commit)[0]
  const head = [
    origin.push,
    ciBorder(run),
    border('image', 'done', image.at, `${image.image}:${image.tag} ${image.digest}`),
  ]
  const wanted: Wanted = { kind: 'image', image, branch: origin.branch }
  const environments = environmentsOf(index, wanted)
  if (environments.length === 0) {
    const reached = reachEnvironment(index, wanted, undefined)
    return [finish(origin, service, origin.branch, image, [...head, ...reached.borders], reached)]
  }
  return environments.map((kustomization) => {
    const reached = reachEnvironment(index, wanted, kustomization)
    return finish(origin, service, environmentName(index, kustomization), image, [...head, ...reached.borders], reached)
  })
}

/** Kustomizations that were built with this very image; when none was, those that were built with another tag of it from the same branch. */
function environmentsOf(index: FactIndex, { image, branch }: Wanted & { kind: 'image' }): string[] {
  const exact = new Set<string>()
  const near = new Set<string>()
  for (const build of index.build)
    for (const one of imagesOf(build)) {
      if (one.name !== image.image) continue
      if (one.tag === image.tag || (one.digest !== '' && one.digest === image.digest)) exact.add(build.kustomization)
      else if (branchOfRevision(build.revision) === branch) near.add(build.kustomization)
    }
  return [...(exact.size > 0 ? exact : near)].sort(compare)
}

/** What a commit changed in the cluster without bringing an image: manifests. */
function configDeliveries(index: FactIndex, origin: Origin): Delivery[] {
  const kustomizations = new Set(
    index.build.filter((fact) => commitOfRevision(fact.revision) === origin.commit).map((fact) => fact.kustomization),
  )
  return [...kustomizations].sort(compare).flatMap((kustomization) => {
    const services = changedServices(index, kustomization, origin.commit)
    const reached = reachEnvironment(index, { kind: 'commit', commit: origin.commit }, kustomization)
    const environment = environmentName(index, kustomization)
    return services.map((service) => {
      const skipped = (['ci', 'image', 'policy', 'write-back'] as const).map((name) =>
        border(name, 'done', undefined, 'not needed'),
      )
      return finish(origin, service, environment, undefined, [origin.push, ...skipped, ...reached.borders], reached)
    })
  })
}

function changedServices(index: FactIndex, kustomization: string, commit: string): string[] {
  const isIt = (fact: { kustomization: string; revision: string }): boolean =>
    fact.kustomization === kustomization && commitOfRevision(fact.revision) === commit
  const changes = index.apply
    .filter(isIt)
    .flatMap((fact) =>
      fact.changes.filter((change) => !change.drift && change.action !== 'unchanged' && change.action !== 'skipped'),
    )
  const workloads = changes
    .map(({ object }) => object.split('/'))
    .filter(([kind]) => /^(Deployment|StatefulSet|DaemonSet|CronJob|Job)$/.test(kind ?? ''))
  const names = [...new Set(workloads.map((parts) => parts.at(-1) ?? ''))].sort(compare)
  if (names.length > 0) return names
  const isStopped = [...index.build, ...index.apply].some((fact) => isIt(fact) && !fact.ok)
  return changes.length > 0 || isStopped ? [serviceOf(kustomization)] : []
}

/** The workload that runs an image, when there is one such; else the last part of the image's name. */
function serviceName(index: FactIndex, image: string): string {
  const workloads = index.build.flatMap((build) => build.workloads)
  const names = new Set(
    workloads.filter((one) => one.images.some((text) => splitImage(text).name === image)).map((one) => one.name),
  )
  const [name] = names
  return names.size === 1 && name !== undefined ? name : serviceOf(image)
}

/** A Kustomization's own name; with its namespace where two have the same. */
function environmentName(index: FactIndex, kustomization: string): string {
  const name = serviceOf(kustomization)
  const isShared = index.build.some(
    (fact) => fact.kustomization !== kustomization && serviceOf(fact.kustomization) === name,
  )
  return isShared ? kustomization : name
}

function finish(
  origin: Origin,
  service: string,
  environment: string,
  image: FactOf<'image'> | undefined,
  seen: readonly Border[],
  reached?: Reached,
): Delivery {
  const borders = complete(seen)
  const failed = borders.find((one) => one.state === 'failed')
  const isDone = borders.every((one) => one.state === 'done')
  const state: BorderState = failed
    ? 'failed'
    : isDone
      ? 'done'
      : borders.some((one) => one.state === 'running')
        ? 'running'
        : 'waiting'
  return {
    service,
    environment,
    version: image?.tag ?? '',
    image: image?.image ?? '',
    digest: image?.digest ?? '',
    commit: origin.commit,
    configCommit: reached?.configCommit ?? '',
    branch: origin.branch,
    author: origin.author,
    message: origin.message,
    state,
    startedAt: origin.startedAt,
    endedAt: isDone ? borders.at(-1)?.at : failed?.at,
    cause: failed?.detail,
    borders,
  }
}

/** Every border once, in order; after the first that stands open none is done. */
function complete(seen: readonly Border[]): Border[] {
  return BORDERS.map((name) => seen.find((one) => one.name === name) ?? border(name, 'waiting', undefined, ''))
}

/** An unfinished delivery that a newer one of the same service and environment has finished past will not move any more. */
function markSuperseded(newestFirst: readonly Delivery[]): Delivery[] {
  const finished = new Map<string, Delivery>()
  return newestFirst.map((delivery) => {
    const key = `${delivery.service} in ${delivery.environment}`
    const later = finished.get(key)
    if (delivery.state === 'done' && !later) finished.set(key, delivery)
    if (!later || delivery.state === 'done' || delivery.state === 'failed') return delivery
    const cause = `superseded by ${later.version || later.commit.slice(0, 7)}`
    return { ...delivery, state: 'failed', cause, endedAt: later.endedAt }
  })
}

function border(name: BorderName, state: BorderState, at: string | undefined, detail: string): Border {
  return { name, state, at, detail }
}
