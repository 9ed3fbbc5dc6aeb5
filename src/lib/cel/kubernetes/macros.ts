/** What the library hands to a macro, as far as it is used here. */
export type Node = { readonly op: string; readonly args: unknown }
export type Context = {
  forkWithVariable(name: string, type: unknown): Context
  reuse(parent: Context): Context
  setIterValue(value: unknown, evaluator: Evaluator): Context
}
export type Checker = { check(node: Node, context: Context): unknown; getType(name: string): unknown }
export type Evaluator = { run(node: Node, context: Context): unknown }
export type Call = { readonly args: readonly Node[]; readonly receiver: Node }
/** A macro as the library wants it. */
export type Macro = {
  readonly typeCheck: (checker: Checker, macro: object, context: Context) => unknown
  readonly evaluate: (evaluator: Evaluator, macro: object, context: Context) => unknown
}

/** The name that a macro gives to what it walks over. */
export const nameOf = ({ op, args }: Node): string => (op === 'id' && typeof args === 'string' ? args : '')
