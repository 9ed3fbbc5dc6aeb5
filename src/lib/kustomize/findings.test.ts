import assert from 'node:assert/strict'
import { test } from 'node:test'
import { build } from './build.ts'
import { findInObjects } from './explain/find-in-objects.ts'
import { treeOfFiles } from './files/tree.ts'

const K = '/kustomization.yaml'
const WEB = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 1
  template:
    spec:
      containers:
      - name: web
        image: ghcr.io/a/web:1
      volumes:
      - name: v
        emptyDir: {}
`
const CRD = 'apiVersion: x.io/v1\nkind: Thing\nmetadata:\n  name: t\nspec:\n  rules:\n  - name: a\n'

const cases: { it: string; file: string; more?: Record<string, string>; want: string[] }[] = [
  { it: 'nothing to say', file: 'images:\n- name: ghcr.io/a/web\n  newTag: "2"\n', want: [] },
  {
    it: 'a patch for nobody',
    file: 'patches:\n- target:\n    kind: Job\n    name: x\n  patch: |-\n    - op: remove\n      path: /spec\n',
    want: [`PATCH_NO_MATCH ${K}:4:3 the target of patches[0] (Job/x) selects no object`],
  },
  {
    it: 'an image that nobody uses',
    file: 'images:\n- name: web\n  newTag: "2"\n',
    want: [`IMAGE_NO_MATCH ${K}:4:3 images: no image is called "web"`],
  },
  {
    it: 'a dot that is any character',
    file: 'images:\n- name: ghcr.io/a.web\n  newTag: "2"\n',
    want: [
      `IMAGE_NAME_REGEXP ${K}:4:3 images: "ghcr.io/a.web" is read as a regular expression, and matches "ghcr.io/a/web:1"`,
    ],
  },
  { it: 'no dot that is escaped', file: 'images:\n- name: ghcr\\.io/a/web\n  newTag: "2"\n', want: [] },
  {
    it: 'a key twice',
    file: 'namePrefix: a-\nnamePrefix: b-\n',
    want: [`DUPLICATE_KEY ${K}:3:1 "namePrefix" stands here, and again in line 4, which is the one that counts`],
  },
  {
    it: 'lines behind a first line that is indented too far',
    file: 'patches:\n- path: p.yaml\n  target: {kind: Deployment}\n',
    more: {
      '/web.yaml': WEB.replace(/^(?!\s*strategy).*\n/gm, '  $&').replace('  spec:', 'spec:'),
      '/p.yaml': '  - op: add\n    path: /spec\n    value: {}\n- op: remove\n  path: /metadata\n',
    },
    want: [
      'LINES_NOT_READ /web.yaml:5:1 this line and those below are not read: what begins in line 1 has ended, for that line is indented further',
      'LINES_NOT_READ /p.yaml:4:1 this line and those below are not read: what begins in line 1 has ended, for that line is indented further',
    ],
  },
  {
    it: 'lines of the kustomization file that are indented less',
    file: '',
    more: { '/kustomization.yaml': '  resources:\n  - web.yaml\nnamePrefix: a-\n' },
    want: [
      `LINES_NOT_READ ${K}:3:1 this line and those below are not read: what begins in line 1 has ended, for that line is indented further`,
    ],
  },
  {
    it: 'a list of a custom resource',
    file: 'patches:\n- path: p.yaml\n',
    more: { '/p.yaml': CRD.replace('name: a', 'name: b'), '/web.yaml': CRD },
    want: [
      'PATCH_REPLACES_LIST /p.yaml:6:3 the patch replaces the whole list spec.rules of Thing/t, whose keys are not known',
    ],
  },
  {
    it: 'labels that are numbers',
    file: '',
    more: {
      '/web.yaml': WEB.replace('name: web\nspec', 'name: web\n  labels:\n    v: 010\n  annotations: {a: 1}\nspec'),
    },
    want: ['VALUE_NOT_TEXT /web.yaml:6:5 metadata.labels.v of Deployment/web must be a text, and is the number 8'],
  },
  {
    it: 'labels of a custom resource',
    file: '',
    more: { '/web.yaml': CRD.replace('name: t', 'name: t\n  labels: {on: true}') },
    want: ['VALUE_NOT_TEXT /web.yaml:5:12 metadata.labels.on of Thing/t must be a text, and is the boolean true'],
  },
  {
    it: 'variables that are numbers',
    file: '',
    more: {
      '/web.yaml': WEB.replace(
        '      volumes',
        '        env:\n        - name: PORT\n          value: 80\n      volumes',
      ),
    },
    want: [
      'VALUE_NOT_TEXT /web.yaml:17:11 spec.template.spec.containers[0].env[0].value of Deployment/web must be a text, and is the number 80',
    ],
  },
  {
    it: 'a strategy with both',
    file: 'patches:\n- path: p.yaml\n',
    more: {
      '/p.yaml':
        'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  strategy:\n    type: Recreate\n',
    },
    want: [
      'RETAIN_KEYS_LEFTOVER /web.yaml:8:5 spec.strategy of Deployment/web has rollingUpdate and type: Recreate, of which one may be set',
    ],
  },
  {
    it: 'a volume with two sources',
    file: 'patches:\n- path: p.yaml\n',
    more: {
      '/p.yaml':
        'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      volumes:\n      - name: v\n        hostPath: {path: /x}\n',
    },
    want: [
      'RETAIN_KEYS_LEFTOVER /web.yaml:17:9 spec.template.spec.volumes[0] of Deployment/web has emptyDir and hostPath, of which one may be set',
    ],
  },
  {
    it: 'a field that is not there',
    file: '',
    more: { '/web.yaml': WEB.replace('  template:', '  replica: 2\n  template:') },
    want: ['UNKNOWN_FIELD /web.yaml:10:3 Deployment/web has no field spec.replica'],
  },
  {
    it: 'a directive that kustomize does not know',
    file: 'patches:\n- path: p.yaml\n',
    more: {
      '/p.yaml':
        'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      $setElementOrder/containers:\n      - name: web\n',
    },
    want: ['UNKNOWN_FIELD /p.yaml:8:7 Deployment/web has no field spec.template.spec["$setElementOrder/containers"]'],
  },
]

for (const { it, file, more, want } of cases)
  test(`findings: ${it}`, () => {
    const files = { [K]: `resources:\n- web.yaml\n${file}`, '/web.yaml': WEB, ...more }
    const { findings, trees = [] } = build(treeOfFiles(new Map(Object.entries(files))), '/', { trees: true })
    assert.deepEqual(
      [...findings, ...findInObjects(trees)].map(({ code, where, message }) => `${code} ${where} ${message}`),
      want,
    )
  })
