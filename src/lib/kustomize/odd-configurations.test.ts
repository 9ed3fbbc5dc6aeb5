import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../error/sluice-error.ts'
import { build, renderBuild } from './build.ts'
import { treeOfFiles } from './files/tree.ts'

const MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n'
const DEPLOYMENT = 'apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2}\n'
const API = String.raw`patches: [{target: {kind: Deployment}, patch: '[{"op": "replace", "path": "/apiVersion", "value": "apps/v1"}]'}]`
const ADD = 'apiVersion: builtin\nkind: ValueAddTransformer\nmetadata: {name: t}\nvalue: v\n'

// Each `want` is part of what kustomize 5.8.1 prints, or of its error.
const cases: { it: string; files: Record<string, string>; want: string }[] = [
  {
    it: 'reads every << where it stands, over what stands above it',
    files: {
      'kustomization.yaml': 'namePrefix: x-\n<<: {namePrefix: y-}\n<<: {nameSuffix: -z}\nresources: [r.yaml]\n',
    },
    want: 'name: y-a-z',
  },
  {
    it: 'takes the earlier of a list of <<',
    files: { 'kustomization.yaml': '<<: [{namePrefix: x-}, {namePrefix: y-}]\nresources: [r.yaml]\n' },
    want: 'name: x-a',
  },
  {
    it: 'reads a label called 0x10 without quotes as 16',
    files: { 'kustomization.yaml': 'resources: [r.yaml]\ncommonLabels: {0x10: v}\n' },
    want: 'map[interface {}]interface {}{16:"v"}',
  },
  {
    it: 'refuses a label whose name is null',
    files: { 'kustomization.yaml': 'resources: [r.yaml]\ncommonLabels: {~: v}\n' },
    want: 'invalid Kustomization: unsupported map key of type: %!s(<nil>), key: <nil>, value: "v"',
  },
  {
    it: 'refuses a template that was not rendered where a key is read',
    files: { 'kustomization.yaml': 'resources: [r.yaml]\nnamePrefix: {{ a: b }}\n' },
    want: 'invalid Kustomization: yaml: invalid map key: map[interface {}]interface {}{"a":"b"}',
  },
  {
    it: 'tells the annotation whose name comes first',
    files: { 'kustomization.yaml': 'resources: [r.yaml]\nmetadata: {name: x, annotations: {z: 1, a: true}}\n' },
    want: 'json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.annotations of type string',
  },
  {
    it: 'takes the path yes of a plug-in for a text',
    files: {
      'kustomization.yaml': 'resources: [r.yaml]\ntransformers: [t.yaml]\n',
      't.yaml': 'apiVersion: builtin\nkind: PatchStrategicMergeTransformer\nmetadata: {name: t}\npaths: [yes]\n',
    },
    want: '/yes: no such file or directory',
  },
  {
    it: 'looks for Helm before it looks for a transformer',
    files: {
      'kustomization.yaml':
        "resources: [r.yaml]\ntransformers: ['{apiVersion: builtin, kind: HelmChartInflationGenerator, metadata: {name: g}}']\n",
    },
    want: 'plugin HelmChartInflationGenerator.builtin.[noGrp]/g.[noNs] fails configuration: must specify --enable-helm',
  },
  {
    it: 'calls an inline patch of a plug-in malformed',
    files: {
      'kustomization.yaml': 'resources: [r.yaml]\ntransformers: [t.yaml]\n',
      't.yaml': 'apiVersion: builtin\nkind: PatchStrategicMergeTransformer\nmetadata: {name: t}\npatches: |\n  a: @b\n',
    },
    want: 'fails configuration: MalformedYAMLError: yaml: found character that cannot start any token',
  },
  {
    it: 'tells a configuration that is no YAML',
    files: { 'kustomization.yaml': 'resources: [r.yaml]\nconfigurations: [c.yaml]\n', 'c.yaml': 'images: [{a: b[]]\n' },
    want: "error converting YAML to JSON: yaml: did not find expected ',' or '}'",
  },
  {
    it: 'wants fields of a PrefixTransformer',
    files: {
      'kustomization.yaml': 'resources: [r.yaml]\ntransformers: [t.yaml]\n',
      't.yaml': ADD.replace('ValueAdd', 'Prefix'),
    },
    want: 'fails configuration: fieldSpecs is not expected to be nil',
  },
  {
    it: 'adds a value to a field that is missing',
    files: {
      'kustomization.yaml': 'resources: [r.yaml]\ntransformers: [t.yaml]\n',
      't.yaml': `${ADD}targets: [{fieldPath: a/b}]\n`,
    },
    want: 'a:\n  b: v',
  },
  {
    it: 'adds no value to a list',
    files: {
      'kustomization.yaml': 'resources: [r.yaml]\ntransformers: [t.yaml]\n',
      'r.yaml': `${MAP}l: [1]\n`,
      't.yaml': `${ADD}targets: [{fieldPath: l}]\n`,
    },
    want: 'wrong node kind: expected ScalarNode but got SequenceNode: node contents:\n[1]',
  },
  {
    it: 'takes a file with an empty list for one without objects',
    files: { 'kustomization.yaml': 'resources: [r.yaml, e.yaml]\n', 'e.yaml': '[]\n' },
    want: 'name: a',
  },
  {
    it: 'refuses a validator that renames',
    files: {
      'kustomization.yaml': 'resources: [r.yaml]\nvalidators: [t.yaml]\n',
      't.yaml':
        'apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: t}\nprefix: x-\nfieldSpecs: [{path: metadata/name}]\n',
    },
    want: 'id in self missing from other; id: ConfigMap.v1.[noGrp]/a.[noNs]',
  },
  {
    it: 'finds an object whose apiVersion a patch changed by the new one',
    files: {
      'kustomization.yaml': 'resources: [base]\npatches: [{path: p.yaml}]\n',
      'base/kustomization.yaml': `resources: [r.yaml]\nnamePrefix: b-\n${API}\n`,
      'base/r.yaml': DEPLOYMENT,
      'p.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n',
    },
    want: 'name: b-web\nspec:\n  replicas: 3',
  },
  {
    it: 'finds it no more by the old one',
    files: {
      'kustomization.yaml': 'resources: [base]\npatches: [{path: p.yaml}]\n',
      'base/kustomization.yaml': `resources: [r.yaml]\nnamePrefix: b-\n${API}\n`,
      'base/r.yaml': DEPLOYMENT,
      'p.yaml': DEPLOYMENT,
    },
    want: 'no matches for Id Deployment.v1beta1.extensions/web.[noNs]',
  },
]

for (const { it, files, want } of cases)
  test(`kustomize ${it}`, () => {
    const entries = Object.entries({ 'r.yaml': MAP, ...files }).map(([name, text]): [string, string] => [
      `/${name}`,
      text,
    ])
    const answer = attempt(new Map(entries))
    assert.ok(answer.includes(want), answer)
  })

function attempt(files: Map<string, string>): string {
  try {
    return renderBuild(build(treeOfFiles(files), '/'))
  } catch (error) {
    if (error instanceof SluiceError) return error.message
    throw error
  }
}
