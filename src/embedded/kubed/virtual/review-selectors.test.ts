import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../lib/kube/json.ts'
import { evaluationError, selectorFaults } from './review-selectors.ts'

const LABELS = 'spec.resourceAttributes.labelSelector'
const FIELDS = 'spec.resourceAttributes.fieldSelector'

// What kube-apiserver 1.37.2 says of them.
const cases: { it: string; asked: JsonObject; want?: string[]; unread?: string }[] = [
  { it: 'nothing narrower', asked: {} },
  { it: 'a text', asked: { labelSelector: { rawSelector: 'a=b' } } },
  {
    it: 'a selector with nothing in it',
    asked: { labelSelector: {} },
    want: [`${LABELS}.requirements Required`],
  },
  {
    it: 'both ways at once',
    asked: { labelSelector: { rawSelector: 'a', requirements: [{ key: 'a', operator: 'Exists' }] } },
    want: [`${LABELS}.rawSelector Invalid`],
  },
  {
    it: 'requirements that miss values, or have some in vain',
    asked: {
      labelSelector: {
        requirements: [
          { key: 'a', operator: 'In' },
          { key: 'a', operator: 'Exists', values: ['x'] },
        ],
      },
    },
    want: [`${LABELS}.requirements[0].values Required`, `${LABELS}.requirements[1].values Forbidden`],
  },
  {
    it: 'labels that are none',
    asked: { labelSelector: { requirements: [{ key: 'a', operator: 'In', values: ['b', 'c d'] }] } },
    want: [`${LABELS}.requirements[0].values[1] Invalid`],
  },
  {
    it: 'fields without a name, whatever they are called',
    asked: { fieldSelector: { requirements: [{ operator: 'In', values: ['c d'] }] } },
    want: [`${FIELDS}.requirements[0].key Required`],
  },
  {
    it: 'a text that cannot be read',
    asked: { fieldSelector: { rawSelector: 'x in (' } },
    unread: `${FIELDS} ignored due to parse error`,
  },
  {
    it: 'an operator that nobody knows beside one that is',
    asked: {
      labelSelector: {
        requirements: [
          { key: 'a', operator: 'Newer' },
          { key: 'a', operator: 'Exists' },
        ],
      },
    },
    unread: `${LABELS} partially ignored due to parse error`,
  },
]
for (const { it, asked, want = [], unread = '' } of cases)
  test(`a review is asked ${it}`, () => {
    const spec = { resourceAttributes: asked }
    assert.deepEqual(
      selectorFaults(spec).map(({ field, type }) => `${field} ${type}`),
      want,
    )
    if (want.length === 0) assert.equal(evaluationError(spec), unread)
  })
