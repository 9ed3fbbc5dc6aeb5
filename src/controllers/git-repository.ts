import type { Decision } from '../engine/decision.ts'
import type { GitRepository } from '../kinds/git-repository.ts'
import { decideSource, type SourceChange, type SourceSeen, type SourceStatus, type SourceWords } from './source.ts'

/** Everything that the decision about a GitRepository needs. */
export type GitRepositorySeen = SourceSeen<GitRepository>

/** How a GitRepository speaks, in Flux's words. */
export const WORDS: SourceWords<GitRepository> = {
  stored: (revision) => `stored artifact for revision '${revision}'`,
  unchanged: ({ revision, isBriefly }) =>
    isBriefly
      ? {
          reason: 'GitOperationSucceeded',
          message: `no changes since last reconciliation: observed revision '${revision}'`,
        }
      : { reason: 'ArtifactUpToDate', message: `artifact up-to-date with remote revision: '${revision}'` },
  observed: observedConfig,
  isVerified: ({ verify }) => verify !== undefined,
  namesLatest: false,
}

/** Decides what a GitRepository needs. */
export function decideGitRepository(seen: GitRepositorySeen): Decision<SourceChange, SourceStatus> {
  return decideSource(seen, WORDS)
}

/** What of the spec went into the artifact, as Flux notes it. */
function observedConfig(repository: GitRepository): Readonly<Record<string, unknown>> {
  const { ignore, include, recurseSubmodules, sparseCheckout, verify, status } = repository
  const mode = status['sourceVerificationMode']
  return {
    ...(ignore === undefined ? {} : { observedIgnore: ignore }),
    ...(include.length === 0 ? {} : { observedInclude: observedInclude(repository) }),
    ...(recurseSubmodules ? { observedRecurseSubmodules: true } : {}),
    ...(sparseCheckout.length === 0 ? {} : { observedSparseCheckout: sparseCheckout }),
    ...(verify === undefined || mode === undefined ? {} : { sourceVerificationMode: mode }),
  }
}

/** `status.observedInclude`: the includes as they were built in. */
export function observedInclude({ include }: GitRepository): readonly object[] {
  return include.map(({ name, fromPath, toPath }) => ({
    repository: { name },
    ...(fromPath === '' ? {} : { fromPath }),
    ...(toPath === name ? {} : { toPath }),
  }))
}
