import type { GitRepository } from '../kinds/git-repository.ts'
import { type SourceWords, upToDate } from './source.ts'

/** How a GitRepository speaks, in Flux's words. */
export const WORDS: SourceWords<GitRepository> = {
  stored: (revision) => `stored artifact for revision '${revision}'`,
  unchanged(outcome) {
    if (outcome.isBriefly !== true) return upToDate(outcome)
    const message = `no changes since last reconciliation: observed revision '${outcome.revision}'`
    return { reason: 'GitOperationSucceeded', message }
  },
  observed: observedConfig,
  isVerified: ({ verify }) => verify !== undefined,
  namesLatest: false,
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
