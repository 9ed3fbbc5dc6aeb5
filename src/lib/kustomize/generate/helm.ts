/** What a build may use of Helm; one that is given none refuses charts, as kustomize does without `--enable-helm`. */
export type Helm = {
  /** The command as messages show it. */
  readonly command: string
  /** `--helm-kube-version`, `--helm-api-versions`, `--helm-debug`: for charts that do not say. */
  readonly kubeVersion?: string
  readonly apiVersions?: readonly string[]
  readonly debug?: boolean
  /** A folder of its own for one chart, emptied when `use` is done. */
  readonly withScratch: <T>(use: (scratch: HelmScratch) => T) => T
}

/** Runs helm for one chart. */
export type HelmScratch = {
  readonly dir: string
  /** Writes a file into the folder. @returns its path */
  readonly write: (name: string, bytes: Uint8Array | string) => string
  readonly isFolder: (path: string) => boolean
  readonly run: (args: readonly string[], env: Readonly<Record<string, string>>) => HelmAnswer
}

/** What helm said; `failure` is why it failed, in the words of Go's os/exec. */
export type HelmAnswer = { readonly failure: string | undefined; readonly stdout: string; readonly errors: string }
