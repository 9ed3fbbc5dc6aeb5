import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../lib/kube/json.ts'
import { writeLabelKeys } from './label-keys.ts'

const cases: { it: string; term: JsonObject; want: unknown }[] = [
  { it: 'nothing without keys', term: { labelSelector: {} }, want: {} },
  {
    it: 'the value of its own label',
    term: { labelSelector: { matchLabels: { app: 'a' } }, matchLabelKeys: ['v', 'none'] },
    want: { matchLabels: { app: 'a' }, matchExpressions: [{ key: 'v', operator: 'In', values: ['1'] }] },
  },
  {
    it: 'a value that must not be',
    term: {
      labelSelector: { matchExpressions: [{ key: 'x', operator: 'Exists' }] },
      mismatchLabelKeys: ['v'],
    },
    want: {
      matchExpressions: [
        { key: 'x', operator: 'Exists' },
        { key: 'v', operator: 'NotIn', values: ['1'] },
      ],
    },
  },
  { it: 'nothing where nothing is selected', term: { matchLabelKeys: ['v'] }, want: undefined },
]
for (const { it, term, want } of cases)
  test(`a new pod selects ${it}`, () => {
    const places: ((each: JsonObject) => JsonObject)[] = [
      (each) => ({ topologySpreadConstraints: [each] }),
      (each) => ({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [each] } } }),
      (each) => ({
        affinity: {
          podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: each }] },
        },
      }),
    ]
    for (const place of places) {
      const each = structuredClone(term)
      writeLabelKeys({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', labels: { v: '1' } }, spec: place(each) })
      assert.deepEqual(each.labelSelector, want)
    }
  })
