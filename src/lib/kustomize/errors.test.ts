import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../error/sluice-error.ts'
import { build } from './build.ts'
import { treeOfFiles } from './files/tree.ts'

const POD = 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n  - name: c\n    image: i:1\n'
const K = '/kustomization.yaml'
const WITH_POD = 'resources:\n- pod.yaml\n'

type Case = { it: string; files: Record<string, string>; text: string; where: string; hint?: string }

/** The kustomization file (with pod.yaml as its resource) and what else there is. */
const k = (rest: string, more: Record<string, string> = {}): Record<string, string> => ({
  [K]: WITH_POD + rest,
  '/pod.yaml': POD,
  ...more,
})

const cases: Case[] = [
  // kustomization files
  { it: 'no file', files: { '/x': '' }, text: 'unable to find one of', where: '/' },
  { it: 'two files', files: { [K]: '', '/kustomization.yml': '' }, text: 'Found multiple', where: '/' },
  { it: 'an empty file', files: { [K]: '# nothing\n' }, text: 'kustomization.yaml is empty', where: `${K}:1:1` },
  {
    it: 'no YAML',
    files: { [K]: 'a: [1\n' },
    text: 'invalid Kustomization: yaml: line',
    where: `${K}:2:1`,
    hint: 'close',
  },
  {
    it: 'a misspelt field',
    files: k('resource:\n- a\n'),
    text: 'unknown field "resource"',
    where: `${K}:3:1`,
    hint: 'did you mean "resources"?',
  },
  {
    it: 'a deep misspelt field',
    files: k('images:\n- name: i\n  newtag2: x\n'),
    text: 'unknown field "newtag2"',
    where: `${K}:5:3`,
  },
  {
    it: 'a text where a list belongs',
    files: { [K]: 'resources: a\n' },
    text: 'cannot unmarshal string into Go struct field Kustomization.resources',
    where: `${K}:1:1`,
    hint: 'list',
  },
  {
    it: 'a number where a text belongs',
    files: k('images:\n- name: i\n  newTag: 2\n'),
    text: 'cannot unmarshal number',
    where: `${K}:5:3`,
    hint: 'quote',
  },
  { it: 'another kind', files: { [K]: 'kind: Pod\nresources: []\n' }, text: 'kind should be', where: `${K}:1:1` },
  {
    it: 'two openapi',
    files: { ...k('openapi:\n  path: a\n  version: v1\n'), '/a': '{}' },
    text: 'cannot use both',
    where: `${K}:3:1`,
  },
  { it: 'an openapi version', files: k('openapi:\n  version: v1\n'), text: 'not built in', where: `${K}:3:1` },
  { it: 'a sort order', files: k('sortOptions:\n  order: up\n'), text: 'sortOptions.order', where: `${K}:3:1` },
  // paths
  {
    it: 'a missing resource',
    files: { [K]: 'resources:\n- gone.yaml\n' },
    text: 'no such file or directory',
    where: `${K}:2:3`,
    hint: 'path',
  },
  {
    it: 'a missing resource of a base',
    files: { [K]: 'resources:\n- base\n', '/base/kustomization.yaml': 'resources:\n- a\n- gone\n', '/base/a': POD },
    text: 'no such file',
    where: '/base/kustomization.yaml:3:3',
  },
  {
    it: 'a folder without a file',
    files: { [K]: 'resources:\n- base\n', '/base/x': '' },
    text: 'unable to find one of',
    where: `${K}:2:3`,
  },
  {
    it: 'a cycle',
    files: {
      '/a/kustomization.yaml': 'resources:\n- ../b\n',
      '/b/kustomization.yaml': 'resources:\n- ../a\n',
      [K]: 'resources:\n- a\n',
    },
    text: 'cycle detected',
    where: '/b/kustomization.yaml:2:3',
  },
  {
    it: 'a remote base',
    files: { [K]: 'resources:\n- https://example.org/x//y\n' },
    text: 'https://example.org',
    where: `${K}:2:3`,
  },
  {
    it: 'a component that is none',
    files: { [K]: 'components:\n- c\n', '/c/kustomization.yaml': 'resources: []\n' },
    text: "expected kind 'Component'",
    where: `${K}:2:3`,
  },
  {
    it: 'a missing patch file',
    files: k('patches:\n- path: gone.yaml\n'),
    text: 'failed to get the patch file',
    where: `${K}:4:3`,
  },
  {
    it: 'a missing configuration',
    files: k('configurations:\n- gone.yaml\n'),
    text: 'no such file',
    where: `${K}:4:3`,
  },
  { it: 'a missing CRD', files: k('crds:\n- gone.yaml\n'), text: 'no such file', where: `${K}:4:3` },
  { it: 'a missing transformer', files: k('transformers:\n- gone.yaml\n'), text: 'no such file', where: `${K}:4:3` },
  // resources
  {
    it: 'broken YAML',
    files: k('', { '/pod.yaml': 'a: b\n c: d\n' }),
    text: 'MalformedYAMLError',
    where: '/pod.yaml:2:3',
    hint: 'indent',
  },
  {
    it: 'a tab',
    files: k('', { '/pod.yaml': 'a:\n\tb: c\n' }),
    text: 'cannot start any token',
    where: '/pod.yaml:2:1',
    hint: 'spaces',
  },
  {
    it: 'an open quote',
    files: k('', { '/pod.yaml': 'a: "b\n' }),
    text: 'unexpected end of stream',
    where: '/pod.yaml:1:4',
    hint: 'quote',
  },
  {
    it: 'an unknown anchor',
    files: k('', { '/pod.yaml': 'a: *b\n' }),
    text: "unknown anchor 'b'",
    where: '/pod.yaml:1:4',
    hint: '&name',
  },
  {
    it: 'a key twice',
    files: k('', { '/pod.yaml': POD + 'kind: Pod\n' }),
    text: 'already defined',
    where: '/pod.yaml:9:1',
    hint: 'remove one',
  },
  {
    it: 'no kind',
    files: k('', { '/pod.yaml': 'metadata:\n  name: a\n' }),
    text: 'missing kind',
    where: '/pod.yaml:1:1',
    hint: 'kind',
  },
  {
    it: 'no name',
    files: k('', { '/pod.yaml': 'kind: Pod\n' }),
    text: 'missing metadata.name',
    where: '/pod.yaml:1:1',
  },
  {
    it: 'a list as object',
    files: k('', { '/pod.yaml': '- a\n' }),
    text: 'missing Resource metadata',
    where: '/pod.yaml:1:1',
  },
  {
    it: 'the same object twice',
    files: { [K]: 'resources:\n- a.yaml\n- b.yaml\n', '/a.yaml': POD, '/b.yaml': POD },
    text: 'may not add resource',
    where: '/b.yaml:1:1',
    hint: '/a.yaml:1:1',
  },
  // generators
  {
    it: 'a generator without a name',
    files: k('configMapGenerator:\n- literals: [a=b]\n'),
    text: 'must have a name',
    where: `${K}:4:3`,
  },
  {
    it: 'a literal without =',
    files: k('configMapGenerator:\n- name: c\n  literals:\n  - a=b\n  - oops\n'),
    text: 'invalid literal source oops',
    where: `${K}:7:5`,
  },
  {
    it: 'a file with two =',
    files: k('configMapGenerator:\n- name: c\n  files:\n  - a=b=c\n'),
    text: "contains '='",
    where: `${K}:6:5`,
  },
  {
    it: 'a file without a key',
    files: k('configMapGenerator:\n- name: c\n  files: ["=b"]\n'),
    text: 'missing key name',
    where: `${K}:5:11`,
  },
  {
    it: 'a key without a file',
    files: k('configMapGenerator:\n- name: c\n  files: ["b="]\n'),
    text: 'missing file path',
    where: `${K}:5:11`,
  },
  {
    it: 'a missing env file',
    files: k('secretGenerator:\n- name: c\n  envs:\n  - gone.env\n'),
    text: 'no such file',
    where: `${K}:6:5`,
  },
  {
    it: 'a key twice in a generator',
    files: k('configMapGenerator:\n- name: c\n  literals:\n  - a=1\n  - a=2\n'),
    text: 'illegally repeats the key',
    where: `${K}:7:5`,
  },
  {
    it: 'a merge with nothing',
    files: k('configMapGenerator:\n- name: c\n  behavior: merge\n'),
    text: 'does not exist; cannot merge',
    where: `${K}:4:3`,
  },
  {
    it: 'a generator of what exists',
    files: k('configMapGenerator:\n- name: c\n- name: c\n'),
    text: 'exists; can not use behavior',
    where: `${K}:5:3`,
  },
  // patches
  {
    it: 'a patch of nothing',
    files: k('patches:\n- path: p.yaml\n', { '/p.yaml': POD.replace('name: a', 'name: b') }),
    text: 'no matches for Id',
    where: '/p.yaml:1:1',
  },
  {
    it: 'an inline patch of nothing',
    files: k('patches:\n- patch: |-\n    kind: Pod\n    metadata:\n      name: b\n'),
    text: 'no matches for Id',
    where: `${K}:5:5`,
  },
  {
    it: 'a patch that is none',
    files: k('patches:\n- patch: "x: y"\n'),
    text: 'unable to parse SM or JSON patch',
    where: `${K}:4:11`,
  },
  {
    it: 'an entry without patch',
    files: k('patches:\n- target: {kind: Pod}\n'),
    text: 'must specify one of patch and path',
    where: `${K}:4:3`,
  },
  {
    it: 'an entry with both',
    files: k('patches:\n- path: a\n  patch: b\n'),
    text: "can't be set at the same time",
    where: `${K}:4:3`,
  },
  {
    it: 'a JSON patch without a target',
    files: k('patches:\n- patch: |-\n    - op: remove\n      path: /spec\n'),
    text: 'must specify a target',
    where: `${K}:4:3`,
  },
  {
    it: 'a path that is not there',
    files: k('patches:\n- target: {kind: Pod}\n  patch: |-\n    - op: remove\n      path: /spec/gone/x\n'),
    text: 'remove operation does not apply',
    where: `${K}:6:7`,
  },
  {
    it: 'an index that is not there',
    files: k(
      'patches:\n- target: {kind: Pod}\n  patch: |-\n    - op: add\n      path: /spec/containers/9\n      value: 1\n',
    ),
    text: 'invalid index',
    where: `${K}:6:7`,
  },
  {
    it: 'an operation that is none',
    files: k('patches:\n- target: {kind: Pod}\n  patch: |-\n    - op: put\n      path: /a\n'),
    text: 'Unexpected kind',
    where: `${K}:6:7`,
  },
  {
    it: 'a test that fails',
    files: k('patches:\n- target: {kind: Pod}\n  patch: |-\n    - op: test\n      path: /kind\n      value: x\n'),
    text: 'test failed',
    where: `${K}:6:7`,
  },
  {
    it: 'a patch of another type',
    files: k('patches:\n- path: p.yaml\n', {
      '/p.yaml': 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers: no\n',
    }),
    text: 'wrong node kind: expected SequenceNode but got ScalarNode: node contents:',
    where: '/p.yaml:6:3',
  },
  {
    it: 'a directive that is none',
    files: k('patches:\n- path: p.yaml\n', {
      '/p.yaml': 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  $patch: bad\n',
    }),
    text: 'unknown patch strategy',
    where: '/p.yaml:6:3',
  },
  {
    it: 'a label selector',
    files: k('patches:\n- target: {labelSelector: "a in b"}\n  path: p.yaml\n', { '/p.yaml': POD }),
    text: 'parse requirement',
    where: `${K}:4:3`,
  },
  {
    it: 'an old JSON patch without a name',
    files: k('patchesJson6902:\n- target: {kind: Pod}\n  path: p\n'),
    text: 'must specify the target name',
    where: `${K}:4:3`,
  },
  {
    it: 'an old patch that is not there',
    files: k('patchesStrategicMerge:\n- gone.yaml\n'),
    text: 'no such file',
    where: `${K}:4:3`,
  },
  // the other transformers
  {
    it: 'replicas of nothing',
    files: k('replicas:\n- name: b\n  count: 2\n'),
    text: 'does not match a config',
    where: `${K}:4:3`,
  },
  {
    it: 'a replacement from nothing',
    files: k('replacements:\n- source: {kind: Gone}\n  targets:\n  - select: {kind: Pod}\n'),
    text: 'nothing selected by',
    where: `${K}:4:3`,
  },
  {
    it: 'a replacement from no field',
    files: k(
      'replacements:\n- source:\n    kind: Pod\n    fieldPath: spec.gone\n  targets:\n  - select: {kind: Pod}\n',
    ),
    text: 'is missing for replacement source',
    where: `${K}:4:3`,
  },
  {
    it: 'a replacement to no field',
    files: k(
      'replacements:\n- source: {kind: Pod}\n  targets:\n  - select: {kind: Pod}\n    fieldPaths: [spec.gone.x]\n',
    ),
    text: 'unable to find field',
    where: `${K}:6:5`,
  },
  {
    it: 'a replacement without targets',
    files: k('replacements:\n- source: {kind: Pod}\n'),
    text: 'must specify a source and at least one target',
    where: `${K}:4:3`,
  },
  {
    it: 'a replacement file that is not there',
    files: k('replacements:\n- path: gone\n'),
    text: 'no such file',
    where: `${K}:3:1`,
  },
  {
    it: 'a var of nothing',
    files: k('vars:\n- name: V\n  objref: {kind: Gone, name: x}\n'),
    text: 'cannot be mapped to a field',
    where: `${K}:4:3`,
  },
  {
    it: 'a var twice',
    files: k(
      'vars:\n- name: V\n  objref: {apiVersion: v1, kind: Pod, name: a}\n- name: V\n  objref: {apiVersion: v1, kind: Pod, name: a}\n',
    ),
    text: 'already encountered',
    where: `${K}:6:3`,
  },
  {
    it: 'a conflict of namespaces',
    files: {
      [K]: 'namespace: prod\nresources:\n- a.yaml\n- b.yaml\n',
      '/a.yaml': POD,
      '/b.yaml': POD.replace('name: a', 'name: a\n  namespace: m'),
    },
    text: 'produces ID conflict',
    where: '/b.yaml:1:1',
  },
  {
    it: 'a label of a text',
    files: k('commonLabels: {a: b}\n', { '/pod.yaml': POD.replace('name: a', 'name: a\n  labels: text') }),
    text: 'expected MappingNode',
    where: '/pod.yaml:5:3',
  },
  {
    it: 'a plug-in',
    files: k('transformers:\n- t.yaml\n', { '/t.yaml': 'apiVersion: x/v1\nkind: T\nmetadata:\n  name: t\n' }),
    text: 'external plugins disabled',
    where: '/t.yaml:1:1',
  },
  {
    it: 'a CustomResourceDefinition among crds',
    files: k('crds: [crd.yaml]\n', {
      '/crd.yaml': 'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n',
    }),
    text: 'json: cannot unmarshal string into Go value of type accumulator.OpenAPIDefinition',
    where: '/crd.yaml:1:1',
    hint: 'resources',
  },
  {
    it: 'a template in a resource',
    files: k('', { '/pod.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  node: {{ .Node }}\n' }),
    text: 'yaml: invalid map key: map[string]interface {}{".Node":""}',
    where: '/pod.yaml:5:10',
    hint: 'quotes',
  },
  {
    it: 'a key twice, in the lines of the print',
    files: k('', { '/pod.yaml': '\n\napiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  a: 1\n\n  a: 2\n' }),
    text: 'line 7: mapping key "a" already defined at line 6',
    where: '/pod.yaml:10:3',
    hint: 'remove',
  },
  {
    it: 'a file that begins with a tab',
    files: k('configMapGenerator: [{name: m, files: [f]}]\n', { '/f': '\tx\ny\n' }),
    text: 'yaml: line 2: found a tab character where an indentation space is expected',
    where: '/f',
    hint: 'character',
  },
  {
    it: 'a field spec that does not fit',
    files: k('labels:\n- pairs: {a: b}\n  fields:\n  - path: spec/containers/name/x\n    create: true\n'),
    text: 'considering field',
    where: '/pod.yaml:7:5',
  },
]

for (const { it, files, text, where, hint } of cases)
  test(`error: ${it}`, () => {
    const error = failureOf(files)
    assert.ok(error.message.includes(text), error.message)
    assert.equal(error.where, where, error.message)
    assert.ok(
      error.hint !== undefined && !/^fix the (field|line)/.test(error.hint),
      `${error.hint} for ${error.message}`,
    )
    if (hint !== undefined) assert.ok(error.hint.includes(hint), error.hint)
  })

function failureOf(files: Record<string, string>): SluiceError {
  try {
    build(treeOfFiles(new Map(Object.entries(files))), '/')
  } catch (error) {
    if (error instanceof SluiceError) return error
    throw error
  }
  throw new Error('the build went well')
}
