import type { OciRepository } from '../kinds/oci-repository.ts'
import { type SourceWords, upToDate } from './source.ts'

/** How an OCIRepository speaks, in Flux's words. */
export const OCI_WORDS: SourceWords<OciRepository> = {
  stored: (revision) => `stored artifact for digest '${revision}'`,
  unchanged: upToDate,
  observed: ({ ignore, layerSelector }) => ({
    ...(ignore === undefined ? {} : { observedIgnore: ignore }),
    ...(layerSelector === undefined ? {} : { observedLayerSelector: layerSelector }),
  }),
  isVerified: ({ verify }) => verify !== undefined,
  namesLatest: true,
}
