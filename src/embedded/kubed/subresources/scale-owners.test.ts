import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../../../lib/kube/json.ts'
import { ownersAfterScale, ownersOfScale } from './scale-owners.ts'

const PLACE = { apiVersion: 'apps/v1', path: ['spec', 'replicas'] }
const SIZE = { 'f:spec': { 'f:replicas': {} } }
const entry = (manager: string, fieldsV1: Json, more: Record<string, Json> = {}): Record<string, Json> => ({
  manager,
  operation: 'Update',
  apiVersion: 'apps/v1',
  time: '2026-01-01T00:00:00Z',
  fieldsType: 'FieldsV1',
  fieldsV1,
  ...more,
})
const CREATOR = entry('creator', { 'f:spec': { 'f:paused': {}, 'f:replicas': {} } })
const APPLIER = entry('applier', { 'f:spec': { 'f:paused': {}, 'f:replicas': {} } }, { operation: 'Apply' })
const OTHER = entry('other', { 'f:spec': { 'f:paused': {} } })
const REST = { 'f:spec': { 'f:paused': {} } }
const inScale = (of: Record<string, Json>): Record<string, Json> => ({
  ...of,
  apiVersion: 'autoscaling/v1',
  fieldsV1: SIZE,
})

const short = (entries: readonly Json[]): string[] =>
  entries.map((each) => {
    const { manager, operation, apiVersion, time, fieldsV1 } = each as Record<string, Json>
    return `${String(manager)} ${String(operation)} ${String(apiVersion)} ${time === undefined ? '-' : 't'} ${JSON.stringify(fieldsV1)}`
  })

test('a Scale is owned by those who own the size', () => {
  assert.deepEqual(short(ownersOfScale([APPLIER, CREATOR, OTHER], PLACE)), short([inScale(APPLIER), inScale(CREATOR)]))
})

const cases: { it: string; scale: Json[]; want: Json[] }[] = [
  {
    it: 'gives the size to who changed it',
    scale: [inScale(entry('scaler', SIZE, { subresource: 'scale' }))],
    want: [
      { ...APPLIER, fieldsV1: REST },
      entry('scaler', SIZE, { time: undefined as never }),
      { ...CREATOR, fieldsV1: REST },
      OTHER,
    ],
  },
  {
    it: 'leaves it to an applier whom nobody took it from, and sets it apart for an updater',
    scale: [inScale(APPLIER), inScale(CREATOR)],
    want: [APPLIER, entry('creator', SIZE, { time: undefined as never }), { ...CREATOR, fieldsV1: REST }, OTHER],
  },
  {
    it: 'takes it from all when it is zero',
    scale: [],
    want: [{ ...APPLIER, fieldsV1: REST }, { ...CREATOR, fieldsV1: REST }, OTHER],
  },
]
for (const { it, scale, want } of cases)
  test(`writing a Scale ${it}`, () =>
    assert.deepEqual(short(ownersAfterScale([APPLIER, CREATOR, OTHER], scale, PLACE)), short(want)))
