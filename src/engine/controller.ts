import type { Decision } from './decision.ts'

/**
 * A controller of one kind of objects, as the engine sees it. The engine knows no kind: it has keys (`namespace/name`), and for each key it loops
 *
 *     observe (impure: gathers everything that the decision needs, as plain data)
 *     decide  (pure:   act | wait | done)
 *     act     (impure: carries the changes out)
 *
 * until `decide` answers `wait` or `done`; then `settle` writes what the decision says about the object, and the key sleeps until something wakes it:
 *
 * - `wake` is handed to `watch` once at the start; the controller calls it from watch handlers and from other controllers' news. Level-based: a
 *   wake carries no reason, `decide` sees only the world as it is. Waking a key that waits already costs nothing.
 * - the time that the decision names (`wait.afterMs`, `done.againAfterMs`).
 *
 * To add a kind: write `src/controllers/<kind>.ts` with the pure `decide` and its `Seen`, and `src/adapters/engine/<kind>/controller.ts` that makes a
 * `Controller` of it, then add a line to `src/adapters/engine/controllers.ts`.
 *
 * A thrown SluiceError is the controller's own business where it can become a status; what still reaches the engine is logged, and the key comes
 * again after its backoff (750 ms doubling to 15 min), so nothing is ever dropped in silence.
 */
export type Controller<Seen, Change, Status> = {
  /** Names the controller in logs: the kind. */
  readonly kind: string
  /** Keys worked on at once. */
  readonly concurrency: number
  /** Where waiting after a failure starts; 750 ms unless said. */
  readonly firstBackoffMs?: number
  /** Starts to tell which keys to look at; returns when the first look is possible (caches filled), and nothing is looked at before. */
  readonly watch: (wake: Wake) => Promise<void>
  /** `undefined`: the object is gone; the engine forgets the key. */
  readonly observe: (key: string) => Promise<Seen | undefined>
  readonly decide: (seen: Seen) => Decision<Change, Status>
  readonly act: (changes: readonly Change[], seen: Seen, key: string) => Promise<void>
  /** Writes the status, at most once a settled reconcile; not at all when it is what the object shows already. */
  readonly settle: (status: Status, seen: Seen, key: string) => Promise<void>
  readonly close: () => void | Promise<void>
}

/** Asks for a look at a key, now or after a while. */
export type Wake = {
  readonly now: (key: string) => void
  readonly after: (key: string, afterMs: number) => void
}

/** How long a failed object waits: `wait.afterMs` of {@link BACKOFF} asks the engine for the key's own growing backoff. */
export const BACKOFF = -1
