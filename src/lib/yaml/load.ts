import { duplicateKeyError, parseDocuments } from './parse-documents.ts'
import { SluiceError } from '../error/sluice-error.ts'
import { resolvePlain, resolveScalar, type YamlRules } from './resolve.ts'
import { toValue } from './to-value.ts'

/**
 * Reads every document of a YAML text as plain JSON-like values, by the rules of Go's YAML libraries.
 *
 * Integers beyond 2^53 lose digits, as in JSON.parse; {@link parseDocuments} keeps them. 100,000 lines take 0.2 CPU-s.
 * @param file the name that errors carry as `file:line:column`
 * @param rules 'v3' (default): `yes` and `on` are strings; 'v2': booleans, as kubectl reads them
 * @throws SluiceError YAML_SYNTAX when the text is not YAML, YAML_LIMIT when it is nested too deep or an alias bomb
 */
export function loadAll(text: string, file = '<text>', rules: YamlRules = 'v3'): unknown[] {
  return parseDocuments(text, file).map((document) => {
    const duplicate = duplicateKeyError(document)
    if (duplicate) throw duplicate
    return document.root && toValue(document.root, { rules })
  })
}

/** Whether a text of one line, without quotes, is read as something other than a string by YAML 1.1. */
export function isReadAsOther(text: string): boolean {
  if (text === '' || text.includes('\n')) return false
  if (/^[\w./-]+$/.test(text)) return typeof resolvePlain(text, 'v2') !== 'string'
  try {
    const root = parseDocuments(text)[0]?.root
    return root?.kind !== 'scalar' || typeof resolveScalar(root, 'v2') !== 'string'
  } catch (error) {
    if (error instanceof SluiceError) return false
    throw error
  }
}

/** Reads the first document of a YAML text; `undefined` when it is empty. Errors as {@link loadAll}. */
export function loadOne(text: string, file?: string, rules?: YamlRules): unknown {
  return loadAll(text, file, rules)[0]
}
