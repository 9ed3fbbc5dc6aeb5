/** etcd, too, forgets after five minutes. */
export const MIN_AGE_MS = 5 * 60_000
const STEP_MS = 15_000

/** Which versions are too old for a list to show them once more, as those are that etcd has compacted away. */
export class Ages {
  /** Times at which a version came, the oldest first, never two within `STEP_MS`. */
  #marks: { readonly version: number; readonly atMs: number }[] = []

  /** Takes note that `version` has come. */
  note(version: number, atMs: number): void {
    const last = this.#marks.at(-1)
    if (last !== undefined && atMs - last.atMs < STEP_MS) return
    this.#marks.push({ version, atMs })
    while (this.#marks[1] !== undefined && atMs - this.#marks[1].atMs > MIN_AGE_MS) this.#marks.shift()
  }

  /** Versions before this one were the newest for the last time `MIN_AGE_MS` ago, at least. */
  oldest(nowMs: number): number {
    return this.#marks.findLast(({ atMs }) => nowMs - atMs > MIN_AGE_MS)?.version ?? 0
  }
}
