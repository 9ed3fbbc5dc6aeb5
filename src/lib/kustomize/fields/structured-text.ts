import { attachComments, type NodeComments } from '../../yaml/write/node-comments.ts'
import { type YamlMap, type YamlNode } from '../../yaml/nodes.ts'
import { reprintedValue } from '../../yaml/write/reprint.ts'
import { tagOf } from '../../yaml/resolve.ts'
import { writeNode } from '../../yaml/write/write-nodes.ts'
import { SluiceError } from '../../error/sluice-error.ts'
import { goJson } from '../objects/hash.ts'
import { becomeNode, lookup, matchPath, parseText } from './lookup.ts'

/** What a node gets when a text is copied to it. */
export type TextFor = (node: YamlNode, text: string) => string

/**
 * Sets a value inside JSON or YAML that is the text of a field, for example `data.config\\.json.a.b`. The text is written anew as Go's
 * libraries do.
 *
 * @returns whether there was such a text and field, and the value fits it
 */
export function setInText(
  object: YamlMap,
  steps: readonly string[],
  value: YamlNode,
  create: boolean,
  textFor: TextFor,
): boolean {
  for (let i = 1; i < steps.length; i++) {
    const holder = attempt(() => lookup(object, steps.slice(0, i)))
    if (holder?.kind !== 'scalar') continue
    const text = withoutSeparator(holder.value)
    const document = attempt(() => parseText(text))
    if (document?.root === undefined) continue
    const { root } = document
    // Before anything is created: what has no place in the text would stand at its start.
    const comments = document.hasAnchors ? undefined : attachComments(document)
    const found = attempt(() => matchPath(root, steps.slice(i), { create: create ? value.kind : undefined })) ?? []
    if (found.length === 0) return false
    const replaced = new Set(found.filter(({ kind }) => kind !== 'scalar'))
    for (const node of found) setValue(node, value, textFor)
    const isJson = /^\s*[{[]/.test(holder.value)
    if (!isJson && comments === undefined) throw oddText()
    const written = isJson
      ? jsonText(root, holder.value)
      : writeNode(root, comments && without(comments, replaced)).trim()
    if (written === undefined) return false
    holder.value = written
    return true
  }
  return false
}

/** The line that begins a document is not printed; what stands above it is parted from a comment below it only. */
function withoutSeparator(text: string): string {
  const [start = '', head = ''] = /^((?:#.*\n|\n)*)---[ \t]*\n+/.exec(text) ?? []
  const rest = text.slice(start.length)
  return (rest.startsWith('#') ? head : head.replace(/\n+$/, '\n')) + rest
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (error instanceof SluiceError) return undefined
    throw error
  }
}

/** A mapping or list that a value takes the place of loses the comment behind it. */
function without(comments: NodeComments, replaced: ReadonlySet<YamlNode>): NodeComments {
  return { ...comments, behind: (node) => (replaced.has(node) ? undefined : comments.behind(node)) }
}

/** Only the text of a scalar changes; it keeps the type that it was read with. */
function setValue(node: YamlNode, value: YamlNode, textFor: TextFor): void {
  if (node.kind !== 'scalar') {
    const { source, keyStart } = node
    becomeNode(node, value)
    Object.assign(node, { source, keyStart })
    return
  }
  if (node.tag === '' && node.end > 0) node.tag = tagOf(node)
  node.value = textFor(node, value.kind === 'scalar' ? value.value : '')
}

function oddText(): SluiceError {
  return new SluiceError(
    'KUSTOMIZE_UNSUPPORTED',
    'a replacement inside a YAML text that has anchors, or comments in unusual places, is not done',
    {
      hint: 'let comments stand right above a field, in its column, or behind a value; write out what aliases stand for',
    },
  )
}

/** The JSON of a tree, spread over lines where the text was; undefined where a value does not fit its type. */
function jsonText(root: YamlNode, text: string): string | undefined {
  const plain = attempt(() => reprintedValue(root))
  if (plain === undefined) return undefined
  return text.includes('\n') && text.includes('  ') ? indented(plain, '') : goJson(plain)
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
