import type { Controller } from '../../engine/controller.ts'
import type { Clock } from '../../engine/clock.ts'
import type { EventSink } from '../../engine/event.ts'
import type { StageKinds } from '../../pipeline/apply/order.ts'
import type { OnDispatch } from '../../pipeline/notify/dispatch.ts'
import type { ReportFact } from '../../pipeline/record/fact.ts'
import type { SharedCaches } from '../kube/shared-caches.ts'
import type { KubeClient } from '../kube/types.ts'
import type { Deadline } from '../../machine/deadlines.ts'
import type { BoundedServer } from '../net/bounded-server.ts'
import type { Reach } from '../net/reach.ts'
import type { ArtifactStore } from './artifact-store.ts'
import type { EngineFlags } from './flags.ts'
import type { SourceStore } from './source-store.ts'

/** What every controller of the engine is given. */
export type EngineContext = {
  readonly client: KubeClient
  readonly clock: Clock
  /** Live copies of kinds, shared among controllers; without managedFields. */
  readonly caches: SharedCaches
  /** The engine's own folder; a controller keeps what it must below it, by its own name. */
  readonly stateDir: string
  /** Where in the cluster it keeps objects of its own. */
  readonly namespace: string
  /** `flux`: what Flux does where the safe behaviour differs. */
  readonly traps: 'safe' | 'flux'
  /** The engine has installed the definitions of Flux's kinds. */
  readonly installsCrds: boolean
  /** Host in manifests -> host to talk to: `registry.sluice.local` -> `127.0.0.1:5000`. */
  readonly registryAliases: Readonly<Record<string, string>>
  readonly report: ReportFact
  readonly log: (line: string) => void
  /** Tells an event: a Kubernetes Event, and every sink (Alerts). */
  readonly tell: EventSink
  /** What the sources offer, in this process: revisions and files. */
  readonly sources: SourceStore
  readonly artifacts: ArtifactStore
  /** Registers for `gitChanged(url)`; called at once for every push that the embedder saw. */
  readonly onGitChanged: (handler: (url: string) => void) => void
  /** Says that a push was made to a repository, by us or seen: its sources look at once. */
  readonly gitChanged: (url: string) => void
  /** Registers for `imageChanged(repository)`. */
  readonly onImageChanged: (handler: (repository: string) => void) => void
  /** Where requests may go whose address an object names. */
  readonly hookReach: Reach
  /** Says that this process listens: no such request goes to that port, and the engine tells the address. */
  readonly listens: (what: 'receivers' | 'events', server: BoundedServer) => void
  /** False: objects reach only objects of their own namespace. */
  readonly crossNamespace: boolean
  /** What Flux's controllers are told by flags. */
  readonly flags: EngineFlags
  /** Kinds that are applied and waited for before the rest. */
  readonly stageKinds: StageKinds
  /** How long to wait for who does not answer; it is over when the engine ends, too. */
  readonly within: Deadline
  /** A number in [0, 1), for jitter. */
  readonly random: () => number
}

/** Starts a controller of any type; see `controllers.ts`. */
export type StartController = <Seen, Change, Status>(controller: Controller<Seen, Change, Status>) => Promise<void>

/** A part of the engine: registers its controllers, sinks or listeners; answers how to stop what is not a controller. */
export type EnginePart = (context: EngineContext, parts: PartTools) => Promise<(() => void | Promise<void>) | void>

/** What a part may do besides using the context. */
export type PartTools = {
  readonly start: StartController
  /** Every event goes to the sink, from the moment it is added. */
  readonly addSink: (sink: EventSink) => void
  /** Address to listen on for Receivers, `host:port`; '' when none is wanted. */
  readonly receiverListen: string
  /** Address to listen on for the events of other controllers, `host:port`; '' when none is wanted. */
  readonly eventsListen: string
  readonly onDispatch: OnDispatch
  /** Aborted when what is still at work has been cut off: that it failed says nothing. */
  readonly ended: AbortSignal
}
