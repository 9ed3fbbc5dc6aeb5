import type { Environment } from '@marcbachmann/cel-js'
import { compareValues } from './kubernetes/values.ts'

const LARGEST_INT = 2n ** 63n - 1n

/**
 * Overloads of CEL's own functions that the library does not have.
 *
 * @see https://github.com/google/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions
 */
export function withStandard(environment: Environment): Environment {
  for (const [name, type] of [
    ['timestamp', 'google.protobuf.Timestamp'],
    ['duration', 'google.protobuf.Duration'],
  ])
    environment.registerFunction(`${name}(${type}): ${type}`, (value: unknown) => value)
  return environment
    .registerFunction('int(uint): int', (value: object) => {
      const whole = BigInt(String(value))
      if (whole > LARGEST_INT) throw new Error('integer overflow')
      return whole
    })
    .registerOperator('bytes < bytes', (a: Uint8Array, b: Uint8Array) => compareValues(a, b) < 0)
    .registerOperator('bytes <= bytes', (a: Uint8Array, b: Uint8Array) => compareValues(a, b) <= 0)
    .registerOperator('bytes > bytes', (a: Uint8Array, b: Uint8Array) => compareValues(a, b) > 0)
    .registerOperator('bytes >= bytes', (a: Uint8Array, b: Uint8Array) => compareValues(a, b) >= 0)
}
