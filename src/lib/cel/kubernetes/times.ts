import type { Environment } from '@marcbachmann/cel-js'
import { type Duration, nanosOf } from './values.ts'

const [TIME, SPAN] = ['google.protobuf.Timestamp', 'google.protobuf.Duration']

/**
 * Times and spans as texts and numbers.
 *
 * @see https://github.com/google/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions
 */
export function withTimes(environment: Environment): Environment {
  return environment
    .registerFunction(`string(${TIME}): string`, textOfTime)
    .registerFunction(`int(${TIME}): int`, (time: Date) => BigInt(Math.floor(time.getTime() / 1000)))
    .registerFunction(`string(${SPAN}): string`, textOfSpan)
    .registerFunction(`int(${SPAN}): int`, nanosOf)
}

/** RFC 3339 without zeros at the end of its fraction. */
export const textOfTime = (time: Date): string => time.toISOString().replace(/\.?0+Z$/, 'Z')

/** Seconds, as `3600s` or `-0.001s`. */
export function textOfSpan(span: Duration): string {
  const nanos = nanosOf(span)
  const size = nanos < 0n ? -nanos : nanos
  const fraction = String(size % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '')
  return `${nanos < 0n ? '-' : ''}${size / 1_000_000_000n}${fraction === '' ? '' : `.${fraction}`}s`
}
