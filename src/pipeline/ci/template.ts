/** Plain JSON, as contexts and results are. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** Whether a JSON value is a list; its type alone tells readonly lists from maps. */
export function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

/** Whether a JSON value is a map: neither null nor a list. */
export function isMap(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !isList(value)
}

/** Line and column in the workflow file, both from 1. */
export type Place = { readonly line: number; readonly column: number }

/** A part of a workflow that may hold expressions: what the file says, before anything is known of the run. */
export type Template =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null; readonly at: Place }
  | { readonly kind: 'expression'; readonly text: string; readonly at: Place }
  | { readonly kind: 'text'; readonly parts: readonly TextPart[]; readonly at: Place }
  | { readonly kind: 'list'; readonly items: readonly Template[]; readonly at: Place }
  | { readonly kind: 'map'; readonly entries: readonly TemplateEntry[]; readonly at: Place }

/** A piece of a text with expressions in it: `a ${{ b }} c` has three. */
export type TextPart =
  | { readonly kind: 'literal'; readonly value: string; readonly at: Place }
  | { readonly kind: 'expression'; readonly text: string; readonly at: Place }

/** A key of a map with its value; keys are literal in all that a runner reads. */
export type TemplateEntry = { readonly key: string; readonly value: Template }

/** The value of a key, when `template` is a map that has it. */
export function entryOf(template: Template | undefined, key: string): Template | undefined {
  return template?.kind === 'map' ? template.entries.find((entry) => entry.key === key)?.value : undefined
}

/** The text of a literal, undefined for anything else. */
export function literalText(template: Template | undefined): string | undefined {
  return template?.kind === 'literal' && template.value !== null ? String(template.value) : undefined
}

/** The texts of a literal or of a list of literals; `undefined` when absent. */
export function literalList(template: Template | undefined): readonly string[] | undefined {
  if (template === undefined) return undefined
  if (template.kind === 'list') return template.items.flatMap((item) => literalText(item) ?? [])
  const text = literalText(template)
  return text === undefined ? [] : [text]
}

/**
 * Cuts a text at its `${{ }}`; quoted text inside an expression may hold `}}`.
 *
 * A text that is one expression and nothing else is that expression, so that it keeps its type.
 */
export function splitText(text: string, at: Place): Template {
  const parts: TextPart[] = []
  let from = 0
  for (let open = text.indexOf('${{'); open >= 0; open = text.indexOf('${{', from)) {
    const close = endOfExpression(text, open + 3)
    if (close < 0) break
    if (open > from) parts.push({ kind: 'literal', value: text.slice(from, open), at })
    parts.push({ kind: 'expression', text: text.slice(open + 3, close).trim(), at })
    from = close + 2
  }
  if (from < text.length) parts.push({ kind: 'literal', value: text.slice(from), at })
  const [only] = parts
  return parts.length === 1 && only !== undefined ? only : { kind: 'text', parts, at }
}

function endOfExpression(text: string, from: number): number {
  let isQuoted = false
  for (let at = from; at < text.length; at++) {
    if (text[at] === "'") isQuoted = !isQuoted
    if (!isQuoted && text.startsWith('}}', at)) return at
  }
  return -1
}
