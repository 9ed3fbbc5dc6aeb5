import { join } from 'node:path'
import { systemClock } from '../adapters/clock.ts'
import { type Engine, startEngine } from '../adapters/engine/start.ts'
import type { SharedCaches } from '../adapters/kube/shared-caches.ts'
import { openFactStore } from '../adapters/store/facts.ts'
import { createRegistryClient } from '../adapters/registry/client.ts'
import { makeNodeBaseImage } from '../agents/builder/base-image.ts'
import { openImageStore } from '../agents/builder/store.ts'
import { parseBuilder } from '../agents/runner/docker/engine.ts'
import { type Runner, startRunner } from '../agents/runner/start.ts'
import { type PushEvent, serveGitd } from '../embedded/gitd/serve.ts'
import { serveRegistryd } from '../embedded/registryd/serve.ts'
import { describeError } from '../lib/error/sluice-error.ts'
import type { Fact } from '../pipeline/record/fact.ts'
import { pruneRoutes } from './api/prune-routes.ts'
import { recordRoutes } from './api/routes.ts'
import { runRoutes } from './api/run-routes.ts'
import { servePage } from './api/serve-page.ts'
import { bootstrap } from './bootstrap.ts'
import { type Closers, openClosers } from '../lib/concurrency/closers.ts'
import { type Cluster, startCluster } from './cluster.ts'
import { PAGE_SCRIPT_HASH, pageRoute } from './dashboard/page.ts'
import type { PageView } from './page-view.ts'
import { type DiskWatch, watchDisk } from './process/disk-watch.ts'
import type { DriverName } from './driver-names.ts'
import { leadOwnCluster } from './elected-engine.ts'
import { type DeliveryWatch, watchDelivery } from './first-delivery/first-delivery.ts'
import type { Held } from './first-delivery/freshness.ts'
import { reportDeleted } from './record/deleted-objects.ts'
import { type Dispatches, openDispatches } from './record/dispatches.ts'
import { watchHelpers } from './record/helpers-seen.ts'
import { compareWithImported, type NotImported } from './imported.ts'
import { keepAccess } from './keep-access.ts'
import { renderMetrics, type ProcessFigures } from './record/metrics-text.ts'
import { missedPushes, type RefSeen, readRefs, unrecordedPushes } from './record/missed-pushes.ts'
import { reportPods, watchRunning, withPodCauses } from './record/pod-watch.ts'
import { describePushes } from './record/push-fact.ts'
import { keepRecord, type RecordKeeper } from './record/record-keeper.ts'
import { openPruner, type Pruner } from './prune/pruner.ts'
import { pageView } from './record/record-view.ts'
import { historyViews, traceViews } from './record/trace-view.ts'
import { followedBranch, type Repository } from './repository.ts'
import type { Access } from './state/access.ts'
import { readGitTokens } from './state/git-tokens.ts'
import { choosePorts, type ChosenPorts, type Ports } from './state/ports.ts'
import type { StateFolder } from './state/state-folder.ts'
import { tokenOf } from './state/token.ts'
import { type Listeners, openWires, type Wires } from './wires.ts'

/** The hosts that manifests and workflows name; each stands for an embedded server. */
export const REGISTRY_ALIAS = 'registry.sluice.local'
export const GIT_ALIAS = 'git.sluice.local'

export type DaemonOptions = {
  readonly folder: StateFolder
  readonly repository: Repository
  readonly ports: Partial<Ports>
  readonly node: DriverName
  readonly traps: 'safe' | 'flux'
  readonly onFact: (fact: Fact) => void
  readonly log: (line: string) => void
  /** Aborted by who wants the start to end before it is over. */
  readonly signal: AbortSignal
}

/** Everything, running. */
export type Daemon = {
  readonly access: () => Access
  readonly view: () => PageView
  readonly delivery: DeliveryWatch
  /** What everybody should know about how pods run; `undefined` when they run as they should. */
  readonly notice: string | undefined
  /** What stands in the repository's folder and is not delivered, because nobody pushed it. */
  readonly notImported: NotImported | undefined
  readonly close: (options: { readonly stopPods: boolean }) => Promise<void>
}

/**
 * Starts everything on this machine and wires it: who pushed, which tag moved, what changed is told to whom it concerns. The only file that knows all.
 *
 * @returns `undefined` when the signal ended the start: behind any part that had begun, all of which have ended then
 * @throws SluiceError PORT_IN_USE, STATE_UNWRITABLE, REPOSITORY_INVALID
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon | undefined> {
  const { signal } = options
  const closers = openClosers()
  const add: Closers['add'] = (close) => {
    closers.add(close)
    signal.throwIfAborted()
  }
  try {
    return await start(options, { ...closers, add })
  } catch (error) {
    await closers.closeAll()
    if (signal.aborted && error === signal.reason) return undefined
    throw error
  }
}

async function start(options: DaemonOptions, closers: Closers): Promise<Daemon> {
  const { folder, repository } = options
  const startedAtMs = systemClock.nowMs()
  const notImported = await compareWithImported(folder.dir, repository)
  const chosen = await choosePorts(folder, options.ports)
  closers.add(chosen.close)
  const token = tokenOf(folder, 'git-token.json')
  const record = openRecord(options, closers)
  const disk = openDiskWatch(options, closers)
  const wires = openWires()
  const servers = await startServers(options, { chosen, token, wires }, closers)
  const stopping = { stopPods: true }
  const refs = await readRefs(servers.gitRoot, repository.name)
  const announced = wires.waiting()
  const workers = await startWorkers(options, { chosen, token, servers, record, stopping }, closers)
  await bootstrap(workers.cluster.client, {
    url: aliasUrl(repository.name),
    path: repository.deployPath,
    branch: followedBranch(refs.map(({ ref }) => ref)),
    password: token,
  })
  const held = heldOf(refs, startedAtMs)
  const listeners = listenersOf(servers, workers, { record, log: options.log }, held)
  const missed = catchUp({ refs, announced, record }, workers.runner, listeners)
  wires.connect(listeners)
  for (const push of missed) void listeners.record(push)
  // a git process of the process that was killed may have moved a ref after the first look
  const late = missedPushes(await readRefs(servers.gitRoot, repository.name), workers.runner.lastTold)
  for (const push of late) void listeners.pushed(push)
  const { prune } = startPruner(options, workers, servers, record, closers)
  const ofPage = { ...workers, record, disk, token, prune, log: options.log }
  const page = await openPage(await chosen.take('page'), ofPage, closers)
  const urls = {
    git: { url: servers.urlOf(repository.name), token },
    registry: { url: servers.registryUrl },
    page: { url: page.url },
    receivers: { url: `http://127.0.0.1:${chosen.ports.receiver}` },
  }
  const access = keepAccess({ folder, ...workers, log: options.log }, urls, closers)
  return {
    access,
    view: page.view,
    delivery: await watchDelivery(workers.caches, workers.runner.runs, held),
    notice: noticeOf(workers.cluster.driver),
    notImported,
    async close({ stopPods }) {
      stopping.stopPods = stopPods
      await closers.closeAll()
    },
  }
}

type Left = {
  readonly refs: readonly RefSeen[]
  readonly announced: readonly PushEvent[]
  readonly record: RecordKeeper
}

/** Tells the pushes that an earlier process took and told nobody of; answers those of which only the record does not know. */
function catchUp({ refs, announced, record }: Left, runner: Runner, listeners: Listeners): readonly PushEvent[] {
  const untold = refs.filter(({ ref, pull }) => !announced.some((push) => push.ref === ref && push.pull === pull))
  const missed = missedPushes(untold, runner.lastTold)
  for (const push of missed) void listeners.pushed(push)
  const beingTold = new Set([...missed, ...announced].map(({ after }) => after))
  const isKnown = (commit: string): boolean => record.knowsPush(commit) || beingTold.has(commit)
  return unrecordedPushes(refs, { runs: runner.runs().list, taken: runner.taken() }, isKnown)
}

type Known = { readonly heads: Map<string, string>; readonly pushedAtMs: Map<string, number> }

type Scribe = { readonly record: RecordKeeper; readonly log: (line: string) => void }

function listenersOf(
  servers: Servers,
  { engine, runner }: Workers,
  { record, log }: Scribe,
  known: Known,
): Listeners & { readonly record: (push: PushEvent) => Promise<void> } {
  const describe = describePushes(servers.gitRoot)
  const write = async (push: PushEvent): Promise<void> => {
    const fact = await describe(push)
    if (fact !== undefined) await record.report(fact)
  }
  const recordPush = (push: PushEvent): Promise<void> =>
    write(push).catch((error: unknown) => log(describeError(error)))
  return {
    record: recordPush,
    imagePushed(name) {
      known.pushedAtMs.set(`${REGISTRY_ALIAS}/${name}`, systemClock.nowMs())
      engine.imageChanged(`${REGISTRY_ALIAS}/${name}`)
    },
    pushed(push) {
      known.heads.set(...headOf(push.repository, push.ref, push.after))
      runner.onPush(push)
      for (const url of [servers.urlOf(push.repository), aliasUrl(push.repository)]) engine.gitChanged(url)
      return recordPush(push)
    },
  }
}

function heldOf(refs: readonly RefSeen[], startedAtMs: number): Held & Known {
  const heads = new Map(refs.map((seen) => headOf(seen.repository, seen.ref, seen.commit)))
  return { heads, pushedAtMs: new Map<string, number>(), registryHost: REGISTRY_ALIAS, startedAtMs }
}

function headOf(repository: string, ref: string, commit: string): [string, string] {
  return [`${aliasUrl(repository)} ${ref.replace(/^refs\/heads\//, '')}`, commit]
}

function openRecord({ folder, onFact, log }: DaemonOptions, closers: Closers): RecordKeeper {
  const store = openFactStore(join(folder.dir, 'record.db'), ({ refusal, lostFacts }) =>
    log(refusal ? describeError(refusal) : `the record is written again; ${lostFacts || 'nothing'} of it is missing`),
  )
  closers.add(() => store.close())
  const record = keepRecord(store, systemClock)
  record.subscribe(onFact)
  return record
}

function startPruner(
  { folder, log }: DaemonOptions,
  { cluster, runner }: Workers,
  servers: Servers,
  record: RecordKeeper,
  closers: Closers,
): Pruner {
  const pruner = openPruner({
    ...{ ledger: record.ledger, client: cluster.client, cluster, runner, log, nowMs: systemClock.nowMs },
    imageFolder: join(folder.dir, 'images'),
    registry: { alias: REGISTRY_ALIAS, host: servers.registryHost },
  })
  closers.add(pruner.close)
  return pruner
}

/** Says at the terminal, too, when the disk becomes full and when it no longer is. */
function openDiskWatch({ folder, log }: DaemonOptions, closers: Closers): DiskWatch {
  const disk = watchDisk(folder.dir)
  closers.add(disk.close)
  disk.subscribe(() => log(disk.notice() ?? `the disk of ${folder.dir} has room again`))
  return disk
}

type Servers = {
  readonly urlOf: (repository: string) => string
  readonly gitRoot: string
  readonly registryUrl: string
  readonly registryHost: string
}

type ServerNeeds = { readonly chosen: ChosenPorts; readonly token: string; readonly wires: Wires }

async function startServers(
  { folder, repository, log }: DaemonOptions,
  { chosen, token, wires }: ServerNeeds,
  closers: Closers,
): Promise<Servers> {
  const registry = await serveRegistryd({
    root: join(folder.dir, 'registry'),
    port: await chosen.take('registry'),
    onPush: (push) => wires.imagePushed(push.repository),
    warn: log,
  })
  closers.add(() => registry.close())
  const gitRoot = join(folder.dir, 'git')
  const gitd = await serveGitd({
    ...{ root: gitRoot, port: await chosen.take('git'), token },
    named: () => readGitTokens(folder.dir),
    onPush: (push) => wires.pushed(push),
  })
  closers.add(() => {
    wires.close() // gitd waits for the pushes that wait for somebody to listen
    return gitd.close()
  })
  await gitd.createRepository(repository.name, repository.origin)
  return { urlOf: gitd.urlOf, gitRoot, registryUrl: registry.url, registryHost: registry.host }
}

type Workers = {
  readonly cluster: Cluster
  readonly engine: Engine
  readonly runner: Runner
  readonly caches: SharedCaches
  readonly dispatches: Dispatches
}

type WorkerNeeds = {
  readonly chosen: ChosenPorts
  readonly token: string
  readonly servers: Servers
  readonly record: RecordKeeper
  readonly stopping: { stopPods: boolean }
}

async function startWorkers(
  { folder, node, traps, log }: DaemonOptions,
  needs: WorkerNeeds,
  closers: Closers,
): Promise<Workers> {
  const { chosen, servers, record, stopping } = needs
  const registry = { alias: REGISTRY_ALIAS, url: servers.registryUrl, host: servers.registryHost }
  const cluster = await startCluster({ stateDir: folder.dir, port: await chosen.take('kube'), node, registry, log })
  closers.add(() => cluster.close(stopping))
  const { client, caches } = cluster
  const running = await watchRunning(caches)
  reportPods(running.pods, record)
  const dispatches = openDispatches()
  await leadOwnCluster(client, systemClock, log)
  const engine = await startEngine({
    client,
    caches,
    clock: systemClock,
    stateDir: join(folder.dir, 'engine'),
    artifactListen: `127.0.0.1:${await chosen.take('artifacts')}`,
    receiverListen: `127.0.0.1:${await chosen.take('receiver')}`,
    ownPorts: [...Object.values(chosen.ports), ...cluster.ownPorts],
    traps,
    installCrds: true,
    registryAliases: { [REGISTRY_ALIAS]: servers.registryHost, [GIT_ALIAS]: new URL(servers.urlOf('x')).host },
    report: withPodCauses(running.current, record.report),
    onDispatch: dispatches.onDispatch,
    log,
  })
  closers.add(() => engine.close())
  const imageFolder = join(folder.dir, 'images')
  await offerBaseImage(imageFolder, servers.registryHost, log)
  const runner = await startRunner({
    git: { url: servers.urlOf, token: needs.token },
    stateDir: join(folder.dir, 'runs'),
    imageFolder,
    registry,
    builder: parseBuilder(process.env['SLUICE_BUILDER']),
    report: record.report,
    log,
  })
  closers.add(() => runner.close())
  return { cluster, engine, runner, caches, dispatches }
}

/** Puts the base image of the example's Dockerfiles into the store and the registry; a machine that cannot make one still runs everything else. */
async function offerBaseImage(imageFolder: string, registryHost: string, log: (line: string) => void): Promise<void> {
  try {
    const registry = createRegistryClient({ aliases: { [REGISTRY_ALIAS]: registryHost } })
    await makeNodeBaseImage(openImageStore(imageFolder), { registry, log })
  } catch (error) {
    log(`no base image: ${describeError(error)}`)
  }
}

type Page = { readonly url: string; readonly view: () => PageView }

type PageNeeds = Workers &
  Scribe & { readonly disk: DiskWatch; readonly token: string; readonly prune: Pruner['prune'] }

async function openPage(port: number, needs: PageNeeds, closers: Closers): Promise<Page> {
  const { cluster, caches, record, disk, dispatches } = needs
  const helpers = await watchHelpers(caches)
  reportDeleted(helpers.current(), record)
  const view = (): PageView =>
    pageView(record.ledger(), {
      at: new Date(systemClock.nowMs()).toISOString(),
      notice: [disk.notice(), noticeOf(cluster.driver)].filter((one) => one !== undefined).join(' · ') || undefined,
      serviceUrl: cluster.serviceUrl,
      helpers: helpers.current(),
      dispatchFaults: dispatches.faults(),
      facts: record.recent(),
    })
  const subscribe = (changed: () => void): (() => void) => {
    const stops = [record, disk, helpers, dispatches].map((one) => one.subscribe(changed))
    return () => stops.forEach((stop) => stop())
  }
  const routes = recordRoutes({
    view: { current: view, subscribe },
    history: (query) => historyViews(record.ledgerOfHistory(query), query, helpers.current()),
    trace: (what) => traceViews(record.ledgerOfTrace(what), what, helpers.current()),
    metrics: () => renderMetrics(record.ledger(), helpers.current(), figuresOf(disk)),
  })
  const ofPrune = pruneRoutes(needs.token, needs.prune)
  const ofRuns = runRoutes(needs.token, (id, by) => needs.runner.cancel(id, by)?.workflow)
  const page = await servePage(port, [pageRoute, ...routes, ...ofRuns, ...ofPrune], PAGE_SCRIPT_HASH, needs.log)
  closers.add(() => page.close())
  return { url: page.url, view }
}

function figuresOf(disk: DiskWatch): ProcessFigures {
  const startedAtSeconds = Math.round(systemClock.nowMs() / 1000 - process.uptime())
  return { residentBytes: process.memoryUsage.rss(), startedAtSeconds, isDiskFull: disk.notice() !== undefined }
}

function noticeOf(driver: string): string | undefined {
  if (driver === 'sim') return 'pods are simulated (--node sim): nothing really runs'
  if (driver === 'process') return 'pods run without isolation (--node process)'
  return driver.startsWith('none') ? `no pod can run, driver ${driver}` : undefined
}

function aliasUrl(repository: string): string {
  return `http://${GIT_ALIAS}/${repository}.git`
}
