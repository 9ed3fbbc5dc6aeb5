import { posix } from 'node:path'
import type { FieldOrigin, FilePlace } from '../../../lib/kustomize/explain/field-origin.ts'

/** `file:line:column`, the file as seen from a folder. */
export function shownPlace(place: FilePlace | undefined, cwd: string): string {
  if (place === undefined) return '-'
  return `${posix.relative(cwd, place.file) || place.file}:${place.line}:${place.column}`
}

/** What `sluice build --origin` writes behind a value: where it stands, and what put it there unless it was just read. */
export function originComment({ where, steps }: FieldOrigin, cwd: string): string | undefined {
  const by = steps.at(-1)?.by
  if (where === undefined) return by
  return `${shownPlace(where, cwd)}${by === undefined || by === 'file' ? '' : ` ${by}`}`
}
