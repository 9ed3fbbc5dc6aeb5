import { groupBy } from '../../lib/value/group-by.ts'
import { type Archived, type ArchivedKinds, endKey } from './archive-keys.ts'
import { Deliveries } from './deliveries.ts'
import type { Delivery } from './delivery.ts'
import { commitOfRevision, splitImage } from './names.ts'
import { askedOf, type FactOf, type Ledger } from './ledger.ts'
import { imageKey, passageKey, podKey, pushedKey } from './ledger-keys.ts'
import { lastImages } from './needed-images.ts'
import { isShown, latestFirst } from './query.ts'

/** How many deliveries (pushes, runs, …) a ledger may hold, how many of the newest it keeps then, and how many deliveries of each service in each environment besides. */
export type Bounds = { readonly most: number; readonly keep: number; readonly ofService: number }

/** What may leave a ledger that holds more than `most` of something: the oldest, with all that only they need. */
export function planArchive(ledger: Ledger, bounds: Bounds): readonly Archived[] {
  const deliveries = [...ledger.deliveries.values()].sort(byTime)
  const since = timeOfOldestKept(deliveries, bounds) ?? ''
  const newest = deliveries.filter((one) => timeOf(one) >= since)
  const kept = new Set([...newest, ...ledger.deliveries.open(), ...newestOfEach(deliveries, bounds.ofService)])
  const needed = neededBy(ledger, kept)
  const past = <T extends Timed>(all: ReadonlyMap<string, T>): readonly T[] => {
    const cut = timeOfOldestKept([...all.values()], bounds) ?? since
    return [...all.values()].filter((one) => timeOf(one) < cut)
  }
  const passages = new Set(past(ledger.passages).filter(({ commit }) => !needed.commits.has(commit)))
  const going = [...ledger.passages.values()].filter((one) => !passages.has(one))
  const commits = new Set([...needed.commits, ...going.map(({ commit }) => commit)])
  return [
    ...deliveries.filter((one) => !kept.has(one)).map((is) => ({ kind: 'delivery', is }) as const),
    ...[...passages].map((is) => ({ kind: 'passage', is }) as const),
    ...past(ledger.pushes)
      .filter(({ commit }) => !commits.has(commit))
      .map((is) => ({ kind: 'push', is }) as const),
    ...past(ledger.runs)
      .filter((run) => hasEnded(run) && !needed.runs.has(run.runId))
      .map((is) => ({ kind: 'run', is }) as const),
    ...past(ledger.images)
      .filter((image) => !needed.images.has(imageKey(image)))
      .map((is) => ({ kind: 'image', is, digests: [...(ledger.digests.get(pushedKey(is.runId, is)) ?? [])] }) as const),
    ...past(new Map([...ledger.pods].filter(([, pod]) => pod.gone))).map((is) => ({ kind: 'pod', is }) as const),
  ]
}

type Timed = { readonly at: string } | { readonly startedAt: string }

function timeOf(thing: Timed): string {
  return 'at' in thing ? thing.at : thing.startedAt
}

function byTime(a: Timed, b: Timed): number {
  return timeOf(a) < timeOf(b) ? -1 : timeOf(a) > timeOf(b) ? 1 : 0
}

/** Undefined while there are not too many. */
function timeOfOldestKept(things: readonly Timed[], { most, keep }: Bounds): string | undefined {
  return things.length > most ? things.map(timeOf).sort().at(-keep) : undefined
}

/** What a service shows of an environment, and what a rollback goes back to. */
function newestOfEach(all: readonly Delivery[], count: number): readonly Delivery[] {
  const services = groupBy(all, ({ environment, service }) => `${environment}/${service}`)
  return [...services.values()].flatMap((deliveries) => [
    ...deliveries.filter(isShown).sort(latestFirst).slice(0, count),
    ...lastImages(deliveries.filter(({ image, state }) => image !== undefined && state === 'done')),
  ])
}

type Needed = {
  readonly commits: ReadonlySet<string>
  readonly runs: ReadonlySet<string>
  readonly images: ReadonlySet<string>
}

/** What is kept asks for, and what Git, a policy, a stop or something intended names. */
function neededBy(ledger: Ledger, kept: ReadonlySet<Delivery>): Needed {
  const { intended } = ledger
  const ofGit = askedOf(ledger).flatMap(({ images }) => images.map(splitImage))
  const images = new Set([
    ...[...kept].flatMap(({ image, version }) => (image === undefined ? [] : [imageKey({ image, tag: version })])),
    ...ofGit.map(imageKey),
    ...intended.images.keys(),
  ])
  const built = [...images].flatMap((name) => ledger.images.get(name) ?? [])
  const applies = [...intended.applies.values()].flat()
  return {
    images,
    runs: new Set([...[...kept].map(({ runId }) => runId ?? ''), ...built.map(({ runId }) => runId)]),
    commits: new Set([
      ...[...kept].flatMap(({ commit, configCommit = '' }) => [commit, configCommit]),
      ...built.map(({ commit }) => commit),
      ...ledger.policyCommits.values(),
      ...intended.writeBacks.values(),
      ...applies.map(({ revision }) => commitOfRevision(revision)),
      ...[...ledger.environments.values()].flatMap(({ revision, stoppedBy = '' }) => [
        commitOfRevision(revision),
        stoppedBy,
      ]),
    ]),
  }
}

function hasEnded({ state }: FactOf<'run'>): boolean {
  return state !== 'queued' && state !== 'running'
}

/** The same ledger without them; it goes on counting how deliveries ended. */
export function withoutArchived(ledger: Ledger, archived: readonly Archived[]): Ledger {
  const gone = new Set(archived.map(({ is }): unknown => is))
  const goneDigests = new Set(
    archived.flatMap((one) => (one.kind === 'image' ? [pushedKey(one.is.runId, one.is)] : [])),
  )
  const rest = <V>(map: ReadonlyMap<string, V>): Map<string, V> =>
    new Map([...map].filter(([, value]) => !gone.has(value)))
  const deliveries = new Deliveries()
  for (const [id, one] of ledger.deliveries) if (!gone.has(one)) deliveries.set(id, one)
  return {
    ...ledger,
    deliveries,
    pushes: rest(ledger.pushes),
    runs: rest(ledger.runs),
    images: rest(ledger.images),
    passages: rest(ledger.passages),
    pods: rest(ledger.pods),
    digests: new Map([...ledger.digests].filter(([key]) => !goneDigests.has(key))),
    archivedEnds: countEnds(ledger.archivedEnds, archived, 1),
  }
}

/** The same ledger with them, before what it holds itself. */
export function withArchived(ledger: Ledger, archived: readonly Archived[]): Ledger {
  const of = <K extends keyof ArchivedKinds>(kind: K): readonly ArchivedKinds[K][] =>
    archived.flatMap((one) => (one.kind === kind ? [one.is as ArchivedKinds[K]] : []))
  const deliveries = new Deliveries()
  const known = [...new Map(of('delivery').map((one) => [one.id, one])).values()].filter(
    ({ id }) => !ledger.deliveries.has(id),
  )
  for (const one of known) deliveries.set(one.id, one)
  for (const [id, one] of ledger.deliveries) deliveries.set(id, one)
  const returned = known.map((is) => ({ kind: 'delivery', is }) as const)
  return {
    ...ledger,
    deliveries,
    pushes: joined(of('push'), ({ commit }) => commit, ledger.pushes),
    runs: joined(of('run'), ({ runId }) => runId, ledger.runs),
    images: joined(of('image'), imageKey, ledger.images),
    passages: joined(of('passage'), passageKey, ledger.passages),
    pods: joined(of('pod'), podKey, ledger.pods),
    digests: new Map([
      ...archived.flatMap((one) =>
        one.kind === 'image' ? [[pushedKey(one.is.runId, one.is), new Set(one.digests)] as const] : [],
      ),
      ...ledger.digests,
    ]),
    archivedEnds: countEnds(ledger.archivedEnds, returned, -1),
  }
}

function joined<V>(archived: readonly V[], keyOf: (value: V) => string, own: ReadonlyMap<string, V>): Map<string, V> {
  return new Map([...archived.map((value) => [keyOf(value), value] as const), ...own])
}

function countEnds(before: Ledger['archivedEnds'], archived: readonly Archived[], each: 1 | -1): Map<string, number> {
  const counts = new Map(before)
  for (const one of archived) {
    if (one.kind !== 'delivery' || one.is.kind === 'drift') continue
    const key = endKey(one.is)
    counts.set(key, (counts.get(key) ?? 0) + each)
  }
  return counts
}
