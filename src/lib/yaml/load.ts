import yaml from 'js-yaml'
import { SluiceError } from '../error/sluice-error.ts'

/**
 * Reads every document of a YAML text as plain JSON-like values.
 *
 * @param file the name that errors carry as `file:line:column`
 * @throws SluiceError YAML_SYNTAX when the text is not YAML
 */
export function loadAll(text: string, file = '<text>'): unknown[] {
  try {
    return yaml.loadAll(text, undefined, { schema: yaml.CORE_SCHEMA })
  } catch (error) {
    if (!(error instanceof yaml.YAMLException)) throw error
    const at = `${file}:${error.mark.line + 1}:${error.mark.column + 1}`
    throw new SluiceError('YAML_SYNTAX', error.reason, { where: at, cause: error })
  }
}

/** Reads the first document of a YAML text; `undefined` when it is empty. Errors as {@link loadAll}. */
export function loadOne(text: string, file?: string): unknown {
  return loadAll(text, file)[0]
}
