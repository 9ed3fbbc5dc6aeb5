import type { Delivery, Passage } from './delivery.ts'
import type { FactBody, WorkloadImages } from './fact.ts'
import { commitOfRevision, namespaceOf, splitImage } from './names.ts'
import { deliveryOfImage, type FactOf, type Ledger } from './ledger.ts'
import { imageKey, passageKey, podKey, type Tagged, wayKey } from './ledger-keys.ts'
import { environmentName } from './query.ts'

/** What may leave the ledger, by kind. */
export type ArchivedKinds = {
  readonly delivery: Delivery
  readonly passage: Passage
  readonly push: FactOf<'push'>
  readonly run: FactOf<'run'>
  readonly image: FactOf<'image'>
  readonly pod: FactOf<'pod'>
}

/**
 * What has ended and is needed by nothing that goes on: it changes no more, and is looked up on disk where somebody asks for it.
 * `digests` are all that a run has pushed of an image.
 */
export type Archived = {
  readonly [K in keyof ArchivedKinds]: {
    readonly kind: K
    readonly is: ArchivedKinds[K]
    readonly digests?: readonly string[]
  }
}[keyof ArchivedKinds]

/**
 * What an archived thing is asked for by: by people as `commit:…`, `image:…`, `digest:…` (hexadecimal) and `pod:…`; by facts, which mean one thing,
 * as `delivery:id`, `way:environment image:tag`, `passage:kustomization commit`, `push:commit`, `run:id` and `built:image:tag`.
 */
export type ArchiveKey = { readonly key: string; readonly isPrefix?: true }

/** `environment/service/state`: how a delivery of a service ended. */
export function endKey(delivery: Delivery): string {
  return `${environmentName(delivery)}/${delivery.service}/${delivery.state}`
}

/** What tells an archived thing from all others. */
export function archiveRef(one: Archived): string {
  switch (one.kind) {
    case 'delivery':
      return `delivery ${one.is.id}`
    case 'passage':
      return `passage ${passageKey(one.is)}`
    case 'push':
      return `push ${one.is.commit}`
    case 'run':
      return `run ${one.is.runId}`
    case 'image':
      return `image ${imageKey(one.is)}`
    case 'pod':
      return `pod ${podKey(one.is)}`
  }
}

/** The keys that it is found by. */
export function keysOfArchived(one: Archived): readonly string[] {
  switch (one.kind) {
    case 'delivery':
      return keysOfDelivery(one.is)
    case 'passage':
      return [`commit:${one.is.commit}`, throughKey(passageKey(one.is))]
    case 'push':
      return [`commit:${one.is.commit}`, pushKey(one.is.commit)]
    case 'run':
      return [`commit:${one.is.commit}`, runKey(one.is.runId)]
    case 'image':
      return [builtKey(imageKey(one.is))]
    case 'pod':
      return [`pod:${one.is.pod}`, `pod:${podKey(one.is)}`]
  }
}

function keysOfDelivery(delivery: Delivery): readonly string[] {
  const { id, environment, kind, commit, configCommit, runId, image, version, digest } = delivery
  const named = image === undefined ? undefined : { image, tag: version }
  return [
    deliveryKey(id),
    ...new Set([commit, configCommit ?? commit].filter((each) => each !== '').map((each) => `commit:${each}`)),
    ...(runId === undefined ? [] : [runKey(runId)]),
    ...(named === undefined ? [] : namesOf(imageKey(named)).map((name) => `image:${name}`)),
    ...(named === undefined || kind !== 'image' ? [] : [metKey(environment, named)]),
    ...(digest === undefined ? [] : [digestKey(digest)]),
  ]
}

const deliveryKey = (id: string): string => `delivery:${id}`
const metKey = (environment: string, image: Tagged): string => `way:${wayKey(environment, image)}`
const throughKey = (passage: string): string => `passage:${passage}`
const builtKey = (name: string): string => `built:${name}`
const runKey = (runId: string): string => `run:${runId}`
export const pushKey = (commit: string): string => `push:${commit}`

/** `host/team/web:1` is also asked for as `team/web:1` and `web:1`. */
function namesOf(name: string): readonly string[] {
  const parts = name.split('/')
  return parts.map((_, index) => parts.slice(index).join('/'))
}

export function digestKey(digest: string): string {
  return `digest:${digest.replace(/^sha256:/, '')}`
}

/** What `trace` may mean by a word: at least 4 digits of a commit, an image, 12 of its digest or all of it, a pod. */
export function keysOfSearch(what: string): readonly ArchiveKey[] {
  const prefix = (key: string): ArchiveKey => ({ key, isPrefix: true })
  return [
    ...(/^[0-9a-f]{4,40}$/.test(what) ? [prefix(`commit:${what}`)] : []),
    ...(/^(sha256:)?[0-9a-f]{12,64}$/.test(what) ? [prefix(digestKey(what))] : []),
    { key: `image:${what}` },
    { key: `pod:${what}` },
  ]
}

/** The commits that Kustomizations were told: who pushed them is asked for next. */
export function pushesOfPassages(archived: readonly Archived[]): readonly ArchiveKey[] {
  return archived.flatMap((one) => (one.kind === 'passage' ? [{ key: pushKey(one.is.commit) }] : []))
}

/** Where images come from: their runs and pushes are asked for next. */
export function originsOfImages(archived: readonly Archived[]): readonly ArchiveKey[] {
  return archived.flatMap((one) =>
    one.kind === 'image' ? [{ key: runKey(one.is.runId) }, { key: pushKey(one.is.commit) }] : [],
  )
}

/** What a fact names that the ledger does not hold: if the archive does, the fact is no news or goes on with something old. */
export function keysToRecall(ledger: Ledger, fact: FactBody): readonly ArchiveKey[] {
  return unknownThings(ledger, fact).map((key) => ({ key }))
}

function unknownThings(ledger: Ledger, fact: FactBody): readonly string[] {
  switch (fact.kind) {
    case 'push':
      return ledger.pushes.has(fact.commit) ? [] : [pushKey(fact.commit)]
    case 'run':
      return ledger.runs.has(fact.runId) ? [] : [runKey(fact.runId)]
    case 'image':
      return unknownImage(ledger, fact)
    case 'policy':
      return unknownWay(ledger, namespaceOf(fact.policy), fact)
    case 'write-back':
      return fact.images.flatMap((image) => unknownWay(ledger, namespaceOf(fact.automation), image))
    case 'build':
      return [
        ...unknownPassage(ledger, fact),
        ...fact.workloads.flatMap((workload) => unknownImagesOf(ledger, workload)),
      ]
    case 'apply':
      return [
        ...unknownPassage(ledger, fact),
        ...fact.changes.flatMap((change) => unknownChange(ledger, change.object, fact.revision)),
      ]
    case 'health':
      return unknownPassage(ledger, fact)
    case 'pod':
      return ledger.pods.has(podKey(fact)) ? [] : [`pod:${podKey(fact)}`]
    default:
      return []
  }
}

function unknownImage(ledger: Ledger, image: Tagged): readonly string[] {
  return ledger.images.has(imageKey(image)) ? [] : [builtKey(imageKey(image))]
}

function unknownWay(ledger: Ledger, environment: string, image: Tagged): readonly string[] {
  const isKnown = deliveryOfImage(ledger, environment, image.image, image.tag) !== undefined
  return [...unknownImage(ledger, image), ...(isKnown ? [] : [metKey(environment, image)])]
}

/** What a workload had before is on no new way. */
function unknownImagesOf(ledger: Ledger, { namespace, name, images }: WorkloadImages): readonly string[] {
  const before = ledger.workloads.get(`${namespace}/${name}`)?.images ?? []
  const others = images.filter((image) => !before.includes(image))
  return others.flatMap((image) => unknownWay(ledger, namespace, splitImage(image)))
}

type Step = { readonly kustomization: string; readonly revision: string }

function unknownPassage(ledger: Ledger, { kustomization, revision }: Step): readonly string[] {
  const key = passageKey({ kustomization, commit: commitOfRevision(revision) })
  return ledger.passages.has(key) ? [] : [throughKey(key)]
}

function unknownChange(ledger: Ledger, object: string, revision: string): readonly string[] {
  const commit = commitOfRevision(revision)
  const id = `${object.slice(object.indexOf('/') + 1)}/config/${commit}`
  if (ledger.deliveries.has(id)) return []
  return [deliveryKey(id), ...(ledger.pushes.has(commit) ? [] : [pushKey(commit)])]
}
