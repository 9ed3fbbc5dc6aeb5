import { unreachable } from '../../lib/error/unreachable.ts'
import { dump } from '../../lib/yaml/dump.ts'
import type { Entries, FieldChange } from './compare-fields.ts'
import { HIDDEN } from './mask-secret.ts'

const COUNTS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve']
const COLUMN_GAP = '   '

/** Renders changed fields as `flux diff` prints them: the place, what happened there, and the YAML of it; a blank line after each. */
export function renderChanges(changes: readonly FieldChange[]): string {
  return changes.map((change) => `${[change.path, ...describe(change)].join('\n')}\n\n`).join('')
}

function describe(change: FieldChange): readonly string[] {
  switch (change.kind) {
    case 'value':
      return describeValue(change.before, change.after)
    case 'order':
      return ['⇆ order changed', ...prefixed('- ', inline(change.before)), ...prefixed('+ ', inline(change.after))]
    case 'entries':
      return describeEntries(change.removed, change.added)
    default:
      return unreachable(change)
  }
}

function describeValue(before: unknown, after: unknown): readonly string[] {
  const [from, to] = [typeName(before), typeName(after)]
  const title = from === to ? '± value change' : `± type change from ${from} to ${to}`
  const isText = typeof before === 'string' && typeof after === 'string'
  const [old, young] = isText ? withoutCommonEnds(linesOf(before), linesOf(after)) : [linesOf(before), linesOf(after)]
  return [title, ...prefixed('- ', old), ...prefixed('+ ', young)]
}

function describeEntries(removed: Entries, added: Entries): readonly string[] {
  const gone = block('-', removed, 'removed')
  const come = block('+', added, 'added')
  if (gone.length === 0 || come.length === 0) return [...gone, ...come]
  return sideBySide(
    gone.map((line) => line.replace(/^ {2}/, '')),
    come,
    Math.max(...gone.map((line) => line.length)),
  )
}

function block(sign: string, entries: Entries, verb: string): readonly string[] {
  const count = Object.keys(entries).length
  if (count === 0) return []
  const what = `${Array.isArray(entries) ? 'list' : 'map'} ${count === 1 ? 'entry' : 'entries'}`
  return [`${sign} ${COUNTS[count] ?? count} ${what} ${verb}:`, ...prefixed('  ', linesOf(entries))]
}

function sideBySide(left: readonly string[], right: readonly string[], width: number): readonly string[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, row) =>
    ((left[row] ?? '').padEnd(width) + COLUMN_GAP + (right[row] ?? '')).trimEnd(),
  )
}

/** Of a long text, such as a file in a ConfigMap, only the lines between what both have in common. */
function withoutCommonEnds(
  before: readonly string[],
  after: readonly string[],
): readonly [readonly string[], readonly string[]] {
  const shortest = Math.min(before.length, after.length)
  let head = 0
  while (head < shortest && before[head] === after[head]) head++
  let tail = 0
  while (tail < shortest - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++
  return [before.slice(head, before.length - tail), after.slice(head, after.length - tail)]
}

function linesOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.split('\n')
  return dump(value).trimEnd().replaceAll(`'${HIDDEN}'`, `"${HIDDEN}"`).split('\n')
}

function inline(list: readonly unknown[]): readonly string[] {
  return [list.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))).join(', ')]
}

function prefixed(prefix: string, lines: readonly string[]): readonly string[] {
  return lines.map((line) => prefix + line)
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'list'
  if (typeof value === 'object') return 'map'
  return typeof value === 'boolean' ? 'bool' : typeof value
}
