import type { Readable, Writable } from 'node:stream'

/** The size of a terminal in characters. */
export type TerminalSize = { readonly columns: number; readonly rows: number }

/** A program in a container with streams to it: one that was started for somebody, or the container's own. */
export type RemoteProgram = {
  readonly stdin: Writable | undefined
  /** Ends with the program, after the last that it printed; what it left running does not hold it open for long. */
  readonly stdout: Readable | undefined
  /** As `stdout`. */
  readonly stderr: Readable | undefined
  readonly resize: (size: TerminalSize) => void
  /** Its exit code; for the container's own program also 0 when the streams were let go. */
  readonly exited: Promise<number>
  /** Lets go of the streams; ends a program that was started for them with all its children. */
  readonly end: () => void
}
