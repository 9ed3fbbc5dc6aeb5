import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type LabelSelector, matchesSelector } from './label-selector.ts'

const labels = { app: 'web', tier: '3' }
const expression = (key: string, operator: string, ...values: string[]): LabelSelector => ({
  matchExpressions: [{ key, operator, values }],
})

const cases: { it: string; selector: LabelSelector | undefined; want: boolean }[] = [
  { it: 'an absent selector matches nothing', selector: undefined, want: false },
  { it: 'an empty one matches everything', selector: {}, want: true },
  { it: 'labels must be equal', selector: { matchLabels: { app: 'web' } }, want: true },
  { it: 'all of them', selector: { matchLabels: { app: 'web', tier: '4' } }, want: false },
  {
    it: 'labels and expressions must hold',
    selector: { matchLabels: { app: 'web' }, ...expression('x', 'Exists') },
    want: false,
  },
  { it: 'In wants one of the values', selector: expression('app', 'In', 'api', 'web'), want: true },
  { it: 'NotIn is true of an absent label', selector: expression('x', 'NotIn', 'y'), want: true },
  { it: 'Gt compares numbers', selector: expression('tier', 'Gt', '2'), want: true },
  { it: 'Lt compares numbers', selector: expression('tier', 'Lt', '10'), want: true },
  {
    it: 'a label may be called as what every object has',
    selector: expression('constructor', 'DoesNotExist'),
    want: true,
  },
  { it: 'an operator that nobody knows matches nothing', selector: expression('app', 'Like', 'web'), want: false },
]
for (const { it, selector, want } of cases) test(it, () => assert.equal(matchesSelector(selector, labels), want))
