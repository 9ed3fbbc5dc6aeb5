import { at, type Json, numberOf } from '../../../lib/kube/json.ts'
import type { Obj } from '../object.ts'

/** What a column computes from an object. `now` for ages, milliseconds. */
export type Cell = (object: Obj, now: number) => Json

/** One column of a kind's table. */
export type Column = {
  readonly name: string
  readonly type: string
  readonly format: string
  readonly priority: number
  /** Only of custom kinds, whose definition says it; see descriptions.ts for the others. */
  readonly description?: string
  /** Its cells are written, yet no column names them. */
  readonly isUnnamed?: true
  readonly cell: Cell
}

/** How kubectl prints a span of time. */
export function spanOf(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000)
  if (seconds < -1) return '<invalid>'
  if (milliseconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`
  if (minutes < 180) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`
  if (hours < 48) return `${hours}h`
  const days = Math.floor(hours / 24)
  if (hours < 192) return hours % 24 === 0 ? `${days}d` : `${days}d${hours % 24}h`
  if (days < 365 * 2) return `${days}d`
  const years = Math.floor(days / 365)
  if (days < 365 * 8) return days % 365 === 0 ? `${years}y` : `${years}y${days % 365}d`
  return `${years}y`
}

/** Time since a timestamp. */
export function ageOf(time: Json | undefined, now: number): string {
  return typeof time === 'string' ? spanOf(now - Date.parse(time)) : '<unknown>'
}

/** A column of text. */
export const text = (name: string, cell: Cell, priority = 0): Column => ({
  name,
  type: 'string',
  format: '',
  priority,
  cell,
})
/** The cell of a number at a path, 0 when absent. */
export const numberAt =
  (...path: readonly string[]): Cell =>
  (object) =>
    numberOf(at(object, ...path)) ?? 0
/** A column of a number at a path, 0 when absent. */
export const count = (name: string, ...path: readonly string[]): Column => ({
  ...text(name, numberAt(...path)),
  type: 'integer',
})
/** A column of the text at a path. */
export const field = (name: string, ...path: readonly string[]): Column =>
  text(name, (object) => shown(at(object, ...path)))
/** A scalar as a cell shows it, '' for anything else. */
export const shown = (value: Json | undefined): Json =>
  typeof value === 'string' || typeof value === 'number' ? value : typeof value === 'boolean' ? String(value) : ''

/** The name, first in every table. */
export const NAME: Column = { ...text('Name', ({ metadata }) => metadata.name ?? ''), format: 'name' }
/** The time of creation itself, for kinds without columns of their own. */
export const CREATED_AT: Column = {
  ...text('Created At', ({ metadata }) => metadata.creationTimestamp ?? '0001-01-01T00:00:00Z'),
  type: 'date',
}
/** The age, last in most. */
export const AGE: Column = text('Age', ({ metadata }, now) => ageOf(metadata.creationTimestamp, now))
