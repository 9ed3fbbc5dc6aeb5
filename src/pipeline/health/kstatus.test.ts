import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { KubeObject } from '../../lib/kube/object.ts'
import { judge } from './kstatus.ts'

const file = join(process.env['SLUICE_CONFORMANCE'] ?? '../shared/conformance', 'flux/kstatus.json')
const skip = existsSync(file) ? false : `no ${file}`
type Case = { test: string; name: string; object: KubeObject; expectedStatus: string }

/** Flux reads Jobs by its own rule: a Job that has started is not done. */
const OTHER_RULE = new Set(['jobInProgress'])

test('objects are judged as kstatus judges them', { skip }, () => {
  const wrong: string[] = []
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Case[] }
  for (const row of cases) {
    if (OTHER_RULE.has(row.name)) continue
    const { health, why } = judge(row.object, Date.parse('2026-01-01T00:00:00Z'))
    if (health !== row.expectedStatus)
      wrong.push(`${row.test} ${row.name}: want ${row.expectedStatus}, got ${health} (${why})`)
  }
  assert.deepEqual(wrong, [])
})

test('what is not there is not found', () => {
  assert.equal(judge(undefined, 0).health, 'NotFound')
})
