import type { HttpKubeClient } from '../../adapters/kube/client.ts'
import type { KubeResource } from '../../adapters/kube/types.ts'
import { openHousekeeping } from '../../adapters/registry/housekeeping.ts'
import { collectImages } from '../../agents/builder/collect.ts'
import { openImageStore } from '../../agents/builder/store.ts'
import type { RunRecord } from '../../agents/runner/records.ts'
import type { Runner } from '../../agents/runner/start.ts'
import { describeError } from '../../lib/error/sluice-error.ts'
import type { RepositoryHeld } from '../../lib/oci/contents.ts'
import { namedImages, registryNames } from '../../pipeline/image/named-images.ts'
import { decideRetention, type Pin, RETENTION, type Retained, type Retention } from '../../pipeline/image/retention.ts'
import type { Ledger } from '../../pipeline/record/ledger.ts'
import { neededImages } from '../../pipeline/record/needed-images.ts'
import type { Cluster } from '../cluster.ts'

const DAY_MS = 24 * 3600 * 1000

/** How long workflow runs and their logs are kept. */
const RUN_DAYS = 90

/** The first look is not at the start: what a start brings up again is in the cluster before it. */
const FIRST_LOOK_MS = 10 * 60 * 1000
const LOOK_MS = 6 * 3600 * 1000

/** What was removed, or would be; each image with the reason why it stays or goes. */
export type PruneReport = {
  readonly isDryRun: boolean
  readonly images: Retention
  readonly runs: readonly Pick<RunRecord, 'id' | 'workflow' | 'number' | 'queuedAtMs'>[]
  /** Bytes of the builder's store; `undefined` while something is built. */
  readonly builderBytes: number | undefined
  /** Bytes of images of the node; `undefined` where a container engine keeps them, or while one is pulled. */
  readonly nodeBytes: number | undefined
}

/** How much to keep besides what is in use. */
export type PruneOptions = { readonly dryRun: boolean; readonly newest?: number; readonly days?: number }

export type PrunerNeeds = {
  readonly ledger: () => Ledger
  readonly client: HttpKubeClient
  readonly cluster: Pick<Cluster, 'collectImages'>
  readonly runner: Pick<Runner, 'forget' | 'whileIdle'>
  readonly imageFolder: string
  readonly registry: { readonly alias: string; readonly host: string }
  readonly nowMs: () => number
  readonly log: (line: string) => void
}

/** Removes what nobody needs any more: by itself four times a day, and when asked. */
export type Pruner = { readonly prune: (options: PruneOptions) => Promise<PruneReport>; readonly close: () => void }

export function openPruner(needs: PrunerNeeds): Pruner {
  let running: Promise<unknown> = Promise.resolve()
  const prune = (options: PruneOptions): Promise<PruneReport> => {
    const turn = running.then(() => pruneAll(needs, options))
    running = turn.catch(() => undefined)
    return turn
  }
  const look = (): void =>
    void prune({ dryRun: false }).then(
      (report) => {
        const text = describePrune(report)
        if (text !== undefined) needs.log(text)
      },
      (error: unknown) => needs.log(`nothing old was removed: ${describeError(error)}`),
    )
  const first = setTimeout(look, FIRST_LOOK_MS)
  const next = setInterval(look, LOOK_MS)
  for (const timer of [first, next]) timer.unref()
  return {
    prune,
    close() {
      clearTimeout(first)
      clearInterval(next)
    },
  }
}

/** One line of what was removed; `undefined` when that is nothing. */
function describePrune({ images, runs, builderBytes = 0, nodeBytes = 0 }: PruneReport): string | undefined {
  const parts = [
    ...(images.removed.length === 0 ? [] : [`${images.removed.length} images of the registry`]),
    ...(runs.length === 0 ? [] : [`${runs.length} workflow runs`]),
    ...(builderBytes === 0 ? [] : ['unused steps of image builds']),
    ...(nodeBytes === 0 ? [] : ['unused images of the node']),
  ]
  return parts.length === 0
    ? undefined
    : `removed ${parts.join(', ')} (sluice prune --dry-run tells what is kept, and why)`
}

/** Caches first: they free space also where the registry can write no line any more that something is gone. */
async function pruneAll(needs: PrunerNeeds, options: PruneOptions): Promise<PruneReport> {
  const { dryRun } = options
  const nodeBytes = await needs.cluster.collectImages({ dryRun })
  const store = openImageStore(needs.imageFolder)
  const builderBytes = await needs.runner.whileIdle(() => collectImages(store, needs.nowMs(), { dryRun }))
  const runs = needs.runner.forget(needs.nowMs() - RUN_DAYS * DAY_MS, { dryRun })
  return {
    isDryRun: dryRun,
    images: await pruneRegistry(needs, options),
    runs: runs.map(({ id, workflow, number, queuedAtMs }) => ({ id, workflow, number, queuedAtMs })),
    builderBytes,
    nodeBytes,
  }
}

async function pruneRegistry(needs: PrunerNeeds, { dryRun, newest, days }: PruneOptions): Promise<Retention> {
  const { registry, nowMs } = needs
  const sinceMs = nowMs()
  const house = openHousekeeping(registry.host)
  try {
    // the contents first: what is pushed and named after that is refused to be deleted, or is not in the list
    const contents = await house.contents()
    const pins = [...neededImages(needs.ledger(), registry.alias), ...(await pinsOfCluster(needs))]
    const rules = {
      ...RETENTION,
      ...(newest === undefined ? {} : { newest }),
      ...(days === undefined ? {} : { youngerThanMs: days * DAY_MS }),
    }
    const decided = decideRetention(contents, pins, rules, nowMs())
    if (dryRun) return decided
    const removed: Retained[] = []
    for (const image of indexesFirst(decided.removed, contents))
      if (await house.deleteManifest(image.repository, image.digest, sinceMs)) removed.push(image)
    await house.collect()
    return { ...decided, removed }
  } finally {
    house.close()
  }
}

/** So that a stop in between leaves no index that names what is gone. */
function indexesFirst(removed: readonly Retained[], contents: readonly RepositoryHeld[]): readonly Retained[] {
  const indexes = new Set(
    contents.flatMap(({ manifests }) => manifests.filter((one) => one.isIndex)).map((one) => one.digest),
  )
  return [...removed].sort((a, b) => Number(indexes.has(b.digest)) - Number(indexes.has(a.digest)))
}

/** Every image that any object of the cluster names. Secrets are not read: their values name none that runs. */
async function pinsOfCluster({ client, registry }: PrunerNeeds): Promise<readonly Pin[]> {
  const hosts = registryNames(registry.alias, registry.host)
  const kinds = (await client.resources()).filter(
    ({ plural, kind, verbs }) => verbs.includes('list') && !plural.includes('/') && !NAMES_NONE.has(kind),
  )
  const pins: Pin[] = []
  for (const { apiVersion, kind } of onePerKind(kinds))
    for (const object of (await client.list({ apiVersion, kind })).items) pins.push(...namedImages(object, hosts))
  return pins
}

/** What is said of the past or of images that others keep. */
const NAMES_NONE = new Set(['Secret', 'Event', 'Lease', 'Node', 'ComponentStatus', 'PodMetrics', 'NodeMetrics'])

/** Each kind in one of the versions that it is served in. */
function onePerKind(kinds: readonly KubeResource[]): readonly KubeResource[] {
  const group = ({ apiVersion }: KubeResource): string => apiVersion.replace(/\/?[^/]*$/, '')
  return [...new Map(kinds.map((one) => [`${group(one)} ${one.kind}`, one])).values()]
}
