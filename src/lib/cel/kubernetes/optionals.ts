import { type Environment, Optional } from '@marcbachmann/cel-js'
import { macroOfOne } from './macros.ts'
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
      mapped((value) => Optional.of(value)),
    )
    .registerFunction(
      'optional.optFlatMap(ast, ast): optional<dyn>',
      mapped((value) => value),
    )
}

function isZero(value: unknown): boolean {
  if (value === '' || value === false || value === null) return true
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0
  const kind = kindOf(value)
  if (kind === 'map') return Object.keys(Object(value)).length === 0 && !(value instanceof Map && value.size > 0)
  return (kind === 'int' || kind === 'uint' || kind === 'double') && Number(value) === 0
}

/** Asks the body with what is there; with nothing, it stays nothing. */
const mapped = (wrap: (value: unknown) => unknown) =>
  macroOfOne('optional', (value, ask) => {
    if (!(value instanceof Optional)) throw new Error('no such overload')
    return value.hasValue() ? wrap(ask(value.value())) : Optional.none()
  })
