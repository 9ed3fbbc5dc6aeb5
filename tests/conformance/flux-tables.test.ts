import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findCycle } from '../../src/controllers/depends-on.ts'
import { succeededStatus } from '../../src/controllers/kustomization-status.ts'
import { parseKustomization } from '../../src/kinds/kustomization.ts'
import { parseReceiver } from '../../src/kinds/receiver.ts'
import { compileCel } from '../../src/lib/cel/compile.ts'
import type { KubeObject } from '../../src/lib/kube/object.ts'
import { compareVersions, parseLoose } from '../../src/lib/semver/version.ts'
import { maskSecret } from '../../src/pipeline/apply/mask-secret.ts'
import { compareForApply } from '../../src/pipeline/apply/order.ts'
import { substitute } from '../../src/pipeline/build/substitute.ts'
import { choosePolicyTag, type PolicyRule } from '../../src/pipeline/image/policy.ts'
import { resourceFilters } from '../../src/pipeline/receiver/resource-filter.ts'
import { isIgnored, readPatterns } from '../../src/pipeline/source/ignore.ts'
import { renderRevision } from '../../src/pipeline/source/revision.ts'
import { type FluxRow as Row, fluxSkip as skip, fluxTable as table } from '../support/flux-tables.ts'

// Tables of Flux's own tests that stand beside no one file of ours. Values that are Go code there are read by what they say.

test('the tables are there', { skip }, () => assert.ok(table('semver-masterminds.json', 'TestEqual').length > 0))

for (const { v1, v2, expected } of table('semver-masterminds.json', 'TestEqual'))
  test(`versions ${v1?.$go} and ${v2?.$go}`, () => {
    const [a, b] = [v1, v2].map((one) => parseLoose(/"(.*)"/.exec(one?.$go)?.[1] ?? ''))
    assert.equal(a === undefined || b === undefined ? a === b : compareVersions(a, b) === 0, expected)
  })

/** A function of the table as the form of a variable that calls it; its arguments are variables, too, as no text could say some of them. */
const FORMS: Record<string, string> = {
  toLen: '${#v}',
  toLower: '${v,,}',
  toLowerFirst: '${v,}',
  toUpper: '${v^^}',
  toUpperFirst: '${v^}',
  toDefault: '${v:-ARGS}',
  replaceFirst: '${v/ARGS}',
  replaceAll: '${v//ARGS}',
  replacePrefix: '${v/#ARGS}',
  replaceSuffix: '${v/%ARGS}',
  trimShortestPrefix: '${v#ARGS}',
  trimLongestPrefix: '${v##ARGS}',
  trimShortestSuffix: '${v%ARGS}',
  trimLongestSuffix: '${v%%ARGS}',
  toSubstr: '${v:ARGS}',
}
for (const { func, args, output } of table('envsubst.json', 'functions'))
  test(`${func}(${args.join(', ')})`, () => {
    const [value, ...rest] = args as string[]
    const names = rest.map((_, index) => `\${a${index}}`)
    const between = func === 'toSubstr' ? ':' : func.startsWith('replace') ? '/' : ''
    const variables = new Map([['v', value ?? ''], ...rest.map((arg, index) => [`a${index}`, arg] as const)])
    const form = FORMS[func] ?? assert.fail(`no form calls ${func}`)
    assert.equal(substitute(form.replace('ARGS', names.join(between)), variables, { isStrict: false }), output)
  })

/** In a shell these mean another thing: safe, they are refused. */
const MISLEADING = /:\?|:\+/
const VALUES = new Map(Object.entries({ string: 'abc', stringy: 'b', stringz: 'c', position: '1', var: 'v' }))
for (const { Text } of table('envsubst-parse.json', 'cases'))
  test(`the text ${Text} is one of variables`, () => {
    const run = (traps: 'safe' | 'flux') => substitute(Text, VALUES, { isStrict: false, traps })
    assert.equal(typeof run('flux'), 'string')
    if (MISLEADING.test(Text)) assert.throws(() => run('safe'), /write that$/)
    else assert.equal(run('safe'), run('flux'))
  })

for (const { name, versions, policy, filterTags, wantImageTag, wantFailure } of table(
  'image-policy.json',
  'controller',
))
  test(`image policy: ${name}`, () => {
    const rule: PolicyRule = policy?.SemVer
      ? { kind: 'semver', range: policy.SemVer.Range }
      : { kind: 'alphabetical', order: 'asc' }
    const filter = filterTags && { pattern: filterTags.Pattern, extract: filterTags.Extract }
    const choice = choosePolicyTag({ rule, filter, tags: versions, traps: 'flux' })
    if (wantFailure) assert.ok(choice.fault)
    else assert.equal(`:${choice.tag}`, wantImageTag)
  })

const hashOf = (code: { $go: string } | null): string => /"(.*)"/.exec(code?.$go ?? '')?.[1] ?? ''
for (const list of ['TestCommit_String', 'TestCommit_AbsoluteReference'])
  for (const { name, commit, want } of table('git-revision.json', list))
    test(`${list}: ${name}`, () => {
      const ref: string = commit.Reference ?? ''
      const pointer = list === 'TestCommit_String' ? ref.replace(/^refs\/(heads|tags)\//, '') : ref
      assert.equal(renderRevision(pointer, hashOf(commit.Hash)), want)
    })

for (const { name, expr, opts, data, err, result } of table(
  'runtime-misc.json',
  'expression/TestExpression_EvaluateStringSlice',
))
  test(`CEL lists: ${name}`, () => {
    const variables = opts ? ['foo'] : undefined
    const run = () => compileCel(expr, variables ? { variables } : {}).evaluate(Array.isArray(data) ? {} : data)
    const isList = (value: unknown): boolean => Array.isArray(value) && value.every((one) => typeof one === 'string')
    if (err === undefined) return assert.deepEqual(run(), result)
    // Nothing of ours asks for a list of texts; what is none is seen as such.
    try {
      assert.equal(isList(run()), false)
    } catch (error) {
      assert.equal((error as Error).message, err)
    }
  })

for (const { name, expr, opts = [], err } of table('runtime-misc.json', 'expression/TestNewExpression'))
  test(`CEL: ${name}`, () => {
    const code = JSON.stringify(opts)
    const variables = code.includes('WithStructVariables') ? ['foo'] : code.includes('WithCompile') ? [] : undefined
    const output = code.includes('BoolType') ? ({ output: 'bool' } as const) : {}
    const run = () => compileCel(expr, { ...(variables ? { variables } : {}), ...output })
    if (err === undefined) assert.doesNotThrow(run)
    else assert.throws(run, ({ message }: Error) => message.startsWith(err) || message === err)
  })

for (const { name, objects, err } of table('runtime-misc.json', 'sort/TestSort'))
  test(`dependencies: ${name}`, () => {
    const dependenciesOf = (key: string): string[] => {
      const found = objects.find((one: Row) => `${one['namespace']}/${one['name']}` === key)
      return (found?.dependsOn ?? []).map((one: Row) => `${one['Namespace'] ?? found.namespace}/${one['Name']}`)
    }
    const cycles = objects.flatMap(
      (one: Row) => findCycle(`${one['namespace']}/${one['name']}`, dependenciesOf)?.join(' -> ') ?? [],
    )
    assert.equal(cycles[0], err?.replace('circular dependency detected: ', ''))
  })

const RESOURCE = { kind: 'GitRepository', name: '*' }
for (const [name, own, each, want] of table('notification-server.json', 'TestResourceFilterStacking') as unknown as [
  string,
  string,
  string,
  boolean,
][])
  test(`resource filters: ${name}`, () => {
    const receiver = parseReceiver({
      ...{ apiVersion: 'notification.toolkit.fluxcd.io/v1', kind: 'Receiver', metadata: { name: 'r', namespace: 'n' } },
      spec: { type: 'generic', resources: [{ ...RESOURCE, filter: each }], resourceFilter: own },
    })
    const [filter] = resourceFilters(receiver, { call: { headers: {}, body: Buffer.from('') } } as never)
    const object = { apiVersion: 'v1', kind: 'GitRepository', metadata: { name: 'podinfo', labels: { team: 'dev' } } }
    assert.equal(filter?.(object) ?? true, want)
  })

/** The entries of a Go literal, newest first, as the status of an object has them. */
function historyOf(code: string): Row[] {
  return [
    ...code.matchAll(
      /Digest:\s+"([^"]+)"[\s\S]*?LastReconciledStatus:\s+"([^"]+)"[\s\S]*?TotalReconciliations:\s+(\d+)/g,
    ),
  ].map(([, digest, status, total]) => ({
    ...{ digest, lastReconciledStatus: status, totalReconciliations: Number(total) },
    ...{
      firstReconciled: '2026-01-01T00:00:00Z',
      lastReconciled: '2026-01-01T00:00:00Z',
      lastReconciledDuration: '1s',
    },
  }))
}
/** The history after a reconcile that succeeded. */
function historyAfter(history: readonly Row[], digest: string): Row[] {
  const kustomization = parseKustomization({
    ...{ apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' },
    metadata: { name: 'k', namespace: 'n', generation: 1 },
    spec: { interval: '1m', prune: true, sourceRef: { kind: 'GitRepository', name: 'g' } },
    status: { history },
  } as KubeObject)
  const done = { kustomization, nowMs: 1, tookMs: 1, revision: 'r', digest }
  return succeededStatus(done, undefined)['history'] as Row[]
}
const SUCCEEDED = 'ReconciliationSucceeded'
for (const { name, setup, digest, status, expectedLength, expectedTotal } of table(
  'apis-meta.json',
  'TestHistoryUpsert',
))
  test(`history: ${name}`, () => {
    // One literal is cut off in the table, in the middle of the entry that the row is about.
    const isCut = !setup.$go.trimEnd().endsWith('}')
    const cut = isCut ? `Digest: "${digest}" LastReconciledStatus: "Success" TotalReconciliations: 1` : ''
    const text = `${setup.$go.slice(0, isCut ? setup.$go.lastIndexOf('Digest:') : undefined)}${cut}`
    // What the row says happened now is a success here.
    const history = historyOf(text).map((entry) => ({
      ...entry,
      lastReconciledStatus: entry['lastReconciledStatus'] === status ? SUCCEEDED : 'Other',
    }))
    const after = historyAfter(history, digest)
    assert.equal(after.length, expectedLength)
    assert.deepEqual([after[0]?.['digest'], after[0]?.['totalReconciliations']], [digest, expectedTotal])
  })

for (const { name, setup, expected } of table('apis-meta.json', 'TestHistoryLatest'))
  test(`history: the newest of ${name} comes right behind what is done now`, () =>
    assert.equal(historyAfter(historyOf(setup.$go), 'sha256:now')[1]?.['digest'], expected?.Digest))

const MASKS: Record<string, string> = {
  sensitiveMaskDefault: '*****',
  sensitiveMaskBefore: '*** (before)',
  sensitiveMaskAfter: '*** (after)',
}
for (const { name, patch, want } of table('ssa-jsondiff.json', 'TestMaskSecretPatchData'))
  test(`masks of a difference: ${name}`, () => {
    const state = (field: 'OldValue' | 'Value', steps: Row[]): Row => {
      const parts: Row = {}
      for (const step of steps) {
        const [, part = '', key] = step['Path'].split('/')
        const value = step[field]
        if (value !== undefined) parts[part] = { ...parts[part], ...(key === undefined ? value : { [key]: value }) }
      }
      return parts
    }
    const secret = (parts: Row): KubeObject =>
      ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, ...parts }) as KubeObject
    const masked = maskSecret({ before: secret(state('OldValue', patch)), after: secret(state('Value', patch)) })
    const plain = (parts: Row): Row =>
      Object.fromEntries(
        Object.entries(parts).map(([part, values]) => [
          part,
          Object.fromEntries(Object.entries<Row>(values).map(([key, one]) => [key, MASKS[one['$id']]])),
        ]),
      )
    for (const [field, side] of [
      ['OldValue', 'before'],
      ['Value', 'after'],
    ] as const)
      for (const [part, values] of Object.entries(plain(state(field, want))))
        assert.deepEqual((masked[side] as unknown as Row)[part], values)
  })

test('equal kinds are applied by group, kind, namespace and name', { skip }, () => {
  const of = (text: string) => {
    const [apiVersion = '', kind = '', namespace = '', name = ''] = text.split(' ')
    return { apiVersion, kind, namespace, name }
  }
  const order = ['a.io/v1 Y n m', 'b.io/v1 X n m', 'b.io/v1 Y m z', 'b.io/v1 Y n a', 'b.io/v1 Y n b'].map(of)
  assert.deepEqual([...order].reverse().sort(compareForApply), order)
})

test('patterns of files in folders count for their folders', { skip }, () => {
  const patterns = [
    readPatterns('root.txt'),
    readPatterns('subdir.txt', ['a', 'b']),
    readPatterns('last.txt', ['z']),
  ].flat()
  const want: [path: string, isOut: boolean][] = [
    ['root.txt', true],
    ['a/b/subdir.txt', true],
    ['z/last.txt', true],
    ['a/subdir.txt', false],
    ['last.txt', false],
  ]
  for (const [path, isOut] of want) assert.equal(isIgnored(patterns, path.split('/'), false), isOut, path)
})
