import type { Readable, Writable } from 'node:stream'

/** The size of a terminal in characters. */
export type TerminalSize = { readonly columns: number; readonly rows: number }

/** A program in a container with streams to it: one that was started for somebody, or the container's own. */
export type RemoteProgram = {
  readonly stdin: Writable | undefined
  readonly stdout: Readable | undefined
  readonly stderr: Readable | undefined
  readonly resize: (size: TerminalSize) => void
  /** Its exit code; for the container's own program also 0 when the streams were let go. */
  readonly exited: Promise<number>
  /** Lets go of the streams; ends a program that was started for them with all its children. */
  readonly end: () => void
}
