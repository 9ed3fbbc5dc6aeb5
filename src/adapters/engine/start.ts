import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type OnReconciled, type RunningController, startController } from '../../engine/converge.ts'
import type { EventSink } from '../../engine/event.ts'
import { type Closers, openClosers } from '../../lib/concurrency/closers.ts'
import type { StageKinds } from '../../pipeline/apply/order.ts'
import type { OnDispatch } from '../../pipeline/notify/dispatch.ts'
import { type Deadlines, openDeadlines } from '../../machine/deadlines.ts'
import type { ReportFact } from '../../pipeline/record/fact.ts'
import type { Clock } from '../clock.ts'
import { type SharedCaches, shareCaches } from '../kube/shared-caches.ts'
import type { KubeClient } from '../kube/types.ts'
import type { Reach } from '../net/reach.ts'
import { openArtifactStore } from './artifact-store.ts'
import { type EngineContext, type PartTools } from './context.ts'
import { ENGINE_PARTS } from './controllers.ts'
import { warnOfFlux } from './beside-flux.ts'
import { createEventWriter } from './events.ts'
import { DEFAULT_FLAGS, type EngineFlags, narrowCaches } from './flags.ts'
import { endControllers } from './end-controllers.ts'
import { installCrds } from './install-crds.ts'
import { withObjectAnnotations } from './object-annotations.ts'
import { mirrorsOf } from './mirrors.ts'
import { createSourceStore } from './source-store.ts'

/** How to start the engine. */
export type EngineOptions = {
  readonly client: KubeClient
  readonly clock: Clock
  /** Live copies of the same client to share with others; without them the engine opens and closes its own. */
  readonly caches?: SharedCaches
  readonly stateDir: string
  /** Where the engine keeps objects of its own; default `kube-system`. */
  readonly namespace?: string
  /** `host:port` that artifacts are served on; port 0 for a free one. */
  readonly artifactListen: string
  /** `host:port` for Receivers; '' for none. */
  readonly receiverListen: string
  /** `host:port` for the events of other controllers; default none. */
  readonly eventsListen?: string
  /** `flux`: what Flux does where the safe behaviour differs. */
  readonly traps: 'safe' | 'flux'
  readonly installCrds: boolean
  readonly registryAliases: Readonly<Record<string, string>>
  /** Where requests may go whose address an object names; default `any`. */
  readonly hookReach?: Reach['scope']
  /** Loopback ports of the embedder, which no such request reaches. */
  readonly ownPorts?: readonly number[]
  /** Whether objects may reach objects of another namespace; default true. */
  readonly crossNamespace?: boolean
  readonly stageKinds?: StageKinds
  /** What differs from Flux's defaults. */
  readonly flags?: Partial<EngineFlags>
  readonly report?: ReportFact
  readonly onReconciled?: OnReconciled
  readonly onDispatch?: OnDispatch
  readonly log?: (line: string) => void
}

/** Where an engine listens, `host:port` with the real port. */
export type EngineAddresses = { readonly artifacts: string; readonly receivers?: string; readonly events?: string }

/** An engine at work. */
export type Engine = {
  readonly addresses: EngineAddresses
  /** The live copies that its controllers work with. */
  readonly caches: SharedCaches
  /** A push was seen: the sources of that URL look at once. */
  readonly gitChanged: (url: string) => void
  /** An image was pushed: what scans that repository looks at once. */
  readonly imageChanged: (repository: string) => void
  readonly close: () => Promise<void>
}

/**
 * Starts what Flux's controllers do, against any API server: installs the kinds, opens the watches, serves artifacts, and works until closed.
 *
 * @throws SluiceError PORT_IN_USE, KUBE_UNREACHABLE
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const closers = openClosers()
  try {
    return await start(options, closers)
  } catch (error) {
    // whoever tries again finds the ports free
    await closers.closeAll().catch((fault: unknown) => options.log?.(`closing what had started: ${String(fault)}`))
    throw error
  }
}

async function start(options: EngineOptions, closers: Closers): Promise<Engine> {
  const { client, clock, stateDir } = options
  const log = options.log ?? (() => undefined)
  await mkdir(stateDir, { recursive: true })
  if (options.installCrds) await installCrds(client, clock)
  await warnOfFlux(client, log)
  const gitHandlers: ((url: string) => void)[] = []
  const imageHandlers: ((repository: string) => void)[] = []
  const flags = { ...DEFAULT_FLAGS, ...options.flags }
  const namespace = options.namespace ?? 'kube-system'
  const shared = options.caches ?? shareCaches(client, { clock, onFault: (error) => log(`watch: ${String(error)}`) })
  const caches = narrowCaches(shared, flags, namespace)
  const artifacts = await openArtifactStore(join(stateDir, 'artifacts'), options.artifactListen, flags.storageAdvAddr)
  closers.add(artifacts.close)
  if (!options.caches) closers.add(shared.close)
  const events = createEventWriter(client, log, options.traps)
  closers.add(events.close)
  const sinks: EventSink[] = [events.tell]
  let addresses: EngineAddresses = { artifacts: artifacts.host }
  const deadlines = openDeadlines()
  const ownPorts = (): readonly number[] => [...(options.ownPorts ?? []), ...Object.values(addresses).map(portOf)]
  const context: EngineContext = {
    ...{ client, clock, caches, stateDir, namespace, flags, artifacts, log },
    traps: options.traps,
    installsCrds: options.installCrds,
    registryAliases: options.registryAliases,
    report(fact) {
      if (!deadlines.ended.aborted) return options.report?.(fact)
      // what the record would never hear of is not begun
      if ('intended' in fact) throw deadlines.ended.reason
    },
    tell(event) {
      if (deadlines.ended.aborted) return
      const whole = withObjectAnnotations(caches, event)
      sinks.forEach((sink) => sink(whole))
    },
    sources: createSourceStore(),
    onGitChanged: (handler) => void gitHandlers.push(handler),
    gitChanged: (url) => gitHandlers.forEach((handler) => handler(url)),
    onImageChanged: (handler) => void imageHandlers.push(handler),
    hookReach: { scope: options.hookReach ?? 'any', ownPorts },
    listens: (what, { address }) => void (addresses = { ...addresses, [what]: address }),
    crossNamespace: options.crossNamespace ?? true,
    stageKinds: options.stageKinds ?? new Set(),
    within: deadlines.within,
    random: Math.random,
  }
  closers.add(() => mirrorsOf(context).close())
  await startParts(context, { sinks, deadlines }, options, closers)
  return {
    addresses,
    caches,
    gitChanged: (url) => gitHandlers.forEach((handler) => handler(url)),
    imageChanged: (repository) => imageHandlers.forEach((handler) => handler(repository)),
    close: closers.closeAll,
  }
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1))
}

async function startParts(
  context: EngineContext,
  { sinks, deadlines }: { readonly sinks: EventSink[]; readonly deadlines: Deadlines },
  { receiverListen, eventsListen = '', onReconciled, onDispatch = () => undefined }: EngineOptions,
  closers: Closers,
): Promise<void> {
  const stops = openClosers()
  const controllers: RunningController[] = []
  closers.add(stops.closeAll)
  closers.add(() => endControllers(controllers, deadlines.end, context.clock))
  const onError = (kind: string, key: string, error: unknown): void =>
    context.log(`${kind} ${key}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  const tools: PartTools = {
    async start(controller) {
      const running = await startController(controller, {
        ...{ clock: context.clock, onError },
        ...(onReconciled && { onReconciled }),
        cutOff: deadlines.ended,
      })
      controllers.push(running)
    },
    addSink: (sink) => void sinks.push(sink),
    receiverListen,
    eventsListen,
    onDispatch,
    ended: deadlines.ended,
  }
  for (const part of ENGINE_PARTS) {
    const stop = await part(context, tools)
    if (stop) stops.add(stop)
  }
}
