import { SluiceError } from '../error/sluice-error.ts'
import { goSyntaxError } from '../yaml/go-syntax-error.ts'
import { parseDocuments, type YamlNode } from '../yaml/nodes.ts'
import { rewritten } from './failure.ts'

/** The root of a file that kustomize reads by way of JSON; what follows the first document is left out. */
export function parseConfig(text: string, file: string): YamlNode | undefined {
  try {
    return parseDocuments(text, file, undefined, 'v2')[0]?.root
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'YAML_SYNTAX') throw error
    throw rewritten(error, () => `error converting YAML to JSON: ${goSyntaxError(error, text, 'v2')}`)
  }
}
