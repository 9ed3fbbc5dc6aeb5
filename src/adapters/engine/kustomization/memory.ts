import type { Attempt } from '../../../controllers/kustomization.ts'
import type { InventoryEntry, Kustomization } from '../../../kinds/kustomization.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { EngineContext } from '../context.ts'
import type { ObjectView } from '../status-writer.ts'
import type { BuildMemory } from './build/build.ts'
import type { HeldInventories } from './apply/held-inventories.ts'
import type { HealthWatch } from './apply/live-health.ts'
import type { Target, Targets } from './apply/target.ts'

/** The field manager of a Kustomization's own status and finalizers. */
export const STATUS_MANAGER = 'gotk-kustomize-controller'

/** What the engine remembers of a Kustomization between steps; lost at a restart, which reconciles at once. Its times are those that nobody sets. */
export type Memory = {
  /** The object as it was last read. */
  parsed: Kustomization | undefined
  attempt: Attempt | undefined
  /** What the attempt built. */
  objects: readonly KubeObject[]
  /** Inventory ids that the attempt left alone. */
  skipped: ReadonlySet<string>
  /** When an apply last created or configured something; long ago when none has. */
  changedMs: number
  healthWatch: HealthWatch | undefined
  build: BuildMemory | undefined
  /** Where the attempt applies to. */
  target: Target | undefined
  nextMs: number
  handledGeneration: number
  handledRequest: string | undefined
  handledRevision: string
  handledDigest: string
  /** Who else wants which object, as far as it was told. */
  readonly toldRivals: Set<string>
  /** What was told to be left alone. */
  toldLeftAlone: string
  /** A deletion is under way: what was pruned is waited for. */
  isPruned: boolean
  /** The revision for which being blocked by dependencies was told, and to which state of the object. */
  toldBlockedAt: string
  toldBlockedFor: string
  /** When that was told last. */
  toldBlockedMs: number
  /** When to look again whether what was pruned is gone. */
  terminationLookMs: number
  /** Until when that is waited for. */
  terminationEndMs: number
}

/** What the steps of a Kustomization share. */
export type KustomizationTools = {
  readonly context: EngineContext
  readonly targets: Targets
  readonly held: HeldInventories
  readonly view: ObjectView
  readonly find: (key: string) => Kustomization | undefined
  readonly findSource: (kind: string, namespace: string, name: string) => KubeObject | undefined
  /** Keys of the Kustomizations that use a source, `GitRepository/namespace/name`. */
  readonly usersOf: (source: string) => readonly string[]
  /** Keys of the Kustomizations that read a ConfigMap or Secret. */
  readonly readersOf: (kind: 'ConfigMap' | 'Secret', namespace: string, name: string) => readonly string[]
  /** Says what a Kustomization depends on now, for `wakeDependents`. */
  readonly noteDependencies: (object: KubeObject, isGone: boolean) => void
  /** Those that depend on one that changed look again. */
  readonly wakeDependents: (key: string) => void
  /** Keys of the Kustomizations that depend on others. */
  readonly depending: () => readonly string[]
  readonly memoryOf: (key: string) => Memory
  readonly wakeKey: (key: string) => void
  readonly holds: (owner: string, entry: InventoryEntry) => boolean
}

/** A memory of nothing. */
export function newMemory(): Memory {
  return {
    parsed: undefined,
    attempt: undefined,
    objects: [],
    skipped: new Set(),
    healthWatch: undefined,
    build: undefined,
    target: undefined,
    nextMs: 0,
    handledGeneration: -1,
    handledRequest: undefined,
    changedMs: -Infinity,
    handledRevision: '',
    handledDigest: '',
    toldRivals: new Set(),
    toldLeftAlone: '',
    isPruned: false,
    toldBlockedAt: '',
    toldBlockedFor: '',
    toldBlockedMs: 0,
    terminationLookMs: 0,
    terminationEndMs: Infinity,
  }
}
