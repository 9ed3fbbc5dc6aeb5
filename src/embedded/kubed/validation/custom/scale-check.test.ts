import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { checkScale } from './scale-check.ts'

const SCALE = {
  specReplicasPath: '.spec.size',
  statusReplicasPath: '.status.size',
  labelSelectorPath: '.status.selector',
}

// The first rows are what the real kube-apiserver 1.37.2 answered; the others follow its accessors.
const cases: { it: string; object: JsonObject; isStatus?: boolean; want: string[] }[] = [
  { it: 'is silent of what is not there', object: { spec: {}, status: null }, want: [] },
  {
    it: 'wants a number',
    object: { spec: { size: 'x' } },
    want: ['.spec.size: Invalid value: 0: .spec.size accessor error: x is of the type string, expected int64'],
  },
  {
    it: 'wants maps on the way',
    object: { spec: [] },
    want: [
      '.spec.size: Invalid value: 0: .spec.size accessor error: [] is of the type []interface {}, expected map[string]interface{}',
    ],
  },
  {
    it: 'wants a natural number of 32 bits',
    object: { spec: { size: -1 }, status: { size: 2_147_483_648 } },
    want: [
      '.spec.size: Invalid value: -1: should be a non-negative integer',
      '.status.size: Invalid value: 2147483648: should be less than or equal to 2147483647',
    ],
  },
  {
    it: 'looks at the spec only where it is written',
    object: { spec: { size: -1 }, status: { selector: 5 } },
    isStatus: true,
    want: [
      '.status.selector: Invalid value: "": .status.selector accessor error: 5 is of the type int64, expected string',
    ],
  },
]
for (const { it, object, isStatus = false, want } of cases)
  test(`the scale of a custom resource ${it}`, () => {
    const errors: FieldError[] = []
    checkScale(object, SCALE, isStatus, errors)
    assert.deepEqual(
      errors.map(({ field, message }) => `${field}: ${message}`),
      want,
    )
  })
