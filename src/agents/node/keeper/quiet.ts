import type { Readable } from 'node:stream'

/**
 * Calls `done` once a process that has ended says no more. Its outputs end with it, unless something that it left running holds them open: then they
 * are over when nothing has come for half a second, although it would have been taken. Runs inside the keeper: uses nothing of this module's
 * surroundings.
 */
export function whenQuiet(o: {
  readonly outputs: readonly (Readable | null | undefined)[]
  /** Whether outputs are not read at the moment, because who listens is slow. */
  readonly isHeld: () => boolean
  /** For how long something that goes on speaking is listened to. */
  readonly mostMs: number
  readonly done: () => void
}): void {
  const QUIET_MS = 500
  const endMs = performance.now() + o.mostMs
  let hasSpoken = false
  const open = o.outputs.filter((output) => output !== null && output !== undefined)
  const note = (): void => void (hasSpoken = true)
  for (const output of open) output.on('data', note)
  const look = (): void => {
    const isOver = open.every((output) => output.readableEnded || output.destroyed)
    const isSpeaking = hasSpoken && performance.now() < endMs
    if (isOver || !(isSpeaking || o.isHeld())) return o.done()
    hasSpoken = false
    wait()
  }
  // a timer may ring late, when what lies in the pipes has not been read yet: that is done before the next turn of the loop
  const wait = (): void => void setTimeout(() => setImmediate(look), QUIET_MS)
  wait()
}
