/** An instruction as it stands in the file, continuation lines joined, nothing expanded. */
export type Instruction = {
  /** In capitals. */
  readonly name: string
  /** `--from=x` flags in front of the arguments; a flag without value is `true`. */
  readonly flags: ReadonlyMap<string, string>
  /** Everything after name and flags. */
  readonly rest: string
  /** The arguments when they are a JSON list of strings. */
  readonly list: readonly string[] | undefined
  /** Here documents that belong to the line. */
  readonly heredocs: readonly Heredoc[]
  /** 1-based line where it starts. */
  readonly line: number
  /** The line as written, for cache keys, history and messages. */
  readonly text: string
}

/** `<<NAME` with its lines. */
export type Heredoc = {
  readonly name: string
  readonly content: string
  /** False when the name was quoted: then variables stay as they are. */
  readonly expands: boolean
}

/** A Dockerfile cut into instructions. */
export type Dockerfile = {
  readonly path: string
  readonly escape: '\\' | '`'
  readonly instructions: readonly Instruction[]
}
