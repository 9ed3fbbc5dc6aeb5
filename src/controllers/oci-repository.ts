import type { OciRepository } from '../kinds/oci-repository.ts'
import type { SourceWords } from './source.ts'

/** How an OCIRepository speaks, in Flux's words. */
export const OCI_WORDS: SourceWords<OciRepository> = {
  stored: (revision) => `stored artifact for digest '${revision}'`,
  unchanged: ({ revision }) => ({
    reason: 'ArtifactUpToDate',
    message: `artifact up-to-date with remote revision: '${revision}'`,
  }),
  observed: ({ ignore, layerSelector }) => ({
    ...(ignore === undefined ? {} : { observedIgnore: ignore }),
    ...(layerSelector === undefined ? {} : { observedLayerSelector: layerSelector }),
  }),
  isVerified: ({ verify }) => verify !== undefined,
  namesLatest: true,
}
