import type { Delivery, Passage } from './delivery.ts'
import type { FactBody } from './fact.ts'
import { splitImage } from './image-name.ts'
import type { FactOf, Ledger } from './ledger.ts'
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

/** What an archived thing is asked for by: `commit:…`, `run:…`, `image:…`, `digest:…` (hexadecimal), `pod:…`. */
export type ArchiveKey = { readonly key: string; readonly isPrefix?: true }

/** `host/name:tag`. */
export function nameOf({ image, tag }: { readonly image: string; readonly tag: string }): string {
  return `${image}:${tag}`
}

/** `environment/service/state`: how a delivery of a service ended. */
export function endKey(delivery: Delivery): string {
  return `${environmentName(delivery)}/${delivery.service}/${delivery.state}`
}

export const passageKey = ({ kustomization, commit }: Passage): string => `${kustomization} ${commit}`
export const podKey = ({ namespace, pod }: FactOf<'pod'>): string => `${namespace}/${pod}`

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
      return `image ${nameOf(one.is)}`
    case 'pod':
      return `pod ${podKey(one.is)}`
  }
}

/** The keys that it is found by. */
export function keysOfArchived(one: Archived): readonly string[] {
  switch (one.kind) {
    case 'delivery': {
      const { commit, configCommit, runId, image, version, digest } = one.is
      const names = image === undefined ? [] : [`image:${image}:${version}`, ...endingsOf(`${image}:${version}`)]
      return [
        ...new Set([commit, configCommit ?? commit].filter((each) => each !== '').map((each) => `commit:${each}`)),
        ...(runId === undefined ? [] : [`run:${runId}`]),
        ...names,
        ...(digest === undefined ? [] : [digestKey(digest)]),
      ]
    }
    case 'passage':
    case 'push':
      return [`commit:${one.is.commit}`]
    case 'run':
      return [`run:${one.is.runId}`, `commit:${one.is.commit}`]
    case 'image':
      return [`image:${nameOf(one.is)}`]
    case 'pod':
      return [`pod:${one.is.pod}`, `pod:${podKey(one.is)}`]
  }
}

/** `host/team/web:1` is also asked for as `team/web:1` and `web:1`. */
function endingsOf(name: string): readonly string[] {
  const parts = name.split('/')
  return parts.slice(1).map((_, index) => `image:${parts.slice(index + 1).join('/')}`)
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
  return archived.flatMap((one) => (one.kind === 'passage' ? [{ key: `commit:${one.is.commit}` }] : []))
}

/** What a fact names that the ledger does not hold: if the archive does, the fact is no news or goes on with something old. */
export function keysToRecall(ledger: Ledger, fact: FactBody): readonly ArchiveKey[] {
  return unknownNames(ledger, fact).map((key) => ({ key }))
}

function unknownNames(ledger: Ledger, fact: FactBody): readonly string[] {
  const ofImage = (name: string): readonly string[] => (ledger.images.has(name) ? [] : [`image:${name}`])
  switch (fact.kind) {
    case 'push':
      return ledger.pushes.has(fact.commit) ? [] : [`commit:${fact.commit}`]
    case 'run':
      return ledger.runs.has(fact.runId) ? [] : [`run:${fact.runId}`]
    case 'image':
    case 'policy':
      return ofImage(nameOf(fact))
    case 'write-back':
      return fact.images.flatMap((image) => ofImage(nameOf(image)))
    case 'build':
      return fact.workloads.flatMap(({ images }) => images.flatMap((image) => ofImage(nameOf(splitImage(image)))))
    default:
      return []
  }
}
