/**
 * The tree of a YAML text, with the place of every node; `parse-documents.ts` reads it, `make-nodes.ts` makes nodes by program.
 *
 * Offsets are UTF-16 code units of the given text, as `String.slice` wants them. Aliases are expanded to copies (bounded) and
 * merge keys are merged, so that a tree has no sharing. A scalar keeps its text; what it means is asked of `resolve.ts`.
 */

/** The text that nodes were read from; `within` is the scalar that holds it, when it is a text inside another file. */
export type Source = { readonly file: string; readonly text: string; readonly within?: Within }

/** A text inside a scalar, for example an inline patch: where in the scalar's value it starts. */
export type Within = { readonly scalar: YamlScalar; readonly offset: number }

/** How a scalar is spelled in the text. */
export type ScalarStyle = 'plain' | 'single' | 'double' | 'literal' | 'folded'

type Place = {
  /** Where the node was read from; undefined when it was made by a program. */
  source: Source | undefined
  /** Offset of the first character, and of the one after the last. */
  start: number
  end: number
  /** Offset of the key of which this node is the value, -1 when it is none. */
  keyStart: number
  /** Whether the text says the tag; then it is printed, needed or not. */
  isTagged?: true
  /** The name that the text gives it, where aliases are kept. */
  anchor?: string
  /** Who set the value, and who before; only in builds that keep it (kustomize/provenance.ts). Copies carry it along. */
  touch?: Touch | undefined
}

/** One write of a leaf: the last one leads to those before it. */
export type Touch = {
  /** What wrote, for example `ImageTagTransformer`. */
  readonly by: string
  /** The field of the kustomization file that asked for it, for example `images`; '' when none did. */
  readonly field: string
  /** Where that field says so. */
  readonly config: YamlNode | undefined
  readonly value: string
  /** Where the value stands. */
  readonly source: Source | undefined
  readonly start: number
  readonly keyStart: number
  readonly before: Touch | undefined
}

/** A leaf. `tag` is '' when the text has none. */
export type YamlScalar = Place & {
  kind: 'scalar'
  value: string
  tag: string
  style: ScalarStyle
  /** Stands for what is marked so, where aliases are kept; the value is `*name`. */
  isAlias?: true
}

/** A mapping; keys are the texts of the key scalars, in the order of the text. */
export type YamlMap = Place & {
  kind: 'map'
  fields: Map<string, YamlNode>
  tag: string
  /** Written as `{…}`. */
  isFlow?: boolean
  /** Was JSON for a while, and so is written with its keys in order and without quotes that they do not need. */
  wasJson?: true
  /** The first key that is no string, such as `8080`. */
  otherKey?: string
  /** The first of them that the text has; a key that a program put there has no type of its own. */
  typedKey?: string
  /** Plain keys that YAML 1.1 reads as no string: those, and `yes` and the like. */
  oldKeys?: Set<string>
  /** Keys that are mappings or sequences, by their text: Go's libraries read them, and refuse them in the end. */
  collectionKeys?: Map<string, YamlMap | YamlSeq>
  /** The other values of keys that the text has more than once: those before the one in `fields`, or after it (`keepFirst`). */
  overwritten?: Overwritten[]
}

/** A value of a key that stands more than once; `at` is how many keys were read when the text had it again. */
export type Overwritten = { readonly key: string; readonly value: YamlNode; readonly at: number }

/** A sequence. */
export type YamlSeq = Place & {
  kind: 'seq'
  items: YamlNode[]
  tag: string
  /** Written as `[…]`. */
  isFlow?: boolean
}

export type YamlNode = YamlScalar | YamlMap | YamlSeq

/** What an alias becomes: a copy of what it stands for, or a node of its own; then `<<` is a field as any other. */
export type Aliases = 'copied' | 'kept'

/** What becomes of a text that goes on behind the node of a document. */
export type Rest = 'refused' | 'skipped'

/** A comment: from `#` to the end of its line. */
export type YamlComment = { readonly start: number; readonly end: number }

/** A key that a mapping has twice; the tree keeps the last value. */
export type DuplicateKey = {
  readonly key: string
  readonly first: number
  readonly second: number
  /** What the second one says. */
  readonly value: YamlNode
}

/** One document of a text. */
export type YamlDocument = {
  readonly source: Source
  /** undefined when the document is empty. */
  readonly root: YamlNode | undefined
  readonly comments: readonly YamlComment[]
  readonly duplicates: readonly DuplicateKey[]
  /** Whether it marks nodes by `&name`; the tree has copies where aliases stand. */
  readonly hasAnchors: boolean
  /** Offset of what stands behind the node of the document and is not read ('skipped'); undefined where nothing does. */
  readonly unread: number | undefined
}

/** Every scalar that has a comment behind it on its last line, or on the first one of its block, in the order of the text. */
export function scalarsWithComments(
  document: YamlDocument,
): { readonly scalar: YamlScalar; readonly comment: YamlComment; readonly path: readonly string[] }[] {
  const found: { scalar: YamlScalar; comment: YamlComment; path: readonly string[] }[] = []
  if (document.comments.length === 0) return found
  const byLineEnd = new Map(document.comments.map((comment) => [comment.end, comment]))
  const { text } = document.source
  let [from, end] = [0, -1]
  const visit = (node: YamlNode, path: readonly string[]): void => {
    if (node.kind === 'map') for (const [key, value] of node.fields) visit(value, [...path, key])
    else if (node.kind === 'seq') node.items.forEach((item, index) => visit(item, [...path, String(index)]))
    else {
      const isBlock = node.style === 'literal' || node.style === 'folded'
      const last = isBlock ? node.start : node.end
      // lines may be long, and hold many scalars
      if (last < from || last > end) [from, end] = [last, lineEnd(text, last)]
      const comment = byLineEnd.get(end)
      if (comment && comment.start >= last && (isBlock || /^[\s,\]}]*$/.test(text.slice(last, comment.start))))
        found.push({ scalar: node, comment, path })
    }
  }
  if (document.root) visit(document.root, [])
  return found
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  const at = end < 0 ? text.length : end
  return text.charCodeAt(at - 1) === 13 ? at - 1 : at
}

/** A deep copy; places are kept. */
export function copyNode(node: YamlNode): YamlNode {
  if (node.kind === 'scalar') return { ...node }
  if (node.kind === 'seq') return { ...node, items: node.items.map(copyNode) }
  const fields = new Map<string, YamlNode>()
  for (const [key, value] of node.fields) fields.set(key, copyNode(value))
  const overwritten = node.overwritten?.map((one) => ({ ...one, value: copyNode(one.value) }))
  return { ...node, fields, ...(overwritten ? { overwritten } : {}) }
}

/** Lets the first value of keys that stand more than once count, where a tree has the last: kyaml looks fields up from the top. */
export function keepFirst(node: YamlNode): void {
  if (node.kind === 'seq') node.items.forEach(keepFirst)
  if (node.kind !== 'map') return
  const later: Overwritten[] = []
  const next = new Map<string, YamlNode>()
  for (const { key, value, at } of node.overwritten?.splice(0).reverse() ?? []) {
    later.unshift({ key, value: next.get(key) ?? node.fields.get(key) ?? value, at })
    next.set(key, value)
  }
  for (const [key, value] of next) node.fields.set(key, value)
  if (later.length > 0) node.overwritten = later
  node.fields.forEach(keepFirst)
  for (const { value } of later) keepFirst(value)
}

/** Takes a field away; where the text has the key again, the next one counts. */
export function removeField(map: YamlMap, key: string): void {
  const next = map.overwritten?.find((one) => one.key === key)
  if (!next) {
    map.fields.delete(key)
    return
  }
  const rest = map.overwritten?.filter((one) => one !== next) ?? []
  if (rest.length > 0) map.overwritten = rest
  else delete map.overwritten
  map.fields.set(key, next.value)
}
