/** Plain JSON, as contexts and results are. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** Line and column in the workflow file, both from 1. */
export type Place = { readonly line: number; readonly column: number }

/** A part of a workflow that may hold expressions: what the file says, before anything is known of the run. */
export type Template =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null; readonly at: Place }
  | { readonly kind: 'expression'; readonly text: string; readonly at: Place }
  | { readonly kind: 'list'; readonly items: readonly Template[]; readonly at: Place }
  | { readonly kind: 'map'; readonly entries: readonly TemplateEntry[]; readonly at: Place }

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
