import type { Json } from '../../../lib/kube/json.ts'
import type { FieldError } from '../fault.ts'
import { invalidFor, invalidValue } from './fault-list.ts'

/** A port must be a number from 1 to 65535 or a name of a port. */
export function checkPort(port: Json | undefined, path: string, errors: FieldError[]): void {
  if (typeof port === 'number' && (port < 1 || port > 65535))
    invalidValue(errors, path, port, 'must be between 1 and 65535, inclusive')
  if (typeof port === 'string') invalidFor(errors, path, port, portNameErrors(port))
}

/** All reasons why a text is no name of a port. @see RFC 6335 */
export function portNameErrors(name: string): string[] {
  const errors: string[] = []
  if (Buffer.byteLength(name) > 15) errors.push('must be no more than 15 characters')
  if (!/^[-a-z0-9]+$/.test(name)) errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(name)) errors.push('must contain at least one letter (a-z)')
  if (name.includes('--')) errors.push('must not contain consecutive hyphens')
  if (name.startsWith('-') || name.endsWith('-')) errors.push('must not begin or end with a hyphen')
  return errors
}
