import type { RepoSpec } from './repo-spec.ts'
import type { FileTree } from './tree.ts'

/** Brings what lies elsewhere; a build that is given none refuses remote bases and files by name. */
export type Remote = {
  /**
   * Brings a repository at its ref.
   *
   * @throws SluiceError KUSTOMIZE_REMOTE with the text of the original
   */
  readonly clone: (spec: RepoSpec) => Clone
  /** Gets a file. @throws SluiceError KUSTOMIZE_REMOTE when there is no answer, or too long a one */
  readonly get: (url: string) => { readonly status: number; readonly reason: string; readonly bytes: Uint8Array }
}

/** A repository that was brought: nothing outside of `dir` is read from it. */
export type Clone = { readonly tree: FileTree; readonly dir: string }
