import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { matchEvent, type EventWithPaths } from './event.ts'
import { evaluateCondition, evaluateExpression, evaluateText, type Scope } from './expression.ts'
import { fitsPattern, fitsPatterns } from './glob.ts'
import { expandStrategy } from './matrix.ts'
import { parseWorkflowFile } from './parse.ts'

const calm: Scope = {
  file: 'w.yml',
  status: 'success',
  contexts: {
    github: { ref: 'refs/heads/main', event_name: 'push', sha: 'abc' },
    steps: { image: { outputs: { tag: '1.2.0' } } },
    matrix: { node: 20 },
  },
}

const globs: [string, string, boolean][] = [
  ['*', 'main', true],
  ['*', 'feature/x', false],
  ['**', 'feature/x', true],
  ['feature/*', 'feature/x', true],
  ['feature/*', 'feature/x/y', false],
  ['feature/**', 'feature/x/y', true],
  ['v2*', 'v2.1', true],
  ['v[12].[0-9]+.[0-9]+', 'v1.10.1', true],
  ['v[12].[0-9]+.[0-9]+', 'v3.10.1', false],
  ['*.jsx?', 'page.js', true],
  ['*.jsx?', 'page.jsx', true],
  ['**.js', 'src/js/app.js', true],
  ['docs/*', 'docs/a/b.md', false],
  ['**/docs/**', 'docs/hello.md', true],
  ['**/docs/**', 'dir/docs/my.txt', true],
  ['**/docs/**', 'mydocs/x', false],
  ['**/README.md', 'README.md', true],
  ['**/README.md', 'js/README.md', true],
  ['**/*src/**', 'my-src/code/x.js', true],
  ['**/*-post.md', 'path/a-post.md', true],
  ['api-gateway/**', 'api-gateway/src/x.ts', true],
  ['api-gateway/**', 'api-gateway-2/x', false],
  ['\\*x', '*x', true],
  ['', '', true],
]
for (const [pattern, text, want] of globs)
  test(`pattern ${pattern} ${want ? 'fits' : 'does not fit'} ${text}`, () =>
    assert.equal(fitsPattern(pattern, text), want))

test('a pattern made to be slow is not', () => {
  assert.equal(fitsPattern(`${'**a'.repeat(60)}b`, 'a'.repeat(4000)), false)
})

test('! takes back what an earlier pattern allowed, and a later one allows again', () => {
  assert.equal(fitsPatterns(['docs/**', '!docs/x/**', 'docs/x/keep'], 'docs/x/y'), false)
  assert.equal(fitsPatterns(['docs/**', '!docs/x/**', 'docs/x/keep'], 'docs/x/keep'), true)
})

const push: EventWithPaths = {
  name: 'push',
  ref: 'refs/heads/main',
  commit: 'c',
  before: 'b',
  actor: 'ada',
  message: 'x',
  changedPaths: ['api/x.ts'],
}
const pull = { ...push, name: 'pull_request' as const, ref: 'refs/pull/1/merge', baseBranch: 'main' }
const events: { it: string; on: string; event: Partial<EventWithPaths>; runs: boolean }[] = [
  { it: 'a bare push runs', on: 'push', event: {}, runs: true },
  { it: 'another event does not', on: 'workflow_dispatch', event: {}, runs: false },
  { it: 'a list of events', on: '[push, pull_request]', event: pull, runs: true },
  { it: 'a branch that fits', on: '{push: {branches: [main, develop]}}', event: {}, runs: true },
  { it: 'a branch that does not', on: '{push: {branches: [develop]}}', event: {}, runs: false },
  { it: 'an ignored branch', on: "{push: {branches-ignore: ['ma*']}}", event: {}, runs: false },
  {
    it: 'a tag where only branches are wanted',
    on: '{push: {branches: [main]}}',
    event: { ref: 'refs/tags/v1' },
    runs: false,
  },
  { it: 'a branch where only tags are wanted', on: "{push: {tags: ['v*']}}", event: {}, runs: false },
  {
    it: 'a tag, whatever the paths',
    on: "{push: {tags: ['v*'], paths: ['none']}}",
    event: { ref: 'refs/tags/v1' },
    runs: true,
  },
  { it: 'a tag without filters', on: 'push', event: { ref: 'refs/tags/v1' }, runs: true },
  { it: 'a path that fits', on: "{push: {paths: ['api/**']}}", event: {}, runs: true },
  { it: 'a path that does not', on: "{push: {paths: ['web/**']}}", event: {}, runs: false },
  { it: 'only ignored paths', on: "{push: {paths-ignore: ['api/**']}}", event: {}, runs: false },
  {
    it: 'the first commit, whatever the paths',
    on: "{push: {paths: ['web/**']}}",
    event: { changedPaths: undefined },
    runs: true,
  },
  { it: 'a pull request by its base', on: '{pull_request: {branches: [main]}}', event: pull, runs: true },
  { it: 'a pull request into another base', on: '{pull_request: {branches: [develop]}}', event: pull, runs: false },
  { it: 'a pull request of another type', on: '{pull_request: {types: [closed]}}', event: pull, runs: false },
  { it: 'a message that asks to skip', on: 'push', event: { message: 'docs [skip ci]' }, runs: false },
]
for (const { it, on, event, runs } of events)
  test(`event: ${it}`, () => {
    const workflow = parseWorkflowFile('w.yml', `on: ${on}\njobs: {a: {runs-on: x, steps: [{run: x}]}}\n`)
    assert.equal(matchEvent(workflow, { ...push, ...event }).runs, runs)
  })

const expressions: [string, unknown][] = [
  ["github.ref == 'refs/heads/MAIN'", true],
  ["startsWith(github.ref, 'refs/heads/')", true],
  ['steps.image.outputs.tag', '1.2.0'],
  ['steps.nothing.outputs.tag', null],
  ["format('{0}-{1}', github.sha, matrix.node)", 'abc-20'],
  ["contains(fromJSON('[1,2]'), 2)", true],
  ['toJSON(matrix)', '{\n  "node": 20\n}'],
  ["hashFiles('x')", ''],
  ['failure()', false],
  ['always() && success()', true],
  ["github.event_name != 'pull_request'", true],
  ["'it''s ''so'''", "it's 'so'"],
]
for (const [text, want] of expressions)
  test(`expression ${text}`, () => assert.deepEqual(evaluateExpression(text, { line: 1, column: 1 }, calm), want))

test('conditions: without a status function they ask for success', () => {
  const at = { line: 1, column: 1 }
  const failed: Scope = { ...calm, status: 'failure' }
  const literal = (value: string) => ({ kind: 'literal' as const, value, at })
  assert.equal(evaluateCondition(undefined, calm), true)
  assert.equal(evaluateCondition(undefined, failed), false)
  assert.equal(evaluateCondition(literal('true'), failed), false)
  assert.equal(evaluateCondition(literal('failure()'), failed), true)
  assert.equal(evaluateCondition(literal('${{ always() }}'), failed), true)
  assert.equal(evaluateCondition(literal("github.sha == 'abc'"), calm), true)
})

const head = 'name: W\non: push\njobs:\n'
const broken: { it: string; text: string; where: string; message: RegExp }[] = [
  { it: 'bad YAML', text: 'on: [push\njobs: x: y', where: 'w.yml:', message: /./ },
  { it: 'an unknown key', text: `${head}  a:\n    runs-on: x\n    stepz: []\n`, where: 'w.yml:6:5', message: /stepz/ },
  {
    it: 'an unknown context',
    text: `${head}  a:\n    runs-on: x\n    steps:\n      - run: echo \${{ gihub.sha }}\n`,
    where: 'w.yml:7:',
    message: /gihub/,
  },
  {
    it: 'a need that is not there',
    text: `${head}  a:\n    runs-on: x\n    needs: b\n    steps: [{run: x}]\n`,
    where: 'w.yml:5:5',
    message: /needs "b"/,
  },
  {
    it: 'needs in a circle',
    text: `${head}  a: {runs-on: x, needs: b, steps: [{run: x}]}\n  b: {runs-on: x, needs: a, steps: [{run: x}]}\n`,
    where: 'w.yml:4:6',
    message: /needs itself/,
  },
  {
    it: 'a service container',
    text: `${head}  a:\n    runs-on: x\n    services: {db: {image: postgres}}\n    steps: [{run: x}]\n`,
    where: 'w.yml:6',
    message: /services/,
  },
  { it: 'an empty file', text: '', where: 'w.yml', message: /./ },
]
for (const { it, text, where, message } of broken)
  test(`workflow with ${it} names its place`, () =>
    assert.throws(
      () => parseWorkflowFile('w.yml', text),
      (error: unknown) => {
        assert.ok(error instanceof SluiceError && error.code === 'WORKFLOW_INVALID')
        assert.match(error.message, message)
        assert.ok(error.where?.startsWith(where), `${error.where}: ${error.message}`)
        return true
      },
    ))

test('a YAML bomb is refused in bounded time', () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x,x]',
    ...'bcdefghi'
      .split('')
      .map((name, index) => `${name}: &${name} [${`*${'abcdefgh'[index]},`.repeat(9)}*${'abcdefgh'[index]}]`),
  ].join('\n')
  assert.throws(() => parseWorkflowFile('w.yml', bomb), { code: 'WORKFLOW_INVALID' })
})

test('a step keeps what the converted model of the parser loses', () => {
  const text = `${head}  a:\n    runs-on: x\n    timeout-minutes: 5\n    steps:\n      - run: echo \${{ github.sha }} b\n        shell: sh\n        working-directory: sub\n        timeout-minutes: 1\n        continue-on-error: true\n`
  const [job] = parseWorkflowFile('w.yml', text).jobs
  const [step] = job?.steps ?? []
  assert.equal(evaluateText(step?.run, calm), 'echo abc b')
  assert.equal(evaluateText(step?.shell, calm), 'sh')
  assert.equal(evaluateText(step?.timeoutMinutes, calm), '1')
})

const matrices: { it: string; strategy: string; want: object[] }[] = [
  { it: 'none', strategy: '{}', want: [{}] },
  {
    it: 'the product',
    strategy: '{matrix: {a: [1, 2], b: [x]}}',
    want: [
      { a: 1, b: 'x' },
      { a: 2, b: 'x' },
    ],
  },
  { it: 'exclude', strategy: '{matrix: {a: [1, 2], exclude: [{a: 1}]}}', want: [{ a: 2 }] },
  {
    it: 'include extends',
    strategy: '{matrix: {a: [1, 2], include: [{a: 2, c: y}]}}',
    want: [{ a: 1 }, { a: 2, c: 'y' }],
  },
  { it: 'include adds', strategy: '{matrix: {a: [1], include: [{a: 3}]}}', want: [{ a: 1 }, { a: 3 }] },
  { it: 'include alone', strategy: '{matrix: {include: [{a: 1}, {a: 2}]}}', want: [{ a: 1 }, { a: 2 }] },
  { it: 'an expression', strategy: '{matrix: {a: "${{ fromJSON(\'[7]\') }}"}}', want: [{ a: 7 }] },
]
for (const { it, strategy, want } of matrices)
  test(`matrix: ${it}`, () => {
    const text = `${head}  a:\n    runs-on: x\n    strategy: ${strategy}\n    steps: [{run: x}]\n`
    const [job] = parseWorkflowFile('w.yml', text).jobs
    assert.deepEqual(expandStrategy(job?.strategy, calm).combinations, want)
  })

test('a matrix beyond 256 is refused before it is made', () => {
  const list = `[${Array.from({ length: 100 }, (_, index) => index).join(',')}]`
  const text = `${head}  a:\n    runs-on: x\n    strategy: {matrix: {a: ${list}, b: ${list}, c: ${list}, d: ${list}}}\n    steps: [{run: x}]\n`
  const [job] = parseWorkflowFile('w.yml', text).jobs
  assert.throws(() => expandStrategy(job?.strategy, calm), /256/)
})

test('a block text keeps its indentation, quotes and braces around expressions', () => {
  const text = `${head}  a:\n    runs-on: x\n    steps:\n      - run: |\n          echo 'q' \${{ github.sha }} '{"v"}' \${{ format('}}{0}', 1) }}\n            deeper\n`
  const [step] = parseWorkflowFile('w.yml', text).jobs[0]?.steps ?? []
  assert.equal(evaluateText(step?.run, calm), `echo 'q' abc '{"v"}' }1\n  deeper\n`)
})
