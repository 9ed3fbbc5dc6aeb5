import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { evaluateConcurrency } from './concurrency.ts'
import type { Scope } from './expression.ts'
import { parseWorkflowFile } from './parse.ts'
import { WORKFLOW_KEYS } from './workflow-keys.ts'

const SCHEMA = 'node_modules/@actions/workflow-parser/dist/workflow-v1.0.min.json'
const PLACES = {
  workflow: ['workflow-root-strict'],
  job: ['job-factory', 'workflow-job'],
  step: ['run-step', 'regular-step', 'wait-step', 'wait-all-step', 'cancel-step', 'parallel-step'],
}

type Schema = { readonly definitions: Record<string, { mapping?: { properties?: Record<string, unknown> } }> }

test('every key of GitHub’s schema is obeyed, means nothing here, or is refused', () => {
  const { definitions } = JSON.parse(readFileSync(SCHEMA, 'utf8')) as Schema
  for (const [place, names] of Object.entries(PLACES)) {
    const known = new Set(names.flatMap((name) => Object.keys(definitions[name]?.mapping?.properties ?? {})))
    const ours = WORKFLOW_KEYS.filter((row) => row.place === place).map(({ key }) => key)
    assert.deepEqual([...ours].sort(), [...known].sort(), place)
  }
})

const step = '      - {run: x}\n'
const refused: [string, string][] = [
  ['container', `    container: node\n    steps:\n${step}`],
  ['services', `    services: {db: {image: postgres}}\n    steps:\n${step}`],
  ['snapshot', `    snapshot: image\n    steps:\n${step}`],
  ['background', '    steps:\n      - {run: x, background: true}\n'],
  ['wait-all', `    steps:\n${step}      - {wait-all: true}\n`],
  ['parallel', `    steps:\n      - parallel:\n  ${step}`],
]
for (const [key, body] of refused)
  test(`the key "${key}" is refused by name`, () =>
    assert.throws(
      () => parseWorkflowFile('w.yml', `on: push\njobs:\n  a:\n    runs-on: x\n${body}`),
      (error: unknown) =>
        // what GitHub itself does not let everybody use yet, its parser refuses
        error instanceof SluiceError &&
        (error.message.includes(`"${key}", which this runner does not do: `) ||
          error.message === `Unexpected value '${key}'`),
    ))

const permissions: [workflow: string, job: string, mayPush: boolean][] = [
  ['', '', true],
  ['permissions: read-all\n', '', false],
  ['permissions: {}\n', '', false],
  ['permissions: {contents: read, packages: write}\n', '', false],
  ['permissions: {contents: read}\n', '    permissions: {contents: write}\n', true],
  ['permissions: write-all\n', '    permissions: {issues: write}\n', false],
]
for (const [workflow, job, mayPush] of permissions)
  test(`${workflow.trim() || 'no permissions'}, ${job.trim() || 'none of the job'}: ${mayPush ? 'may' : 'may not'} push`, () => {
    const text = `on: push\n${workflow}jobs:\n  a:\n    runs-on: x\n${job}    steps: [{run: x}]\n`
    assert.equal(parseWorkflowFile('w.yml', text).jobs[0]?.mayPush, mayPush)
  })

const scope: Scope = {
  file: 'w.yml',
  status: 'success',
  contexts: { github: { ref: 'refs/heads/Main' }, matrix: { node: 20 } },
}
const groups: [text: string, want: object][] = [
  ['Deploy', { group: 'deploy', cancelsRunning: false, keepsQueue: false }],
  ['"${{ github.ref }}-${{ matrix.node }}"', { group: 'refs/heads/main-20' }],
  ['{group: a, cancel-in-progress: true}', { group: 'a', cancelsRunning: true }],
  ['{group: a, cancel-in-progress: "${{ github.ref == \'x\' }}"}', { group: 'a', cancelsRunning: false }],
  ['{group: a, cancel-in-progress: "${{ matrix.node == 20 }}"}', { group: 'a', cancelsRunning: true }],
  ['{group: a, queue: max}', { group: 'a', keepsQueue: true }],
]
for (const [text, want] of groups)
  test(`concurrency ${text}`, () => {
    const yaml = `on: push\njobs:\n  a:\n    runs-on: x\n    concurrency: ${text}\n    steps: [{run: x}]\n`
    const found = evaluateConcurrency(parseWorkflowFile('w.yml', yaml).jobs[0]?.concurrency, scope)
    assert.deepEqual({ ...found, ...want }, found)
  })

test('a concurrency group without a name is a fault of the file', () => {
  const yaml = 'on: push\njobs: {a: {runs-on: x, concurrency: "${{ github.none }}", steps: [{run: x}]}}\n'
  const { concurrency } = parseWorkflowFile('w.yml', yaml).jobs[0] ?? {}
  assert.throws(() => evaluateConcurrency(concurrency, scope), { code: 'WORKFLOW_INVALID', where: /^w\.yml:2:/ })
})
