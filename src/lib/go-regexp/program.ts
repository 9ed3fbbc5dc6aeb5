import type { Ranges } from './classes.ts'

/** One step of a compiled pattern; `next` and `other` are indexes into the program. */
export type Step =
  | { readonly op: 'set'; readonly ranges: Ranges }
  | { readonly op: 'split'; next: number; other: number }
  | { readonly op: 'jump'; next: number }
  | { readonly op: 'save'; readonly slot: number }
  | { readonly op: 'assert'; readonly what: Assertion }
  | { readonly op: 'match' }

/** A place that a pattern asks for without reading a character. */
export type Assertion = 'text-start' | 'text-end' | 'line-start' | 'line-end' | 'word' | 'not-word'

/** A compiled pattern. */
export type Program = {
  readonly steps: readonly Step[]
  /** Group count, the whole match (0) included. */
  readonly groups: number
  readonly names: ReadonlyMap<string, readonly number[]>
}

/** What a pattern is made of, before it is compiled. */
export type Node =
  | { readonly kind: 'set'; readonly ranges: Ranges }
  | { readonly kind: 'list'; readonly items: readonly Node[] }
  | { readonly kind: 'either'; readonly items: readonly Node[] }
  | {
      readonly kind: 'repeat'
      readonly item: Node
      readonly min: number
      readonly max: number
      readonly isLazy: boolean
    }
  | { readonly kind: 'group'; readonly item: Node; readonly index: number }
  | { readonly kind: 'assert'; readonly what: Assertion }

/** More steps than this are refused: time per character grows with them. */
const MOST_STEPS = 20_000

/**
 * Compiles a parsed pattern for the stepwise matcher.
 *
 * @returns undefined when it would have more than 20,000 steps
 */
export function compile(
  node: Node,
  groups: number,
  names: ReadonlyMap<string, readonly number[]>,
): Program | undefined {
  const steps: Step[] = []
  const ok = emitGroup(steps, node, 0)
  steps.push({ op: 'match' })
  return ok ? { steps, groups, names } : undefined
}

/** The same pattern for one who only asks whether it matches. */
export function withoutGroups({ steps, names }: Program): Program {
  const bare = steps.map((step, index) => (step.op === 'save' ? { op: 'jump' as const, next: index + 1 } : step))
  return { steps: bare, groups: 0, names }
}

function emit(steps: Step[], node: Node): boolean {
  if (steps.length > MOST_STEPS) return false
  switch (node.kind) {
    case 'set':
      steps.push({ op: 'set', ranges: node.ranges })
      return true
    case 'assert':
      steps.push({ op: 'assert', what: node.what })
      return true
    case 'list':
      return node.items.every((item) => emit(steps, item))
    case 'group':
      return emitGroup(steps, node.item, node.index)
    case 'either':
      return emitEither(steps, node.items)
    case 'repeat':
      return emitRepeat(steps, node)
  }
}

function emitGroup(steps: Step[], item: Node, index: number): boolean {
  steps.push({ op: 'save', slot: index * 2 })
  const ok = emit(steps, item)
  steps.push({ op: 'save', slot: index * 2 + 1 })
  return ok
}

function emitEither(steps: Step[], items: readonly Node[]): boolean {
  const jumps: { op: 'jump'; next: number }[] = []
  const ok = items.every((item, i) => {
    if (i === items.length - 1) return emit(steps, item)
    const split = { op: 'split' as const, next: steps.length + 1, other: 0 }
    steps.push(split)
    const done = emit(steps, item)
    const jump = { op: 'jump' as const, next: 0 }
    steps.push(jump)
    jumps.push(jump)
    split.other = steps.length
    return done
  })
  for (const jump of jumps) jump.next = steps.length
  return ok
}

function emitRepeat(steps: Step[], { item, min, max, isLazy }: Node & { kind: 'repeat' }): boolean {
  if (max === Infinity) return emitEndless(steps, item, min, isLazy)
  for (let i = 0; i < min; i++) if (!emit(steps, item)) return false
  const splits: (Step & { op: 'split' })[] = []
  for (let i = min; i < max; i++) {
    splits.push(emitSplit(steps))
    if (!emit(steps, item)) return false
  }
  for (const split of splits) split[isLazy ? 'next' : 'other'] = steps.length
  return true
}

/** `x*` is `(x+)?`, so that an item that can be empty ends its loop as it does in Go. */
function emitEndless(steps: Step[], item: Node, min: number, isLazy: boolean): boolean {
  for (let i = 0; i < min - 1; i++) if (!emit(steps, item)) return false
  const skip = min === 0 ? emitSplit(steps) : undefined
  const start = steps.length
  const ok = emit(steps, item)
  const again = emitSplit(steps)
  again[isLazy ? 'other' : 'next'] = start
  if (skip) skip[isLazy ? 'next' : 'other'] = steps.length
  return ok
}

/** Both ways lead to the next step until the caller turns one of them. */
function emitSplit(steps: Step[]): Step & { op: 'split' } {
  const split = { op: 'split' as const, next: steps.length + 1, other: steps.length + 1 }
  steps.push(split)
  return split
}
