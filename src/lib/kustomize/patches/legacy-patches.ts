import { SluiceError } from '../../error/sluice-error.ts'
import { failure, rewritten } from '../failure.ts'
import { fileName, loadText, type Loader } from '../files/loader.ts'
import type { TextEntry } from '../kustomization/decoded-fields.ts'
import { isMalformed, readInside, readResources } from '../objects/read-resources.ts'
import type { Resource } from '../objects/resource.ts'

/** An entry of `patchesStrategicMerge`: the patch itself, or the path of a file. */
export function readLegacyPatches(loader: Loader, { text, node }: TextEntry): Resource[] {
  try {
    return readInside(text, node)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const content = loadText(loader, text)
    try {
      return readResources(content, fileName(loader, text))
    } catch (fault) {
      throw isMalformed(fault) ? rewritten(fault, (said) => `MalformedYAMLError: ${said} in File: ${text}`) : fault
    }
  }
}

/** The error for patches that are none. */
export function emptyPatches(paths: readonly string[], inline: string): SluiceError {
  return failure('KUSTOMIZE_INVALID', `patch appears to be empty; files=[${paths.join(' ')}], Patch=${inline}`)
}
