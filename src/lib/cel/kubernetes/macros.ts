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

/**
 * A macro that names one value for its body, as in `list.sortBy(x, x.name)`.
 *
 * @param type what it answers, as the library names it
 * @param use makes the answer of the receiver; `ask` says what the body gives for a value
 */
export function macroOfOne(
  type: string,
  use: (receiver: unknown, ask: (value: unknown) => unknown) => unknown,
): (call: Call) => Macro {
  return ({ args, receiver }) => {
    const [variable, body] = args
    let inner: Context
    return {
      typeCheck(checker, _macro, context) {
        checker.check(receiver, context)
        inner = context.forkWithVariable(variable === undefined ? '' : nameOf(variable), checker.getType('dyn'))
        if (body !== undefined) checker.check(body, inner)
        return checker.getType(type)
      },
      evaluate(evaluator, _macro, context) {
        const ask = (value: unknown): unknown =>
          body === undefined ? undefined : evaluator.run(body, inner.reuse(context).setIterValue(value, evaluator))
        return use(evaluator.run(receiver, context), ask)
      },
    }
  }
}
