import type { InventoryEntry } from '../../../../kinds/kustomization.ts'
import type { KubeObject } from '../../../../lib/kube/object.ts'
import { readList, readText } from '../../../../lib/kube/read.ts'
import { isRecord } from '../../../../lib/value/is-record.ts'
import { staleEntries, unite } from '../../../../pipeline/apply/inventory.ts'
import type { Clock } from '../../../clock.ts'
import type { KubeClient } from '../../../kube/types.ts'

/**
 * What is about to be applied and stands in no inventory yet, told to the cluster before it is: should this engine end in between and Git drop
 * the object, the next apply still knows whose it is and prunes it (docs/adr/0046). All who apply at the same time share one write (docs/adr/0080).
 */
export type HeldInventories = {
  /** Reads what an engine before this one has left. */
  readonly open: () => Promise<void>
  /** Resolves when the cluster knows the entries; costs nothing when it does already. @throws ApiError when it does not want to */
  readonly hold: (key: string, uid: string, entries: readonly InventoryEntry[]) => Promise<void>
  readonly of: (key: string, uid: string) => readonly InventoryEntry[]
  readonly keys: () => readonly string[]
  /** The Kustomization's own status says it now, or it is gone. */
  readonly release: (key: string) => void
  readonly close: () => Promise<void>
}

type Held = { readonly uid: string; readonly entries: readonly InventoryEntry[] }

const NAME = 'sluice-held-inventories'
const MANAGER = 'sluice'
/** What was released is taken out by the next write, at the latest so long after. */
const TIDY_MS = 2_000
/** Writes begin at least so far apart: who comes meanwhile shares the next one. */
const PAUSE_MS = 100
/** The more an API server has to do, the longer a write takes: no more than a quarter of the time one is under way. */
const PAUSES_A_WRITE = 4
const LONGEST_PAUSE_MS = 500

/** Makes the store: one ConfigMap in `namespace`. */
export function createHeldInventories(client: KubeClient, clock: Clock, namespace: string): HeldInventories {
  const held = new Map<string, Held>()
  let written = new Set<string>()
  let scheduled: Promise<void> | undefined
  let last: Promise<void> = Promise.resolve()
  let mayWriteMs = Number.NEGATIVE_INFINITY
  let cancelTidying = (): void => undefined
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: NAME }

  const put = async (): Promise<void> => {
    cancelTidying()
    const keys = new Set(held.keys())
    await client.patch(ref, 'apply', bookOf(namespace, held), { fieldManager: MANAGER, force: true })
    written = keys
  }
  const begin = async (): Promise<void> => {
    await last
    await sleepUntil(clock, mayWriteMs)
    scheduled = undefined
    const startedMs = clock.monotonicMs()
    const sent = put()
    last = sent
      .catch(() => undefined)
      .then(() => void (mayWriteMs = startedMs + pauseMs(clock.monotonicMs() - startedMs)))
    return sent
  }
  /** The next write takes in all that is held until it begins. */
  const write = (): Promise<void> => (scheduled ??= begin())
  const tidy = (): void => void write().catch(() => undefined) // the next write takes it out
  return {
    async open() {
      for (const [key, entry] of parseHeld(await client.get(ref))) {
        held.set(key, entry)
        written.add(key)
      }
    },
    async hold(key, uid, entries) {
      const before = held.get(key)
      const known = before?.uid === uid ? before.entries : []
      if (staleEntries(entries, known).length === 0) return
      held.set(key, { uid, entries: unite(known, entries) })
      // as held it would cost nothing when it is asked for again, and the cluster would never hear of it
      await write().catch((error: unknown) => restore(held, key, before, error))
    },
    of(key, uid) {
      const found = held.get(key)
      return found?.uid === uid ? found.entries : []
    },
    keys: () => [...held.keys()],
    release(key) {
      if (!held.delete(key)) return
      cancelTidying()
      cancelTidying = clock.after(TIDY_MS, tidy)
    },
    async close() {
      cancelTidying()
      if ([...written].some((key) => !held.has(key))) await write().catch(() => undefined)
    },
  }
}

/** How long after its beginning the next write may begin. */
function pauseMs(tookMs: number): number {
  return Math.min(Math.max(PAUSES_A_WRITE * tookMs, PAUSE_MS), LONGEST_PAUSE_MS)
}

function bookOf(namespace: string, held: ReadonlyMap<string, Held>): KubeObject {
  const data = { held: JSON.stringify(Object.fromEntries(held)) }
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: NAME, namespace }, data }
}

/** Takes back what the cluster did not learn, and passes on why. */
function restore(held: Map<string, Held>, key: string, before: Held | undefined, error: unknown): never {
  if (before === undefined) held.delete(key)
  else held.set(key, before)
  throw error
}

function sleepUntil(clock: Clock, atMs: number): Promise<void> {
  const leftMs = atMs - clock.monotonicMs()
  return leftMs <= 0 ? Promise.resolve() : new Promise((resolve) => void clock.after(leftMs, resolve))
}

/** What the ConfigMap says; what is none of ours is left out. */
function parseHeld(object: KubeObject | undefined): ReadonlyMap<string, Held> {
  const lines = Object.entries(parseRecord(readText(object, 'data', 'held')))
  return new Map(lines.map(([key, value]) => [key, { uid: readText(value, 'uid'), entries: entriesOf(value) }]))
}

function parseRecord(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : {}
  } catch {
    return {}
  }
}

function entriesOf(value: unknown): readonly InventoryEntry[] {
  return readList(value, 'entries')
    .map((entry) => ({ id: readText(entry, 'id'), v: readText(entry, 'v') }))
    .filter(({ id, v }) => id !== '' && v !== '')
}
