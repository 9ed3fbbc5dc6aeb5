import assert from 'node:assert/strict'
import { test } from 'node:test'
import { build, renderBuild } from './build.ts'
import { treeOfFiles } from './files/tree.ts'

// Each `want` is what kustomize 5.8.1 prints.
const cases: { it: string; object: string; patch?: string; want: string }[] = [
  {
    it: 'joins annotations that stand twice, the first ones winning',
    object: 'metadata:\n  name: a\n  annotations: {a: x, b: x}\n  annotations: {b: y, c: y}\n',
    want: 'metadata:\n  annotations:\n    a: x\n    b: x\n    c: "y"\n  name: a\n',
  },
  {
    it: 'takes a namespace that is null for none',
    object: 'metadata: {name: a, namespace: null}\n',
    patch: 'metadata: {name: a}\ndata: {k: v}\n',
    want: 'metadata:\n  name: a\n',
  },
  {
    it: 'changes nothing where a patch replaces the root',
    object: 'metadata: {name: a}\n',
    patch: 'metadata: {name: a, labels: {l: x}}\n$patch: replace\n',
    want: 'metadata:\n  name: a\n',
  },
]

for (const { it, object, patch, want } of cases)
  test(`kustomize ${it}`, () => {
    const head = 'apiVersion: v1\nkind: ConfigMap\n'
    const files = new Map([
      ['/kustomization.yaml', `resources: [r.yaml]\n${patch ? 'patches: [{path: p.yaml}]\n' : ''}`],
      ['/r.yaml', head + object],
      ['/p.yaml', head + (patch ?? '')],
    ])
    const text = renderBuild(build(treeOfFiles(files), '/'))
    assert.equal(text.slice(text.indexOf('metadata:')), want)
  })
