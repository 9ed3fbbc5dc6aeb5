import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../error/sluice-error.ts'
import { build, renderBuild } from './build.ts'
import { treeOfFiles } from './files/tree.ts'

const OBJECT = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n'
const PATCHED = 'resources: [r.yaml]\npatches: [{path: p.yaml}]\n'
const JSON_PATCHED = 'resources: [r.yaml]\npatches: [{path: p.yaml, target: {kind: ConfigMap}}]\n'
const TRANSFORMED = 'resources: [r.yaml]\ntransformers: [t.yaml]\n'
const CONFIGURED = 'resources: [r.yaml]\nnamePrefix: x-\nconfigurations: [c.yaml]\n'
const BUDGET = 'apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: a}\n'
const BUILTIN = 'apiVersion: builtin\nmetadata: {name: t}\n'

// Each `want` is part of what kustomize 5.8.1 prints, or of its error; `r.yaml` is a ConfigMap `a` unless it is given.
const cases: { it: string; files: Record<string, string>; want: string }[] = [
  {
    it: 'gives every object what stands twice in a patch for itself',
    files: {
      'kustomization.yaml':
        "resources: [r.yaml, s.yaml]\npatches: [{path: p.yaml, target: {name: .*}}, {patch: '{apiVersion: v1, kind: Secret, metadata: {name: s, annotations: {only: s}}}'}]\n",
      's.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n',
      'p.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  annotations:\n  annotations: {both: x}\n',
    },
    want: 'kind: ConfigMap\nmetadata:\n  annotations:\n    both: x\n  name: a\n',
  },
  {
    it: 'takes the first of two equal keys of a patch',
    files: { 'kustomization.yaml': PATCHED, 'p.yaml': `${OBJECT}data: {k: one}\ndata: {k: two}\n` },
    want: 'data:\n  k: one\n',
  },
  {
    it: 'finds the object of a patch by the first of two names',
    files: { 'kustomization.yaml': PATCHED, 'p.yaml': OBJECT.replace('{name: a}', '{name: b, name: a}') },
    want: 'no matches for Id ConfigMap.v1.[noGrp]/b.[noNs]',
  },
  {
    it: 'lets the second of two equal keys of an object be, where a patch takes the first',
    files: {
      'kustomization.yaml': PATCHED,
      'r.yaml': `${OBJECT}data: {k: one}\ndata: {k: two}\n`,
      'p.yaml': `${OBJECT}data: null\n`,
    },
    want: 'data:\n  k: two\n',
  },
  {
    it: 'joins labels that a patch of the old form has twice',
    files: {
      'kustomization.yaml': 'resources: [r.yaml]\npatchesStrategicMerge: [p.yaml]\n',
      'p.yaml': OBJECT.replace('{name: a}', '{name: a, labels: {l: x}, labels: {m: y}}'),
    },
    want: 'labels:\n    l: x\n    m: "y"\n',
  },
  {
    it: 'tells the lines of keys that stand twice as they are printed',
    files: { 'kustomization.yaml': CONFIGURED, 'c.yaml': '{}\n', 'r.yaml': `${OBJECT}a: 1\nb: 1\na: 2\n` },
    want: 'line 6: mapping key "a" already defined at line 4',
  },
  {
    it: 'tells of what may be a list with a key twice where it is read',
    files: {
      'kustomization.yaml': CONFIGURED,
      'c.yaml': '{}\n',
      'r.yaml': 'kind: XList\nkind: XList\nmetadata: {name: a}\n',
    },
    want: 'trouble expanding list of XList; received error yaml: unmarshal errors:\n  line 2: mapping key "kind" already defined at line 1 for the following resource:\nkind: XList',
  },
  {
    it: 'leaves out what stands further left than the first line of an object',
    files: {
      'kustomization.yaml': 'resources: [r.yaml]\n',
      'r.yaml': `${OBJECT.replace(/^/gm, ' ').trimEnd()}\ndata: {k: v}\n`,
    },
    want: 'kind: ConfigMap\nmetadata:\n  name: a\n',
  },
  {
    it: 'refuses a configuration that has a key twice',
    files: { 'kustomization.yaml': CONFIGURED, 'c.yaml': 'images:\n- path: a\n  path: b\n' },
    want: 'error converting YAML to JSON: yaml: unmarshal errors:\n  line 3: key "path" already set in map',
  },
  {
    it: 'takes a number for the path of a field spec, and not for its kind',
    files: { 'kustomization.yaml': CONFIGURED, 'c.yaml': 'images: [{path: 1, kind: 2}]\n' },
    want: 'cannot unmarshal number into Go struct field FieldSpec.images.Gvk.kind of type string',
  },
  {
    it: 'refuses a plug-in that has a key twice',
    files: {
      'kustomization.yaml': TRANSFORMED,
      't.yaml': `${BUILTIN}kind: LabelTransformer\nlabels: {a: b}\nlabels: {a: b}\n`,
    },
    want: 'marshalling yaml from res LabelTransformer.builtin.[noGrp]/t.[noNs]: yaml: unmarshal errors:\n  line 5: mapping key "labels" already defined at line 4',
  },
  {
    it: 'shows the configuration of a plug-in without a patch',
    files: { 'kustomization.yaml': TRANSFORMED, 't.yaml': `${BUILTIN}kind: PatchTransformer\n` },
    want: 'must specify one of patch and path in\napiVersion: builtin\nkind: PatchTransformer\nmetadata:\n  name: t\n',
  },
  {
    it: 'tells an operation that is no operation',
    files: { 'kustomization.yaml': JSON_PATCHED, 'p.yaml': '- {op: 1, path: /a}\n' },
    want: 'Unexpected kind: unknown',
  },
  {
    it: 'tells a path that is missing, and one that is no text',
    files: { 'kustomization.yaml': JSON_PATCHED, 'p.yaml': '- {op: test, path: {a: b}}\n' },
    want: 'test operation failed to decode path: json: cannot unmarshal object into Go value of type string',
  },
  {
    it: 'shows a patch of the old form that is none',
    files: {
      'kustomization.yaml': TRANSFORMED,
      't.yaml': `${BUILTIN}kind: PatchJson6902Transformer\ntarget: {name: a}\njsonOp: nothing\n`,
    },
    want: 'decoding "nothing": json: cannot unmarshal string into Go value of type jsonpatch.Patch',
  },
  {
    it: 'has no infinity in a kustomization',
    files: { 'kustomization.yaml': 'resources: [r.yaml]\nnamePrefix: .inf\n' },
    want: 'invalid Kustomization: json: unsupported value: +Inf',
  },
  {
    it: 'merges the conditions of a budget by their type',
    files: {
      'kustomization.yaml': PATCHED,
      'r.yaml': `${BUDGET}status: {conditions: [{type: a, status: x}, {type: b, status: x}]}\n`,
      'p.yaml': `${BUDGET}status: {conditions: [{type: b, status: z}]}\n`,
    },
    want: 'conditions:\n  - status: z\n    type: b\n  - status: x\n    type: a\n',
  },
  {
    it: 'copies a list in place of empty brackets as it is',
    files: {
      'kustomization.yaml':
        'resources: [r.yaml]\nreplacements:\n- source: {kind: ConfigMap, fieldPath: data.from}\n  targets: [{select: {kind: ConfigMap}, fieldPaths: [data.to]}]\n',
      'r.yaml': `${OBJECT}data:\n  from:\n  - a:\n  to: {}\n`,
    },
    want: 'to:\n  - a: null\n',
  },
  {
    it: 'refuses subjects that are no list',
    files: {
      'kustomization.yaml': 'resources: [r.yaml]\nnamespace: other\n',
      'r.yaml': 'apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: a}\nsubjects: x\n',
    },
    want: 'setting namespace on (cluster)role binding subjects: wrong node kind: expected SequenceNode but got ScalarNode',
  },
  {
    it: 'finds nothing for a var whose reference has no version',
    files: { 'kustomization.yaml': 'resources: [r.yaml]\nvars: [{name: V, objref: {kind: ConfigMap, name: a}}]\n' },
    want: "var '{V ConfigMap.[noVer].[noGrp] {metadata.name}}' cannot be mapped",
  },
  {
    it: 'sorts by options that name no kind',
    files: {
      'kustomization.yaml': 'resources: [r.yaml]\nsortOptions: {order: legacy, legacySortOptions: {}}\n',
      'r.yaml': `apiVersion: v1\nkind: Service\nmetadata: {name: a}\n---\n${OBJECT}---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n`,
    },
    want: 'kind: ConfigMap\nmetadata:\n  name: a\n---\napiVersion: v1\nkind: Namespace',
  },
]

for (const { it, files, want } of cases)
  test(`kustomize ${it}`, () => {
    const tree = treeOfFiles(
      new Map(Object.entries({ 'r.yaml': OBJECT, ...files }).map(([name, text]) => [`/${name}`, text])),
    )
    let answer: string
    try {
      answer = renderBuild(build(tree, '/'))
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error
      answer = error.message
    }
    assert.ok(answer.includes(want), answer)
  })
