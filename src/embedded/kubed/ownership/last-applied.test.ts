import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../lib/kube/json.ts'
import { parseFields, renderPaths } from '../../../lib/kube-typed/merge/path-set.ts'
import { objFrom } from '../object.ts'
import { builtinResources } from '../resources/builtin.ts'
import type { Resource } from '../resources/resource.ts'
import { keepLastApplied, LAST_APPLIED, lastAppliedText, unexplained } from './last-applied.ts'

const CONFIG_MAP = builtinResources().find(({ kind }) => kind === 'ConfigMap') as Resource
const NAMED = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' } }
const APPLIED = JSON.stringify({ ...NAMED, data: { a: '1', b: '1' } })
const CONFLICTS = new Map([
  ['kubectl-client-side-apply', parseFields({ 'f:data': { 'f:a': {} } })],
  ['kubectl-edit', parseFields({ 'f:data': { 'f:b': {} } })],
])
const BOTH = ['kubectl-client-side-apply .data.a', 'kubectl-edit .data.b']

const cases: { it: string; annotation?: string; data?: JsonObject; want: string[] }[] = [
  { it: 'takes over what still is as it was applied', data: { a: '1', b: '1' }, want: [] },
  { it: 'tells only of what another has changed since', data: { a: '1', b: '2' }, want: ['kubectl-edit .data.b'] },
  { it: 'takes over nothing that has changed', data: { a: '2', b: '2' }, want: BOTH },
  { it: 'takes over nothing that has gone', data: {}, want: BOTH },
  {
    it: 'takes over nothing that was not applied',
    annotation: JSON.stringify({ ...NAMED, data: { a: '1' } }),
    want: ['kubectl-edit .data.b'],
  },
  { it: 'needs an annotation', annotation: '', want: BOTH },
  { it: 'reads no annotation that is not JSON', annotation: '{', want: BOTH },
  { it: 'reads no annotation of another version', annotation: APPLIED.replace('"v1"', '"v2"'), want: BOTH },
  { it: 'reads no annotation without a kind', annotation: APPLIED.replace('ConfigMap', ''), want: BOTH },
  { it: 'reads no annotation of other types', annotation: APPLIED.replace('"1"', '1'), want: BOTH },
]
for (const { it, annotation = APPLIED, data = { a: '1', b: '1' }, want } of cases)
  test(`kubectl ${it}`, () => {
    const live = { ...NAMED, metadata: { name: 'm', annotations: { [LAST_APPLIED]: annotation } }, data }
    const left = unexplained(CONFIG_MAP, live, CONFLICTS)
    assert.deepEqual(
      [...left].map(([manager, set]) => `${manager} ${renderPaths(set).join(' ')}`),
      want,
    )
  })

test('what kubectl applied is written as Go writes JSON, without itself', () => {
  const annotations = { z: '<&>\u2028', [LAST_APPLIED]: 'old' }
  assert.equal(
    lastAppliedText({ metadata: { name: 'm', annotations }, apiVersion: 'v1' }),
    '{"apiVersion":"v1","metadata":{"annotations":{"z":"\\u003c\\u0026\\u003e\\u2028"},"name":"m"}}\n',
  )
})

const kept: { it: string; annotations: JsonObject; text: string; want: JsonObject }[] = [
  { it: 'is kept where it was', annotations: { [LAST_APPLIED]: 'old' }, text: 'new', want: { [LAST_APPLIED]: 'new' } },
  { it: 'does not come where it was not', annotations: { a: 'b' }, text: 'new', want: { a: 'b' } },
  { it: 'goes when there is no room', annotations: { [LAST_APPLIED]: 'old' }, text: 'x'.repeat(256 * 1024), want: {} },
]
for (const { it, annotations, text, want } of kept)
  test(`what kubectl applied ${it}`, () => {
    const object = objFrom({ metadata: { name: 'm', annotations } }, 'v1', 'ConfigMap')
    keepLastApplied(object, text)
    assert.deepEqual(object.metadata.annotations, want)
  })
