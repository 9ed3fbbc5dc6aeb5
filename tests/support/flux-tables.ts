import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A row of a table of Flux's own tests. */
export type FluxRow = Record<string, any>

/** Where those tables lie. */
export const FLUX_DATA = join(process.env['SLUICE_CONFORMANCE'] ?? '../shared/conformance', 'flux')

/** Why the tables cannot be played; `false` when they can. */
export const fluxSkip = existsSync(FLUX_DATA) ? false : `no conformance data at ${FLUX_DATA} (SLUICE_CONFORMANCE)`

/** Rows that are not played, `file table` -> name of the row -> why; docs/compat/flux.md is made from it. */
export const FLUX_MISSES = JSON.parse(readFileSync('tests/fixtures/flux-table-misses.json', 'utf8')) as Readonly<
  Record<string, Readonly<Record<string, string>>>
>

/** Everything in one file of tables. */
export function fluxFile(file: string): FluxRow {
  return fluxSkip ? {} : (JSON.parse(readFileSync(join(FLUX_DATA, file), 'utf8')) as FluxRow)
}

/** The rows of a table that are played. */
export function fluxTable(file: string, table: string): FluxRow[] {
  const misses = FLUX_MISSES[`${file} ${table}`] ?? {}
  return ((fluxFile(file)[table] ?? []) as FluxRow[]).filter((row) => !((row['name'] ?? '') in misses))
}
