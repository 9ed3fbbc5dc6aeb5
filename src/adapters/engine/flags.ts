import type { SharedCaches } from '../kube/shared-caches.ts'

/** What Flux's controllers are told by flags, for all objects at once; docs/compat/flux.md says which flags have no place here. */
export type EngineFlags = {
  /** Whose rights a Kustomization uses that names no `serviceAccountName`; '' for the engine's own. */
  readonly defaultServiceAccount: string
  /** A Secret of the engine's own namespace with age keys, for Kustomizations with `decryption` and no `secretRef`; '' for none. */
  readonly sopsAgeSecret: string
  /** Field managers, by the start of their name, whose fields are taken over as kubectl's are. */
  readonly overrideManagers: readonly string[]
  /** How often what waits for a source or a dependency is looked at again, besides when that changes. */
  readonly requeueDependencyMs: number
  /** Only objects with such labels are worked on; '' for all. */
  readonly watchSelector: string
  /** False: only objects of the engine's own namespace are worked on. */
  readonly watchAllNamespaces: boolean
  /** Whether bases and files that a kustomization.yaml names on other hosts are fetched. */
  readonly remoteBases: boolean
  /** The feature gate `ExternalArtifact`; with `--traps flux` such sources are refused without it. */
  readonly externalArtifact: boolean
  /** `host[:port]` by which others reach the artifacts; '' for where they are served. */
  readonly storageAdvAddr: string
}

/** Flux's own defaults. */
export const DEFAULT_FLAGS: EngineFlags = {
  defaultServiceAccount: '',
  sopsAgeSecret: '',
  overrideManagers: [],
  requeueDependencyMs: 30_000,
  watchSelector: '',
  watchAllNamespaces: true,
  remoteBases: true,
  externalArtifact: false,
  storageAdvAddr: '',
}

const OURS = /^[a-z]+(\.extensions)?\.toolkit\.fluxcd\.io\//
/** Flux's controllers choose by labels among all kinds but these. */
const UNLABELLED = /^notification\./

/**
 * The caches as the flags allow: of Flux's kinds they hold only what this engine works on. A shard sees neither the sources nor the dependencies of
 * another one, as in Flux.
 */
export function narrowCaches(caches: SharedCaches, flags: EngineFlags, namespace: string): SharedCaches {
  if (flags.watchAllNamespaces && flags.watchSelector === '') return caches
  return {
    close: caches.close,
    open(selection) {
      if (!OURS.test(selection.apiVersion)) return caches.open(selection)
      const isChosen = flags.watchSelector !== '' && !UNLABELLED.test(selection.apiVersion)
      return caches.open({
        ...selection,
        ...(flags.watchAllNamespaces ? {} : { namespace }),
        ...(isChosen ? { labelSelector: flags.watchSelector } : {}),
      })
    },
  }
}
