import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Scope } from './expression.ts'
import type { Template } from './template.ts'
import { evaluateMinutes } from './time-limit.ts'

const at = { line: 3, column: 5 }
const scope: Scope = { file: 'w.yml', status: 'success', contexts: { vars: { soon: '2.5', never: 'never' } } }
const expression = (text: string): Template => ({ kind: 'expression', text, at })
const literal = (value: number): Template => ({ kind: 'literal', value, at })

const cases: { it: string; template: Template | undefined; want: number }[] = [
  { it: 'that is absent', template: undefined, want: 360 },
  { it: 'that is a number', template: literal(0.5), want: 0.5 },
  { it: 'that is an expression', template: expression('vars.soon'), want: 2.5 },
  { it: 'whose variable is missing', template: expression('vars.missing'), want: 360 },
  { it: 'of zero', template: literal(0), want: 360 },
  { it: 'below zero', template: literal(-1), want: 360 },
  { it: 'that no timer could wait for', template: literal(1e9), want: (2 ** 31 - 1) / 60_000 },
]
for (const { it, template, want } of cases)
  test(`a timeout ${it} is ${want} minutes`, () => assert.equal(evaluateMinutes(template, scope, 360), want))

test('a timeout that is no number is refused with its place', () => {
  assert.throws(() => evaluateMinutes(expression('vars.never'), scope, 360), {
    code: 'WORKFLOW_INVALID',
    where: 'w.yml:3:5',
    message: 'timeout-minutes is "never", which is no number',
  })
})
