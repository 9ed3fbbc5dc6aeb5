import assert from 'node:assert/strict'
import { test } from 'node:test'
import { build, renderBuild } from '../build.ts'
import { origin, type FieldOrigin } from './field-origin.ts'
import { treeOfFiles } from '../files/tree.ts'

const files = new Map([
  [
    '/base/kustomization.yaml',
    `resources:
- web.yaml
configMapGenerator:
- name: settings
  literals:
  - level=info
  envs:
  - app.env
  files:
  - motd.txt
`,
  ],
  ['/base/app.env', '# of the app\nPORT=80\nHOST=localhost\n'],
  ['/base/motd.txt', 'hello\n'],
  [
    '/base/web.yaml',
    `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  template:
    spec:
      containers:
      - name: web
        image: web:1
        envFrom:
        - configMapRef:
            name: settings
        env:
        - name: NAMESPACE
          value: none
        - name: COPY
          value: none
      volumes:
      - name: cache
        emptyDir: {}
`,
  ],
  [
    '/prod/kustomization.yaml',
    `namespace: prod
namePrefix: p-
resources:
- ../base
components:
- ../limits
labels:
- pairs:
    team: red
  includeSelectors: true
commonAnnotations:
  note: x
images:
- name: web
  newTag: "2"
replicas:
- name: web
  count: 5
patches:
- path: scale.yaml
- target:
    kind: Deployment
  patch: |-
    - op: replace
      path: /spec/template/spec/containers/0/env/0/value
      value: patched
configMapGenerator:
- name: settings
  behavior: merge
  literals:
  - level=debug
replacements:
- source:
    kind: Deployment
    fieldPath: metadata.name
  targets:
  - select:
      kind: Deployment
    fieldPaths:
    - spec.template.spec.containers.[name=web].env.[name=COPY].value
`,
  ],
  [
    '/prod/scale.yaml',
    'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 3\n  paused: true\n',
  ],
  [
    '/limits/kustomization.yaml',
    `apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
patches:
- patch: |
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: web
    spec:
      template:
        spec:
          containers:
          - name: web
            resources:
              limits:
                cpu: "1"
`,
  ],
])

const DEPLOYMENT = { kind: 'Deployment', name: 'p-web' }
const container = 'spec.template.spec.containers[0]'

/** `value by field@configured <where>`, step by step. */
function told(found: FieldOrigin | undefined): string[] | undefined {
  const at = (place: FieldOrigin['where']): string => (place ? `${place.file}:${place.line}:${place.column}` : '-')
  return found?.steps.map(
    (step) => `${step.value} | ${step.by} ${step.field} ${at(step.configuredIn)} | ${at(step.where)}`,
  )
}

const cases: { it: string; kind?: string; path: string; want: string[] }[] = [
  {
    it: 'a field of a file that nobody touched',
    path: `${container}.env[0].name`,
    want: ['NAMESPACE | file resources /base/kustomization.yaml:2:3 | /base/web.yaml:16:11'],
  },
  {
    it: 'an empty mapping',
    path: 'spec.template.spec.volumes[name=cache].emptyDir',
    want: [' | file resources /base/kustomization.yaml:2:3 | /base/web.yaml:22:9'],
  },
  {
    it: 'a strategic patch, then replicas',
    path: 'spec.replicas',
    want: [
      '1 | file resources /base/kustomization.yaml:2:3 | /base/web.yaml:6:3',
      '3 | PatchTransformer patches[0] /prod/kustomization.yaml:20:3 | /prod/scale.yaml:6:3',
      '5 | ReplicaCountTransformer replicas[0] /prod/kustomization.yaml:18:3 | /prod/kustomization.yaml:18:3',
    ],
  },
  {
    it: 'what only a patch has',
    path: 'spec.paused',
    want: ['true | PatchTransformer patches[0] /prod/kustomization.yaml:20:3 | /prod/scale.yaml:7:3'],
  },
  {
    it: 'an image',
    path: `${container}.image`,
    want: [
      'web:1 | file resources /base/kustomization.yaml:2:3 | /base/web.yaml:11:9',
      'web:2 | ImageTagTransformer images /prod/kustomization.yaml:15:3 | /prod/kustomization.yaml:15:3',
    ],
  },
  {
    it: 'a name with its prefix',
    path: 'metadata.name',
    want: [
      'web | file resources /base/kustomization.yaml:2:3 | /base/web.yaml:4:3',
      'p-web | PrefixTransformer namePrefix /prod/kustomization.yaml:2:1 | /prod/kustomization.yaml:2:1',
    ],
  },
  {
    it: 'the key of a list that a patch merged into',
    path: `${container}.name`,
    want: ['web | file resources /base/kustomization.yaml:2:3 | /base/web.yaml:10:9'],
  },
  {
    it: 'a namespace that was not there',
    path: 'metadata.namespace',
    want: ['prod | NamespaceTransformer namespace /prod/kustomization.yaml:1:1 | /prod/kustomization.yaml:1:1'],
  },
  {
    it: 'a label, to the pair',
    path: 'spec.selector.matchLabels.team',
    want: ['red | LabelTransformer labels[0] /prod/kustomization.yaml:9:5 | /prod/kustomization.yaml:9:5'],
  },
  {
    it: 'an annotation',
    path: 'metadata.annotations.note',
    want: [
      'x | AnnotationsTransformer commonAnnotations /prod/kustomization.yaml:12:3 | /prod/kustomization.yaml:12:3',
    ],
  },
  {
    it: 'an inline JSON patch, by the line in the kustomization file',
    path: `${container}.env[name=NAMESPACE].value`,
    want: [
      'none | file resources /base/kustomization.yaml:2:3 | /base/web.yaml:17:11',
      'patched | PatchTransformer patches[1] /prod/kustomization.yaml:21:3 | /prod/kustomization.yaml:26:7',
    ],
  },
  {
    it: 'an inline patch of a component',
    path: `${container}.resources.limits.cpu`,
    want: ['1 | PatchTransformer patches[0] /limits/kustomization.yaml:4:3 | /limits/kustomization.yaml:16:17'],
  },
  {
    it: 'a replacement, by the field it copies',
    path: `${container}.env[name=COPY].value`,
    want: [
      'none | file resources /base/kustomization.yaml:2:3 | /base/web.yaml:19:11',
      'p-web | ReplacementTransformer replacements[0] /prod/kustomization.yaml:33:3 | /base/web.yaml:4:3',
    ],
  },
  {
    it: 'a reference that follows a generated name',
    path: `${container}.envFrom[0].configMapRef.name`,
    want: [
      'settings | file resources /base/kustomization.yaml:2:3 | /base/web.yaml:14:13',
      'p-settings-HASH | NameReferenceTransformer  - | /base/kustomization.yaml:4:3',
    ],
  },
  {
    it: 'a literal that another one replaced',
    kind: 'ConfigMap',
    path: 'data.level',
    want: [
      'info | ConfigMapGenerator configMapGenerator[0] /base/kustomization.yaml:6:5 | /base/kustomization.yaml:6:5',
      'debug | ConfigMapGenerator configMapGenerator[0] /prod/kustomization.yaml:31:5 | /prod/kustomization.yaml:31:5',
    ],
  },
  {
    it: 'a line of an env file',
    kind: 'ConfigMap',
    path: 'data.PORT',
    want: ['80 | ConfigMapGenerator configMapGenerator[0] /base/kustomization.yaml:4:3 | /base/app.env:2:1'],
  },
  {
    it: 'a whole file',
    kind: 'ConfigMap',
    path: 'data.motd.txt',
    want: ['hello\n | ConfigMapGenerator configMapGenerator[0] /base/kustomization.yaml:4:3 | /base/motd.txt:1:1'],
  },
  {
    it: 'the name of a generated object',
    kind: 'ConfigMap',
    path: 'metadata.name',
    want: [
      'settings | ConfigMapGenerator configMapGenerator[0] /base/kustomization.yaml:4:3 | /base/kustomization.yaml:4:3',
      'p-settings | PrefixTransformer namePrefix /prod/kustomization.yaml:2:1 | /prod/kustomization.yaml:2:1',
      'p-settings-HASH | HashTransformer  - | /base/kustomization.yaml:4:3',
    ],
  },
]

const result = build(treeOfFiles(files), '/prod', { origin: true })
const text = JSON.stringify(result.objects)
const generated = /p-settings-\w{10}/.exec(text)?.[0] ?? ''

for (const { it, kind, path, want } of cases)
  test(`origin of ${it}`, () => {
    const object = kind ? { kind, name: generated } : DEPLOYMENT
    const have = told(origin(result, object, path))
    assert.deepEqual(
      have?.map((line) => line.replaceAll(generated, 'p-settings-HASH')),
      want,
    )
  })

test('origin: the output is the same with and without', () =>
  assert.equal(renderBuild(result), renderBuild(build(treeOfFiles(files), '/prod'))))

test('origin: the value of each leaf is what the last step left', () =>
  assert.equal(origin(result, DEPLOYMENT, 'spec.replicas')?.value, 5))

const others = new Map([
  [
    '/kustomization.yaml',
    `resources: [pod.yaml]
nameSuffix: -x
vars:
- name: NAME
  objref: {apiVersion: v1, kind: Pod, name: a}
transformers:
- note.yaml
- |-
  apiVersion: builtin
  kind: LabelTransformer
  metadata: {name: l}
  labels: {tier: web}
  fieldSpecs: [{path: metadata/labels, create: true}]
generators: [made.yaml]
patchesStrategicMerge:
- |-
  apiVersion: v1
  kind: Pod
  metadata: {name: a}
  spec:
    hostNetwork: true
patchesJson6902:
- target: {version: v1, kind: Pod, name: a}
  patch: |-
    - {op: add, path: /spec/containers/0/args/0, value: first}
`,
  ],
  [
    '/note.yaml',
    'apiVersion: builtin\nkind: AnnotationsTransformer\nmetadata: {name: n}\nannotations: {note: x}\nfieldSpecs:\n- {path: metadata/annotations, create: true}\n',
  ],
  ['/made.yaml', 'apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: made}\nliterals:\n- k=v\n'],
  [
    '/pod.yaml',
    'apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n  - name: c\n    args: [$(NAME)]\n',
  ],
])

const otherCases: { it: string; kind?: string; path: string; want: string[] }[] = [
  {
    it: 'a var, after the list grew in front of it',
    path: 'spec.containers[0].args[1]',
    want: [
      '$(NAME) | file resources /kustomization.yaml:1:13 | /pod.yaml:8:12',
      'a-x | RefVarTransformer vars /kustomization.yaml:4:3 | /kustomization.yaml:4:3',
    ],
  },
  {
    it: 'an item that an old JSON patch added',
    path: 'spec.containers[0].args[0]',
    want: ['first | PatchJson6902Transformer patchesJson6902[0] /kustomization.yaml:23:3 | /kustomization.yaml:25:50'],
  },
  {
    it: 'an old inline strategic patch',
    path: 'spec.hostNetwork',
    want: [
      'true | PatchStrategicMergeTransformer patchesStrategicMerge[0] /kustomization.yaml:16:3 | /kustomization.yaml:21:5',
    ],
  },
  {
    it: 'a transformer in a file',
    path: 'metadata.annotations.note',
    want: ['x | AnnotationsTransformer transformers /note.yaml:4:15 | /note.yaml:4:15'],
  },
  {
    it: 'an inline transformer',
    path: 'metadata.labels.tier',
    want: ['web | LabelTransformer transformers /kustomization.yaml:12:12 | /kustomization.yaml:12:12'],
  },
  {
    it: 'a generator in a file',
    kind: 'ConfigMap',
    path: 'data.k',
    want: ['v | ConfigMapGenerator generators /made.yaml:5:3 | /made.yaml:5:3'],
  },
]

const other = build(treeOfFiles(others), '/', { origin: true })
for (const { it, kind = 'Pod', path, want } of otherCases)
  test(`origin of ${it}`, () => {
    const named = other.objects.find((object) => object['kind'] === kind)?.['metadata'] as { name: string }
    assert.deepEqual(told(origin(other, { kind, name: named.name }, path)), want)
  })
