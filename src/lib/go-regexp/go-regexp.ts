import { SluiceError } from '../error/sluice-error.ts'
import { contains } from './classes.ts'
import { parsePattern } from './parse.ts'
import { type Assertion, compile, type Program, withoutGroups } from './program.ts'

/** A match: where each group begins and ends in the text (UTF-16), -1 where a group took no part. */
export type GoMatch = { readonly text: string; readonly slots: readonly number[] }

/** A regular expression with Go's syntax, leftmost-first semantics, and time linear in the text. */
export type GoRegexp = {
  readonly source: string
  /** How many groups it has, the whole match not counted: {@link find} copies their places wherever one begins or ends. */
  readonly groups: number
  /** The leftmost match that does not begin before `from` (0); undefined when there is none. */
  readonly find: (text: string, from?: number, budget?: RegexpBudget) => GoMatch | undefined
  readonly test: (text: string) => boolean
  /** Go's `Expand`: `$1`, `$name`, `${name}` in the template become groups of the match; `$$` a dollar. */
  readonly expand: (template: string, match: GoMatch) => string
}

/**
 * How many steps of compiled patterns may still be taken, by all searches that draw on it. One search takes time linear in the text, but the search
 * for all matches begins anew after each of them.
 */
export type RegexpBudget = { left: number }

/** One way through the program, with the groups it has seen. */
type Thread = { readonly step: number; readonly slots: readonly number[] }

/**
 * Compiles a Go regular expression; JavaScript's own could hang on a hostile pattern, this one cannot.
 *
 * Time is at most the text's length times the pattern's.
 * @throws SluiceError REGEXP_SYNTAX with Go's sentence, REGEXP_LIMIT when the pattern is too large
 */
export function compileRegexp(source: string): GoRegexp {
  const parsed = parsePattern(source)
  const program = compile(parsed.node, parsed.groups, parsed.names)
  if (!program) throw new SluiceError('REGEXP_LIMIT', `error parsing regexp: expression too large: \`${source}\``)
  const plain = withoutGroups(program)
  const find: GoRegexp['find'] = (text, from = 0, budget = { left: Infinity }) => findMatch(program, text, from, budget)
  return {
    source,
    groups: program.groups - 1,
    find,
    test: (text) => findMatch(plain, text, 0, { left: Infinity }) !== undefined,
    expand: (template, match) => expandTemplate(program, template, match),
  }
}

/**
 * All threads advance together, character by character: no backtracking.
 *
 * @throws SluiceError REGEXP_LIMIT when the budget is used up
 */
function findMatch({ steps, groups }: Program, text: string, from: number, budget: RegexpBudget): GoMatch | undefined {
  const none: readonly number[] = new Array<number>(groups * 2).fill(-1)
  const seen = new Int32Array(steps.length).fill(-1)
  let threads: Thread[] = []
  let matched: readonly number[] | undefined
  let round = 0
  budget.left -= steps.length
  for (let at = from; ; round++) {
    if (budget.left < 0) throw new SluiceError('REGEXP_LIMIT', 'regular expressions take too many steps')
    if (!matched) budget.left -= addThread(steps, seen, round, threads, { step: 0, slots: none }, text, at)
    if (threads.length === 0 && matched) break
    const code = text.codePointAt(at)
    const next: Thread[] = []
    const width = code !== undefined && code > 0xffff ? 2 : 1
    for (const thread of threads) {
      const step = steps[thread.step]
      if (step?.op === 'match') {
        matched = thread.slots
        break
      }
      if (step?.op !== 'set' || code === undefined) continue
      if (!contains(step.ranges, code)) continue
      const following = { step: thread.step + 1, slots: thread.slots }
      budget.left -= addThread(steps, seen, round + 1, next, following, text, at + width)
    }
    threads = next
    if (code === undefined) break
    at += width
  }
  return matched && { text, slots: matched }
}

/** @returns how many steps that took */
function addThread(
  steps: Program['steps'],
  seen: Int32Array,
  round: number,
  threads: Thread[],
  first: Thread,
  text: string,
  at: number,
): number {
  const open: Thread[] = [first]
  let taken = 0
  for (let thread = open.pop(); thread; thread = open.pop()) {
    const { step: index, slots } = thread
    const step = steps[index]
    // Where a group begins or ends, the places of all groups are copied.
    taken += step?.op === 'save' ? slots.length : 1
    if (!step || seen[index] === round) continue
    seen[index] = round
    if (step.op === 'jump') open.push({ step: step.next, slots })
    else if (step.op === 'split') open.push({ step: step.other, slots }, { step: step.next, slots })
    else if (step.op === 'save') open.push({ step: index + 1, slots: slots.with(step.slot, at) })
    else if (step.op === 'assert') {
      if (holds(step.what, text, at)) open.push({ step: index + 1, slots })
    } else threads.push(thread)
  }
  return taken
}

function holds(what: Assertion, text: string, at: number): boolean {
  switch (what) {
    case 'text-start':
      return at === 0
    case 'text-end':
      return at === text.length
    case 'line-start':
      return at === 0 || text[at - 1] === '\n'
    case 'line-end':
      return at === text.length || text[at] === '\n'
    case 'word':
    case 'not-word':
      return (isWord(text[at - 1]) !== isWord(text[at])) === (what === 'word')
  }
}

function isWord(char: string | undefined): boolean {
  return char !== undefined && /[0-9A-Za-z_]/.test(char)
}

/** A number with a zero in front is a name; of groups with the same name the first that took part counts. */
function expandTemplate(program: Program, template: string, { text, slots }: GoMatch): string {
  const groupOf = (index: number): string | undefined => {
    const [start, end] = [slots[index * 2], slots[index * 2 + 1]]
    return start === undefined || end === undefined || start < 0 ? undefined : text.slice(start, end)
  }
  return template.replace(
    /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu,
    (whole, braced?: string, bare?: string) => {
      if (whole === '$$') return '$'
      const name = braced ?? bare ?? ''
      const indexes = /^(?:0|[1-9]\d{0,8})$/.test(name) ? [Number(name)] : (program.names.get(name) ?? [])
      return indexes.map(groupOf).find((group) => group !== undefined) ?? ''
    },
  )
}
