/** What a value is; it decides how its bytes count for the MAC and how a format writes it. */
export type LeafType = 'str' | 'int' | 'float' | 'bool' | 'time' | 'null'

/** A value. `bytes` are what SOPS encrypts and hashes: a number in decimals, `True` or `False`, a time as RFC 3339. */
export type SopsLeaf = { readonly kind: 'leaf'; readonly type: LeafType; readonly bytes: Buffer }

/** A comment; it may be encrypted, and never counts for the MAC. */
export type SopsComment = { readonly kind: 'comment'; readonly text: string }

/** A field of a mapping; a comment stands between fields and has no key. */
export type SopsEntry = { readonly key: string; readonly value: SopsNode } | SopsComment

/** A mapping in the order of the file. */
export type SopsMap = { readonly kind: 'map'; readonly entries: readonly SopsEntry[] }

/** A sequence. */
export type SopsList = { readonly kind: 'list'; readonly items: readonly SopsNode[] }

export type SopsNode = SopsLeaf | SopsMap | SopsList | SopsComment

/** A file: most have one document, YAML may have more. The first one carries the metadata. */
export type SopsFile = { readonly documents: readonly SopsMap[]; readonly metadata: SopsMap }

/** A leaf of text. */
export function leaf(type: LeafType, text: string): SopsLeaf {
  return { kind: 'leaf', type, bytes: Buffer.from(text) }
}

/** The text of a leaf; '' for anything else. */
export function textOf(node: SopsNode | undefined): string {
  return node?.kind === 'leaf' ? node.bytes.toString('utf8') : ''
}

/** The value of a field; `undefined` when there is none. */
export function fieldOf(node: SopsNode | undefined, key: string): SopsNode | undefined {
  if (node?.kind !== 'map') return undefined
  for (const entry of node.entries) if ('key' in entry && entry.key === key) return entry.value
  return undefined
}

/** The items of a list field, comments left out; empty when it is none. */
export function itemsOf(node: SopsNode | undefined, key: string): readonly SopsNode[] {
  const list = fieldOf(node, key)
  return list?.kind === 'list' ? list.items.filter(({ kind }) => kind !== 'comment') : []
}

/** A number as Go writes it without an exponent (`FormatFloat(v, 'f', -1, 64)`). */
export function plainNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
  const text = String(value)
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text)
  if (!match) return text
  const [, sign = '', first = '', rest = '', exponent = ''] = match
  const digits = first + rest
  const point = 1 + Number(exponent)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  return digits.length <= point
    ? `${sign}${digits.padEnd(point, '0')}`
    : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}

/** Reads a number as Go's `ParseFloat`, which has two names for what has no end. */
export function parseFloatText(text: string): number {
  return Number(text.replace(/^([+-]?)inf(?:inity)?$/i, '$1Infinity'))
}
