import assert from 'node:assert/strict'
import { test } from 'node:test'
import { build, renderBuild } from '../build.ts'
import { treeOfFiles } from '../files/tree.ts'

// Each `want` is the argument that kustomize 5.8.1 prints; undefined where it finds no value.
const cases: { value: string; arg: string; want: string | undefined }[] = [
  { value: '3', arg: '$(V)', want: '3' },
  { value: '010', arg: 'x-$(V)', want: 'x-10' },
  { value: '0x10', arg: '$(V)', want: undefined },
  { value: '1e6', arg: 'x-$(V)', want: 'x-1e+06' },
  { value: '1e6', arg: '$(V)', want: '1000000' },
  { value: '"1"', arg: '$(V)', want: '"1"' },
  { value: '2001-01-01', arg: 'x-$(V)', want: 'x-2001-01-01' },
  { value: '[1]', arg: '$(V)-$$(V)-$(', want: '$(V)-$(V)-$(' },
]

for (const { value, arg, want } of cases)
  test(`vars: ${arg} of ${value} is ${want ?? 'not found'}`, () => {
    const pod = `apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {n: ${value}, containers: [{name: c, args: ["${arg}"]}]}\n`
    const entry = '{name: V, objref: {kind: Pod, apiVersion: v1, name: p}, fieldref: {fieldPath: spec.n}}'
    const files = new Map([
      ['/kustomization.yaml', `resources: [r.yaml]\nvars: [${entry}]\n`],
      ['/r.yaml', pod],
    ])
    const run = (): string => renderBuild(build(treeOfFiles(files), '/'))
    if (want === undefined) assert.throws(run, /not found in corresponding resource/)
    else assert.ok(run().includes(`    - ${want}\n`), run())
  })

test('vars: a text that begins a hundred thousand references and ends none is read in one go', () => {
  const open = '$('.repeat(200_000)
  const files = new Map([
    ['/kustomization.yaml', 'resources: [r.yaml]\nvars: [{name: V, objref: {kind: Pod, apiVersion: v1, name: p}}]\n'],
    [
      '/r.yaml',
      `apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, args: ["$(V)${open}$$"]}]}\n`,
    ],
  ])
  assert.ok(renderBuild(build(treeOfFiles(files), '/')).includes(`    - p${open}$\n`))
})
