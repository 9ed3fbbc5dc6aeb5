import { randomOf, type Files, type Random } from './generate-tree.ts'
import { oddFields, oddScalar } from './odd-yaml.ts'

/** The files of one tree with odd YAML and with every kind of plug-in configuration; the folder to build is `/top`. */
export function generateOddTree(seed: number): Files {
  const r = randomOf(seed ^ 0x5bd1e995)
  const files: Files = new Map()
  files.set('/base/r.yaml', documents(r))
  files.set('/base/kustomization.yaml', render(kustomization(r, files, '/base', ['r.yaml'])))
  const bases = ['../base']
  if (r.chance(0.3)) {
    files.set('/mid/kustomization.yaml', render(kustomization(r, files, '/mid', bases.splice(0))))
    bases.push('../mid')
  }
  files.set('/top/kustomization.yaml', render(kustomization(r, files, '/top', bases)))
  return files
}

function render(value: unknown): string {
  return JSON.stringify(value, undefined, 1)
}

function documents(r: Random): string {
  const parts = [
    `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: cm\n${metadata(r)}data:\n${oddFields(r, '  ', 4)}`,
    `apiVersion: example.com/v1\nkind: Thing\nmetadata:\n  name: thing\n${metadata(r)}spec:\n${oddFields(r, '  ', 6)}  deep:\n${oddFields(r, '    ', 4)}  list:\n  - name: x\n${oddFields(r, '    ', 2)}  - name: y\n`,
    deployment(r),
    service(r),
    ...(r.chance(0.4) ? [anchors()] : []),
    ...(r.chance(0.4) ? [references()] : []),
    ...(r.chance(0.2) ? ['# only a comment\n'] : []),
    ...(r.chance(0.3)
      ? [
          `apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: sec}\n  stringData: {a: b}\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: item}\n  data: {j: '{"a": {"b": "x-y"}, "l": [1, 2]}', plain: a-b-c}\n`,
        ]
      : []),
  ]
  const text = parts.join(r.pick(['---\n', '--- # next\n', '---\n---\n']))
  return r.chance(0.15) ? text.replaceAll('\n', '\r\n') : text
}

function metadata(r: Random): string {
  const labels = r.chance(0.5) ? `  labels:\n    app: web\n    odd: ${oddScalar(r)}\n` : ''
  const annotations = r.chance(0.3) ? `  annotations:\n    note: ${oddScalar(r)}\n    other: x\n` : ''
  return labels + annotations + (r.chance(0.2) ? '  creationTimestamp: null\n' : '')
}

function deployment(r: Random): string {
  return `apiVersion: apps/v1
kind: ${r.pick(['Deployment', 'DaemonSet', 'StatefulSet', 'Rollout'])}
metadata:
  name: web
${metadata(r)}spec:
  replicas: ${r.pick(['1', '"2"', 'null', '0x3'])}
  template:
    metadata:
${r.pick(['      labels:\n        app: web\n', '      name: t\n', '      labels: {app: web}\n      annotations: {a: "1"}\n'])}    spec:
      initContainers: [{name: init, image: "nginx:1@sha256:abc"}]
      containers:
      - name: main
        image: ${r.pick(['nginx', 'nginx:1.2', '"nginx:latest"', 'reg:5000/nginx:1', 'nginx@sha256:abc'])}
        env: [{name: A, value: "1"}, {name: B, valueFrom: {configMapKeyRef: {name: cm, key: a}}}]
        args: ["$(VAR)", '--x=$(VAR)/$(NONE)', '$$(VAR)', "${'long '.repeat(20)}"]
        ports: [{containerPort: 80}, {containerPort: 81, protocol: UDP, name: u}]
        volumeMounts: [{name: v, mountPath: /a}, {name: v, mountPath: /b}]
      - {name: side, image: busybox}
      volumes: [{name: v, configMap: {name: cm}}, {name: s, secret: {secretName: sec}}, {name: p, projected: {sources: [{configMap: {name: cm}}, {secret: {name: sec}}]}}]
`
}

function service(r: Random): string {
  return `apiVersion: v1\nkind: Service\nmetadata: {name: web${r.chance(0.3) ? ', namespace: ' + r.pick(['a', 'default']) : ''}}\nspec:\n  selector: {app: web}\n  ports: [{port: 80, name: http}, {port: ${r.pick(['443', '80', '8_0'])}, protocol: UDP, name: u}]\n`
}

function anchors(): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: anchors, labels: &l {app: web, tier: x}}\ndata: &d\n  <<: *l\n  tier: y\n  more: &m text\n  again: *m\n`
}

function references(): string {
  return `apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: crb}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cr}\nsubjects:\n- {kind: ServiceAccount, name: default, namespace: old}\n- {kind: ServiceAccount, name: sa}\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: cr}\nrules: []\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: sa}\nimagePullSecrets: [{name: sec}]\n---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.com}\nspec: {group: example.com, names: {kind: Thing, plural: things}, scope: Namespaced, conversion: {strategy: Webhook, webhook: {clientConfig: {service: {name: web, namespace: x}}}}}\n---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\nspec: {scaleTargetRef: {kind: Deployment, name: web, apiVersion: apps/v1}}\n`
}

type Kustomization = Record<string, unknown>
type Feature = (r: Random, k: Kustomization, files: Files, dir: string) => void

function kustomization(r: Random, files: Files, dir: string, resources: readonly string[]): Kustomization {
  const k: Kustomization = { resources }
  for (const [share, add] of FEATURES) if (r.chance(share)) add(r, k, files, dir)
  return k
}

const push = (k: Kustomization, field: string, value: unknown): void => {
  const known = k[field]
  k[field] = [...(Array.isArray(known) ? known : []), value]
}

const FEATURES: readonly (readonly [number, Feature])[] = [
  [0.3, (r, k) => (k['namePrefix'] = r.pick(['p-', '1', 'x.']))],
  [0.15, (r, k) => (k['nameSuffix'] = r.pick(['-s', '2']))],
  [0.3, (r, k) => (k['namespace'] = r.pick(['ns', 'default', '010']))],
  [0.2, (r, k) => (k['commonLabels'] = { odd: r.pick(['x', '010', 'yes', '']), app: 'w' })],
  [
    0.3,
    (r, k) =>
      push(k, 'labels', {
        pairs: { n: r.pick(['1', 'true', 'x y']) },
        includeTemplates: r.chance(0.5),
        includeSelectors: r.chance(0.3),
        ...(r.chance(0.3) ? { fields: [{ path: 'spec/deep/labels', kind: 'Thing', create: true }] } : {}),
      }),
  ],
  [0.2, (r, k) => (k['commonAnnotations'] = { note: r.pick(['1', 'a\nb', '  x', 'é']), n: '' })],
  [
    0.3,
    (r, k) =>
      push(k, 'images', {
        name: r.pick(['nginx', 'busy.ox', 'reg:5000/nginx', '(nginx|busybox)']),
        ...r.pick([
          { newTag: '2' },
          { newName: 'x/y' },
          { digest: 'sha256:d' },
          { newTag: 't', digest: 'sha256:e' },
          { tagSuffix: '-s' },
        ]),
      }),
  ],
  [0.15, (r, k) => push(k, 'replicas', { name: 'web', count: Math.floor(r.next() * 5) })],
  [0.4, (r, k) => push(k, 'patches', oddPatch(r))],
  [0.3, (r, k) => push(k, 'patches', jsonPatch(r))],
  [0.25, (r, k) => push(k, 'replacements', oddReplacement(r))],
  [0.35, (r, k, files, dir) => push(k, 'transformers', plugin(r, files, dir))],
  [0.15, (r, k, files, dir) => push(k, 'generators', generator(r, files, dir))],
  [0.2, (r, k, files, dir) => addGenerators(r, k, files, dir)],
  [0.15, (_, k, files, dir) => addConfiguration(k, files, dir)],
  [
    0.12,
    (_, k) =>
      (k['vars'] = [
        {
          name: 'VAR',
          objref: { apiVersion: 'v1', kind: 'Service', name: 'web' },
          fieldref: { fieldPath: 'metadata.name' },
        },
      ]),
  ],
  [
    0.1,
    (r, k) =>
      (k['buildMetadata'] = r.pick([
        ['originAnnotations'],
        ['transformerAnnotations', 'managedByLabel'],
        ['originAnnotations', 'transformerAnnotations'],
      ])),
  ],
  [0.15, addComponent],
]

function oddPatch(r: Random): unknown {
  const kind = r.pick(['Thing', 'ConfigMap', 'Service'])
  const name = kind === 'Thing' ? 'thing' : kind === 'ConfigMap' ? 'cm' : 'web'
  const apiVersion = kind === 'Thing' ? 'example.com/v1' : 'v1'
  const field = kind === 'ConfigMap' ? 'data' : 'spec'
  const body = r.pick([
    `${field}:\n${oddFields(r, '  ', 3)}`,
    `${field}:\n  a: null\n  deep: {$patch: ${r.pick(['delete', 'replace'])}, z: 1}\n`,
    `${field}: null\n`,
    `$patch: ${r.pick(['delete', 'merge'])}\n`,
    `metadata2: {}\n${field}:\n  list: [{name: x, q: 1}, {$patch: delete, name: y}]\n`,
  ])
  const patch = `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: ${name}\n${r.pick(['', '  annotations: {p: "1"}\n', '  annotations: null\n', '  labels: {odd: null, fresh: 010}\n'])}${body}`
  return {
    patch,
    ...(r.chance(0.5)
      ? {
          target: r.pick([
            { kind },
            { name },
            { kind, name: `${name}|other` },
            { labelSelector: 'app=web', kind },
            { annotationSelector: 'other', kind },
          ]),
        }
      : {}),
    ...(r.chance(0.1) ? { options: { allowNameChange: true } } : {}),
  }
}

function jsonPatch(r: Random): unknown {
  const operations = [
    `- {op: add, path: /metadata/annotations/k~1l, value: ${r.pick(['x', '"1"', 'true'])}}`,
    '- {op: remove, path: /metadata/annotations}',
    `- op: add\n  path: /spec\n  value:\n    x: ${r.pick(['1.0', '1e3', 'abc', '2001-01-01', '010', 'yes'])}`,
    '- {op: replace, path: /metadata/name, value: fresh}',
    '- {op: test, path: /kind, value: Service}',
    '- {op: copy, from: /metadata/name, path: /data2}',
    '- {op: move, from: /metadata, path: /metadata}',
    '- {op: add, path: /metadata/labels, value: {a: "b"}}',
    '- {op: add, path: "", value: {a: b}}',
    '- {op: replace, path: /spec/ports/0/port, value: 81}',
    '- {op: add, path: /spec/ports/-, value: {port: 9}}',
    '- {op: remove, path: /spec/ports/5}',
  ]
  return {
    target: r.pick([{ kind: 'Service' }, { kind: 'ConfigMap' }, { kind: 'Thing' }, { name: 'web' }]),
    patch: r.pick(operations) + (r.chance(0.3) ? `\n${r.pick(operations)}` : ''),
  }
}

function oddReplacement(r: Random): unknown {
  const source = r.pick([
    { kind: 'ConfigMap', name: 'cm', fieldPath: 'data.a' },
    { kind: 'Thing', fieldPath: 'spec.deep' },
    { kind: 'Thing', fieldPath: 'spec.list.0.name' },
    { kind: 'Service', name: 'web' },
    { kind: 'Thing', fieldPath: 'spec.list.[name=y].name' },
    { kind: 'Service', fieldPath: 'spec.ports' },
  ])
  const target = {
    select: r.pick([{ kind: 'Thing' }, { name: 'web' }, { kind: 'ConfigMap|Thing' }, { kind: 'Service', name: 'w.*' }]),
    ...(r.chance(0.2) ? { reject: [{ kind: 'Service' }] } : {}),
    fieldPaths: [
      r.pick([
        'metadata.labels.new',
        'spec.deep.a',
        'spec.list.*.name',
        'spec.list.[name=x].q',
        'spec.list.0',
        'spec.fresh.-',
        'metadata.annotations.a\\.b/c',
        'spec.template.spec.containers.[name=main].image',
        'spec.ports.*.name',
        'data.B',
      ]),
    ],
    options: r.pick([
      { create: true },
      {},
      { delimiter: ':', index: 0 },
      { delimiter: '-', index: -1, create: true },
      { delimiter: '.', index: 7 },
    ]),
  }
  if (r.chance(0.2)) return { sourceValue: r.pick(['1', 'x', 'true']), targets: [target] }
  return {
    source: { ...source, ...(r.chance(0.2) ? { options: { delimiter: 'e', index: r.pick([0, 1]) } } : {}) },
    targets: [target],
  }
}

function plugin(r: Random, files: Files, dir: string): string {
  const config = r.pick<Record<string, unknown>>([
    {
      kind: 'PrefixTransformer',
      prefix: 'q-',
      fieldSpecs: [{ path: 'metadata/name' }, { path: 'spec/deep/name', create: true, kind: 'Thing' }],
    },
    { kind: 'SuffixTransformer', suffix: '-z', fieldSpecs: [{ path: 'metadata/name', kind: 'Service' }] },
    {
      kind: 'NamespaceTransformer',
      metadata: { name: 'n', namespace: 'plug' },
      unsetOnly: r.chance(0.5),
      setRoleBindingSubjects: r.pick(['allServiceAccounts', 'none', 'defaultOnly']),
      fieldSpecs: [
        { path: 'metadata/name', kind: 'Namespace', create: true },
        { path: 'spec/deep/namespace', kind: 'Thing', create: true },
      ],
    },
    {
      kind: 'LabelTransformer',
      labels: { plug: r.pick(['1', 'x']) },
      fieldSpecs: [
        { path: 'metadata/labels', create: true },
        { path: 'spec/list/labels', create: true, kind: 'Thing' },
      ],
    },
    {
      kind: 'AnnotationsTransformer',
      annotations: { plug: 'true' },
      fieldSpecs: [{ path: 'metadata/annotations', create: r.chance(0.5) }],
    },
    {
      kind: 'ImageTagTransformer',
      imageTag: { name: 'nginx', newTag: 'plug' },
      fieldSpecs: [{ path: 'spec/deep/image' }, { path: 'spec/template/spec/containers[]/image' }],
    },
    {
      kind: 'ReplicaCountTransformer',
      replica: { name: 'web', count: 9 },
      fieldSpecs: [
        { path: 'spec/replicas', create: true, kind: 'Deployment' },
        { path: 'spec/count', create: true, kind: 'Service' },
      ],
    },
    {
      kind: 'PatchTransformer',
      target: { kind: 'Service' },
      patch: '[{"op": "add", "path": "/spec/plug", "value": "1"}]',
    },
    {
      kind: 'PatchJson6902Transformer',
      target: { kind: 'Service', name: 'web', version: 'v1' },
      jsonOp: '[{"op": "add", "path": "/spec/plug", "value": 1}]',
    },
    {
      kind: 'PatchStrategicMergeTransformer',
      patches: 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {plug: 2}\n',
    },
    { kind: 'ReplacementTransformer', replacements: [oddReplacement(r)] },
    {
      kind: 'ValueAddTransformer',
      value: 'v',
      targets: [
        { fieldPath: 'metadata/namespace' },
        { fieldPath: 'spec/deep/path', selector: { kind: 'Thing' }, filePathPosition: r.pick([0, 1, 2]) },
      ],
    },
    { kind: 'HashTransformer' },
    { kind: 'Nonesuch' },
  ])
  return placeConfig(r, files, dir, { apiVersion: 'builtin', metadata: { name: 'plug' }, ...config })
}

function generator(r: Random, files: Files, dir: string): string {
  const config = r.pick<Record<string, unknown>>([
    { kind: 'ConfigMapGenerator', literals: ['a=b'], options: { labels: { g: '1' } } },
    { kind: 'SecretGenerator', literals: ['p=q'], type: 'x/y', behavior: r.pick(['create', 'merge']) },
    {
      kind: 'IAMPolicyGenerator',
      cloud: 'gke',
      kubernetesService: { namespace: 'k', name: 'ksa' },
      serviceAccount: { name: 'gsa', projectId: 'p' },
    },
  ])
  return placeConfig(r, files, dir, {
    apiVersion: 'builtin',
    metadata: { name: 'made', namespace: r.pick([undefined, 'gen']) },
    ...config,
  })
}

/** In the kustomization file itself, or in a file of its own. */
function placeConfig(r: Random, files: Files, dir: string, config: unknown): string {
  if (r.chance(0.5)) return JSON.stringify(config)
  const name = `plug${files.size}.yaml`
  files.set(`${dir}/${name}`, JSON.stringify(config))
  return name
}

function addGenerators(r: Random, k: Kustomization, files: Files, dir: string): void {
  files.set(`${dir}/app.env`, `\ufeffA=1\n# note\n  B = two words \nC\nQ="q"\n`)
  files.set(`${dir}/file.txt`, r.pick(['text\n', 'tab\there  \nx', 'win\r\nline\r\n', '\u0001', 'x'.repeat(100)]))
  push(k, r.pick(['configMapGenerator', 'secretGenerator']), {
    name: r.pick(['gen', 'cm', 'sec']),
    behavior: r.pick(['create', 'merge', 'replace', undefined]),
    envs: ['app.env'],
    files: ['file.txt', 'k=file.txt'],
    literals: [`x=${r.pick(["'q'", '"', 'a=b', ''])}`],
    options: r.pick([undefined, { disableNameSuffixHash: true }, { immutable: true, annotations: { i: '1' } }]),
  })
}

function addConfiguration(k: Kustomization, files: Files, dir: string): void {
  files.set(
    `${dir}/conf.yaml`,
    `nameReference:\n- kind: ConfigMap\n  version: v1\n  fieldSpecs: [{kind: Thing, path: spec/deep/a}]\nnamePrefix:\n- {path: spec/deep/B, kind: Thing}\nimages:\n- {path: spec/image, kind: Thing}\ncommonLabels:\n- {path: spec/selector2, kind: Thing, create: true}\nvarReference:\n- {path: spec/deep, kind: Thing}\n`,
  )
  push(k, 'configurations', 'conf.yaml')
}

function addComponent(r: Random, k: Kustomization, files: Files, dir: string): void {
  const component = {
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    ...kustomization(r, files, `/comp${dir}`, []),
  }
  files.set(`/comp${dir}/kustomization.yaml`, render(component))
  push(k, 'components', `../comp${dir}`)
}
