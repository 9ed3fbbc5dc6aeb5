import { parseDocuments, type YamlMap, type YamlNode } from '../yaml/nodes.ts'
import { SluiceError } from '../error/sluice-error.ts'
import { toValue } from '../yaml/to-value.ts'
import { writeString } from '../yaml/write-scalar.ts'
import { goJson } from './hash.ts'
import { becomeNode, lookup, matchPath } from './lookup.ts'

/** What a node gets when a text is copied to it. */
export type TextFor = (node: YamlNode, text: string) => string

/**
 * Sets a value inside JSON or YAML that is the text of a field, for example `data.config\.json.a.b`.
 *
 * JSON is written anew as Go does, YAML is edited in place. @returns whether there was such a text and field
 */
export function setInText(
  object: YamlMap,
  steps: readonly string[],
  value: YamlNode,
  create: boolean,
  textFor: TextFor,
): boolean {
  for (let i = 1; i < steps.length; i++) {
    const holder = tryLookup(object, steps.slice(0, i))
    if (holder?.kind !== 'scalar') continue
    const inner = parseText(holder.value)
    if (inner === undefined || inner.kind === 'scalar') return false
    const edited = editText(holder.value, inner, steps.slice(i), value, create, textFor)
    if (edited === undefined) return false
    holder.value = edited
    return true
  }
  return false
}

function tryLookup(object: YamlMap, steps: readonly string[]): YamlNode | undefined {
  try {
    return lookup(object, steps)
  } catch (error) {
    if (error instanceof SluiceError) return undefined
    throw error
  }
}

function parseText(text: string): YamlNode | undefined {
  try {
    return parseDocuments(text)[0]?.root
  } catch (error) {
    if (error instanceof SluiceError) return undefined
    throw error
  }
}

function editText(
  text: string,
  root: YamlNode,
  steps: readonly string[],
  value: YamlNode,
  create: boolean,
  textFor: TextFor,
): string | undefined {
  const found = tryMatch(root, steps, value, create)
  if (found.length === 0) return undefined
  const isJson = /^[{[]/.test(text.trim())
  if (!isJson && found.some((node) => node.source === undefined || node.kind !== 'scalar' || value.kind !== 'scalar'))
    throw new SluiceError(
      'KUSTOMIZE_UNSUPPORTED',
      'a replacement that builds structure inside a YAML text is not done',
      {
        hint: 'replace a scalar that exists, or keep the text as JSON',
      },
    )
  if (!isJson) return editInPlace(text, found, value, textFor)
  for (const node of found) {
    if (node.kind === 'scalar' && value.kind === 'scalar') node.value = textFor(node, value.value)
    else becomeNode(node, value)
  }
  const plain = toValue(root, { integers: 'bigint' })
  return text.includes('\n') && text.includes('  ') ? indented(plain, '') : goJson(plain)
}

function tryMatch(root: YamlNode, steps: readonly string[], value: YamlNode, create: boolean): YamlNode[] {
  try {
    return matchPath(root, steps, create ? value.kind : undefined)
  } catch (error) {
    if (error instanceof SluiceError) return []
    throw error
  }
}

function editInPlace(text: string, found: readonly YamlNode[], value: YamlNode, textFor: TextFor): string {
  let out = text
  const inOrder = [...found].sort((a, b) => b.start - a.start)
  for (const node of inOrder) {
    const fresh = textFor(node, value.kind === 'scalar' ? value.value : '')
    const written =
      node.kind === 'scalar' && node.style === 'double' ? JSON.stringify(fresh) : writeString(fresh, 0, 0, true)
    out =
      out.slice(0, node.start) +
      (node.kind === 'scalar' && node.style === 'plain' ? fresh : written) +
      out.slice(node.end)
  }
  return out.trim()
}

/** JSON with two spaces, as Go's MarshalIndent writes it. */
function indented(value: unknown, pad: string): string {
  const inner = `${pad}  `
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]'
    return `[\n${value.map((item) => inner + indented(item, inner)).join(',\n')}\n${pad}]`
  }
  if (typeof value !== 'object' || value === null) return goJson(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  if (entries.length === 0) return '{}'
  return `{\n${entries.map(([key, item]) => `${inner}${goJson(key)}: ${indented(item, inner)}`).join(',\n')}\n${pad}}`
}
