import { SluiceError } from '../../error/sluice-error.ts'
import { goSyntaxError } from '../../yaml/syntax/go-syntax-error.ts'
import { goOldSyntax } from '../../yaml/write/go-syntax.ts'
import { goQuote } from '../../value/go-quote.ts'
import { parseDocuments } from '../../yaml/parse-documents.ts'
import { type YamlDocument, type YamlNode } from '../../yaml/nodes.ts'
import { positionOf } from '../../yaml/position.ts'
import { failure, rewritten } from '../failure.ts'

/** The root of a file that kustomize reads by way of JSON; what follows the first document is left out. */
export function parseConfig(text: string, file: string): YamlNode | undefined {
  return parseFirst(text, file)?.root
}

/** The same where a key may stand once only. */
export function parseStrictConfig(text: string, file: string): YamlNode | undefined {
  const document = parseFirst(text, file)
  if (!document || document.duplicates.length === 0) return document?.root
  const faults = document.duplicates.map(({ key, value }) => {
    const { line } = positionOf(document.source, value.start)
    return `\n  line ${line}: key ${goQuote(key)} already set in map`
  })
  const [first] = document.duplicates
  throw failure(
    'KUSTOMIZE_INVALID',
    `error converting YAML to JSON: yaml: unmarshal errors:${faults.join('')}`,
    first?.value,
    'remove one of the two',
  )
}

function parseFirst(text: string, file: string): YamlDocument | undefined {
  return parseOld(text, file, 'error converting YAML to JSON')
}

/** The first document of a text, by the rules of the older library, in whose words errors are, behind a prefix. */
export function parseOld(text: string, file: string, prefix: string): YamlDocument | undefined {
  try {
    const [document] = parseDocuments(text, file, undefined, 'v2', 'skipped')
    if (document?.root) refuseCollectionKeys(document.root)
    return document
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'YAML_SYNTAX') throw error
    throw rewritten(error, () => `${prefix}: ${goSyntaxError(error, text, 'v2')}`)
  }
}

/** The library has no key that is a collection, as in a template that was not rendered: `{{ name }}`. */
function refuseCollectionKeys(node: YamlNode): void {
  if (node.kind === 'seq') node.items.forEach(refuseCollectionKeys)
  if (node.kind !== 'map') return
  for (const key of node.collectionKeys?.values() ?? [])
    throw failure('YAML_SYNTAX', `invalid map key: ${goOldSyntax(key)}`, key, 'quote the key; render a template first')
  for (const value of node.fields.values()) refuseCollectionKeys(value)
}
