import { type Environment, Optional } from '@marcbachmann/cel-js'
import { type Call, type Checker, type Context, type Evaluator, type Macro, nameOf } from './macros.ts'
import { kindOf } from './values.ts'

/**
 * What may be there: `optMap`, `optFlatMap`, `optional.ofNonZeroValue`.
 *
 * @see https://pkg.go.dev/github.com/google/cel-go/cel#OptionalTypes
 */
export function withOptionals(environment: Environment): Environment {
  return environment
    .registerFunction('OptionalNamespace.ofNonZeroValue(dyn): optional<dyn>', (_: unknown, value: unknown) =>
      isZero(value) ? Optional.none() : Optional.of(value),
    )
    .registerFunction(
      'optional.optMap(ast, ast): optional<dyn>',
      macroOf((value) => Optional.of(value)),
    )
    .registerFunction(
      'optional.optFlatMap(ast, ast): optional<dyn>',
      macroOf((value) => value),
    )
}

function isZero(value: unknown): boolean {
  if (value === '' || value === false || value === null) return true
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0
  const kind = kindOf(value)
  if (kind === 'map') return Object.keys(Object(value)).length === 0 && !(value instanceof Map && value.size > 0)
  return (kind === 'int' || kind === 'uint' || kind === 'double') && Number(value) === 0
}

/** Evaluates the body with what is there; with nothing, it stays nothing. */
function macroOf(wrap: (value: unknown) => unknown): (call: Call) => Macro {
  return ({ args, receiver }) => {
    const [variable, body] = args
    let inner: Context
    return {
      typeCheck(checker: Checker, _macro: object, context: Context) {
        checker.check(receiver, context)
        inner = context.forkWithVariable(variable === undefined ? '' : nameOf(variable), checker.getType('dyn'))
        if (body !== undefined) checker.check(body, inner)
        return checker.getType('optional')
      },
      evaluate(evaluator: Evaluator, _macro: object, context: Context) {
        const value = evaluator.run(receiver, context)
        if (!(value instanceof Optional)) throw new Error('no such overload')
        if (!value.hasValue() || body === undefined) return Optional.none()
        return wrap(evaluator.run(body, inner.reuse(context).setIterValue(value.value(), evaluator)))
      },
    }
  }
}
