import type { FieldError } from '../fault.ts'
import { invalidValue } from './fault-list.ts'

/** A path that stays below the place where it is used. */
export function checkDescending(path: string, field: string, errors: FieldError[]): void {
  if (path.startsWith('/')) invalidValue(errors, field, path, 'must be a relative path')
  checkNoBacksteps(path, field, errors)
}

/** A path without steps back. */
export function checkNoBacksteps(path: string, field: string, errors: FieldError[]): void {
  if (path.split('/').includes('..')) invalidValue(errors, field, path, "must not contain '..'")
}
