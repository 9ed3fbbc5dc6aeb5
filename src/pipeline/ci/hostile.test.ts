import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { cpuSeconds } from '../../../tests/support/cpu-time.ts'
import { evaluateExpression, evaluateText, type Scope } from './expression.ts'
import { expandStrategy } from './matrix.ts'
import { parseWorkflowFile } from './parse.ts'
import { splitText, type Json } from './template.ts'

const at = { line: 1, column: 1 }

function scopeWith(env: Readonly<Record<string, Json>>): Scope {
  return { file: 'w.yml', status: 'success', contexts: { env } }
}

function workflow(jobs: readonly string[]): string {
  return `on: push\njobs:\n${jobs.join('')}`
}

function job(id: string, more = ''): string {
  return `  ${id}:\n    runs-on: x\n${more}    steps: [{run: x}]\n`
}

const files: { it: string; text: string }[] = [
  {
    it: 'a chain of jobs, the last first',
    text: workflow(Array.from({ length: 3_000 }, (_, n) => job(`j${n}`, n < 2_999 ? `    needs: j${n + 1}\n` : ''))),
  },
  {
    it: 'a map of many keys',
    text: workflow([job('a', `    env:\n${Array.from({ length: 20_000 }, (_, n) => `      V${n}: x\n`).join('')}`)]),
  },
]
for (const { it, text } of files)
  test(`${it} is read in a time that grows with its size`, () => {
    assert.ok(cpuSeconds(() => void parseWorkflowFile('w.yml', text)) < 6)
  })

test('jobs stand behind those they need, else as in the file', () => {
  const jobs = [
    ['c', 'a, b'],
    ['b', 'a'],
    ['d', ''],
    ['a', ''],
    ['e', 'c, c'],
  ] as const
  const text = workflow(jobs.map(([id, needs]) => job(id, `    needs: [${needs}]\n`)))
  assert.deepEqual(
    parseWorkflowFile('w.yml', text).jobs.map(({ id }) => id),
    ['d', 'a', 'b', 'c', 'e'],
  )
})

const ten = "'{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}'"
const texts: { it: string; text: string }[] = [
  { it: 'format', text: Array.from({ length: 9 }, () => 0).reduce((inner) => `format(${ten}, ${inner})`, "'xx'") },
  { it: 'join', text: 'join(fromJSON(env.LIST), env.LONG)' },
  { it: 'toJSON', text: `${'toJSON('.repeat(24)}'"'${')'.repeat(24)}` },
]
for (const { it, text } of texts)
  test(`a text that ${it}() makes has an end, and the fault names it`, () => {
    const scope = scopeWith({
      LONG: 'x'.repeat(1_000_000),
      LIST: JSON.stringify(Array.from({ length: 1_000 }, () => 1)),
    })
    const wanted = new RegExp(`^${it}\\(\\) makes a text of more than 16777216 characters in "`, 'i')
    assert.throws(
      () => evaluateExpression(text, at, scope),
      (error) => error instanceof SluiceError && wanted.test(error.message) && error.message.length < 500,
    )
  })

test('a text of many expressions has an end', () => {
  const template = splitText('${{ env.LONG }}'.repeat(400), at)
  assert.throws(() => evaluateText(template, scopeWith({ LONG: 'x'.repeat(100_000) })), /more than 16777216 characters/)
})

function matrixOf(matrix: Json): void {
  const value = { kind: 'expression', text: 'fromJSON(env.M)', at } as const
  expandStrategy({ kind: 'map', at, entries: [{ key: 'matrix', value }] }, scopeWith({ M: JSON.stringify(matrix) }))
}

test('large values of a matrix are not spelled out for every comparison', () => {
  const large = { text: 'x'.repeat(200_000) }
  const matrix = {
    a: Array.from({ length: 4 }, (_, n) => ({ ...large, n })),
    b: Array.from({ length: 60 }, (_, n) => n),
    exclude: Array.from({ length: 100 }, (_, n) => ({ a: { ...large, n: n + 10 } })),
  }
  assert.ok(cpuSeconds(() => matrixOf(matrix)) < 3)
})

test('more entries of include than anybody needs are refused by number', () => {
  const include = Array.from({ length: 10_001 }, (_, n) => ({ c: n }))
  assert.throws(() => matrixOf({ a: [1], include }), /more than 10000 entries of "include" and "exclude"/)
})

test('a context of many values is at hand', () => {
  const many = Object.fromEntries(Array.from({ length: 90_000 }, (_, index) => [`k${index}`, [index]]))
  assert.equal(evaluateExpression('env.k89999[0]', at, scopeWith({ ...many, LIST: Array(90_000).fill('x') })), 89_999)
})
