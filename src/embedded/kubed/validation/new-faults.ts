import type { FieldError } from '../fault.ts'

/** Where in a list something stands does not matter. */
const anywhere = ({ type, field, message }: FieldError): string =>
  `${type} ${field.replace(/\[\d+\]/g, '[]')} ${message}`

/**
 * The faults that an object did not have before. What was wrong with it may stay, or it could neither be labelled nor end: it was stored when the
 * rule was not there yet.
 *
 * @param before asked only where there are faults
 * @param keyOf what is the same for the same fault
 */
export function newFaults(
  errors: readonly FieldError[],
  before: () => readonly FieldError[],
  keyOf: (fault: FieldError) => string = anywhere,
): FieldError[] {
  if (errors.length === 0) return []
  const old = new Set(before().map(keyOf))
  return errors.filter((error) => !old.has(keyOf(error)))
}
