/**
 * Reads YAML as trees with places: what kustomize works on and what byte-exact edits need.
 *
 *     const [document] = parseDocuments(text, 'apps/web/kustomization.yaml')
 *     for (const { scalar, comment } of scalarsWithComments(document)) …   // `image: a:1 # {"$imagepolicy": "ns:web"}`
 *     text.slice(0, scalar.start) + '"a:2"' + text.slice(scalar.end)       // start..end covers the quotes, never the comment
 */
import { SluiceError } from '../error/sluice-error.ts'
import type { Aliases, Rest, Within, YamlDocument } from './nodes.ts'
import { createCursor } from './parse/cursor.ts'
import { parseDocumentBody, startDocument } from './parse/parse-document.ts'
import { positionOf } from './position.ts'
import type { YamlRules } from './resolve.ts'

/**
 * Reads every document of a YAML text as trees with positions.
 *
 * Linear; 1,000 levels and one million expanded alias nodes at most.
 * @param file the name that errors carry as `file:line:column`
 * @param rules how `<<` is read: once, for fields that are missing (v3), or wherever it stands, over those above it (v2); and how many
 *   documents are: all (v3), or the first (v2)
 * @param rest what becomes of lines between the end of a document's node and the next `---`: Go's libraries do not read on to them
 * @param aliases whether the tree has copies where aliases stand, as whoever reads it wants, or says so, as whoever prints it does
 * @throws SluiceError YAML_SYNTAX, YAML_LIMIT
 */
export function parseDocuments(
  text: string,
  file = '<text>',
  within?: Within,
  rules: YamlRules = 'v3',
  rest: Rest = 'refused',
  aliases: Aliases = 'copied',
): YamlDocument[] {
  const cursor = createCursor(within ? { file, text, within } : { file, text }, rules, aliases)
  const documents: YamlDocument[] = []
  while (startDocument(cursor)) {
    documents.push(parseDocumentBody(cursor, rest))
    if (rules === 'v2') break
  }
  return documents
}

/** The error for the first key that a document has twice. */
export function duplicateKeyError(document: YamlDocument): SluiceError | undefined {
  const [first] = document.duplicates
  if (!first) return undefined
  const second = positionOf(document.source, first.second)
  const message = `mapping key "${first.key}" already defined at line ${positionOf(document.source, first.first).line}`
  return new SluiceError('YAML_SYNTAX', message, {
    where: `${document.source.file}:${second.line}:${second.column}`,
    hint: 'remove one of the two',
  })
}
