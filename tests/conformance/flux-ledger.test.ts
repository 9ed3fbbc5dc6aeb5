import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { FLUX_DATA, FLUX_MISSES, fluxFile, fluxSkip as skip } from '../support/flux-tables.ts'

// Every table of Flux's own tests is played by some test, or named as one that is not.
const files = skip ? [] : readdirSync(FLUX_DATA).filter((name) => name.endsWith('.json'))
const tablesOf = (file: string): string[] =>
  Object.entries(fluxFile(file)).flatMap(([name, rows]) => (Array.isArray(rows) ? [name] : []))

const under = (folder: string): string[] =>
  (readdirSync(folder, { recursive: true }) as string[])
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(folder, name))

test('every table is asked for by a test', { skip }, () => {
  const texts = [...under('src'), ...under('tests')].map((path) => readFileSync(path, 'utf8'))
  const isAsked = (table: string): boolean => texts.some((text) => new RegExp(`(?<!\\w)${table}\\b`).test(text))
  const isOpen = (file: string, table: string): boolean => !isAsked(table) && !(`${file} ${table}` in FLUX_MISSES)
  assert.deepEqual(
    files.flatMap((file) => tablesOf(file).filter((table) => isOpen(file, table))),
    [],
  )
})

test('what is named as not played is there', { skip }, () => {
  for (const [key, rows] of Object.entries(FLUX_MISSES)) {
    const [file = '', table = ''] = key.split(/ (.*)/)
    const names = (fluxFile(file)[table] as { name?: string }[]).map(({ name = '' }) => name)
    for (const row of Object.keys(rows)) assert.ok(names.includes(row), `${key}: ${row}`)
  }
})
