import { data, wellKnownFunctions } from '@actions/expressions'

/** A function of expressions, as GitHub's evaluator calls it. */
export type ExpressionFunction = {
  readonly name: string
  readonly minArgs: number
  readonly maxArgs: number
  readonly call: (...args: data.ExpressionData[]) => data.ExpressionData
}

/** What an expression may make, in characters: texts of texts grow with every call, and soon beyond any memory. */
export const LONGEST_TEXT = 16 << 20

/** GitHub's functions that make a longer text of others, refusing one beyond {@link LONGEST_TEXT}; the evaluator takes them before its own. */
export const BOUNDED_FUNCTIONS: readonly ExpressionFunction[] = [
  bounded(wellKnownFunctions['format'], sizeOfFormat),
  bounded(wellKnownFunctions['join'], sizeOfJoin),
  bounded(wellKnownFunctions['tojson'], () => 0),
]

/** @param leastSize what the text may come to, known before it is made */
function bounded(
  own: ExpressionFunction | undefined,
  leastSize: (args: readonly data.ExpressionData[]) => number,
): ExpressionFunction {
  if (own === undefined) throw new Error('the package of expressions lacks a function of GitHub')
  const check = (size: number): void => {
    if (size > LONGEST_TEXT) throw new Error(`${own.name}() makes a text of more than ${LONGEST_TEXT} characters`)
  }
  return {
    ...own,
    name: own.name.toLowerCase(),
    call(...args) {
      check(leastSize(args))
      const result = own.call(...args)
      check(result.coerceString().length)
      return result
    },
  }
}

function sizeOfFormat([text, ...values]: readonly data.ExpressionData[]): number {
  const pattern = text?.coerceString() ?? ''
  const sizes = values.map((value) => value.coerceString().length)
  let size = 0
  for (const [, index] of pattern.matchAll(/\{(\d+)/g)) size += sizes[Number(index)] ?? 0
  return size
}

function sizeOfJoin([list, separator]: readonly data.ExpressionData[]): number {
  if (!(list instanceof data.Array)) return 0
  return list.values().length * (separator?.coerceString().length ?? 1)
}
