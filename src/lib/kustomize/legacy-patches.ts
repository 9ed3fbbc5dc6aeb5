import { SluiceError } from '../error/sluice-error.ts'
import { fileName, loadText, type Loader } from './loader.ts'
import type { TextEntry } from './kustomization.ts'
import { readInside, readResources } from './read-resources.ts'
import type { Resource } from './resource.ts'

/** An entry of `patchesStrategicMerge`: the patch itself, or the path of a file. */
export function readLegacyPatches(loader: Loader, { text, node }: TextEntry): Resource[] {
  try {
    return readInside(text, node)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    return readResources(loadText(loader, text), fileName(loader, text))
  }
}
