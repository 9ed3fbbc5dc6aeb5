import { addGenerator, GENERATOR_OPTIONS, push, type Kustomization } from './rich-generators.ts'
import { jsonPatch, mergeDocument, replacement, selector, type Rich } from './rich-fields.ts'

type Feature = (rich: Rich, k: Kustomization, dir: string) => void

/** Gives a kustomization file some of the features. */
export function addFeatures(rich: Rich, k: Kustomization, dir: string): void {
  for (const [share, add] of FEATURES) if (rich.r.chance(share)) add(rich, k, dir)
  if (rich.isOdd) for (const [share, add] of ODD_FEATURES) if (rich.r.chance(share)) add(rich, k, dir)
}

/** Inline, or in a file. */
function place(
  { r, files }: Rich,
  dir: string,
  text: string,
  ends: readonly string[] = ['yaml'],
): { path: string } | { text: string } {
  if (r.chance(0.6)) return { text }
  const name = `file${files.size}.${r.pick(ends)}`
  files.set(`${dir}/${name}`, text)
  return { path: name }
}

const FEATURES: readonly (readonly [number, Feature])[] = [
  [0.25, ({ r }, k) => (k['namePrefix'] = r.pick(['p-', 'a.', '1']))],
  [0.15, ({ r }, k) => (k['nameSuffix'] = r.pick(['-s', '.0', '-1']))],
  [0.25, ({ r }, k) => (k['namespace'] = r.pick(['one', 'two', 'default']))],
  [0.2, ({ r }, k) => (k['commonLabels'] = r.pick<object>([{ team: 'a' }, { team: '1', 'x/y': '' }]))],
  [0.25, (rich, k) => push(k, 'labels', labels(rich))],
  [
    0.2,
    ({ r }, k) => (k['commonAnnotations'] = r.pick<object>([{ note: 'a' }, { note: '1', b: 'true', 'c/d': 'x\ny' }])),
  ],
  [0.35, (rich, k) => push(k, 'images', image(rich))],
  [0.12, (rich, k) => addReplicas(rich, k)],
  [0.55, addMergePatch],
  [0.35, addMergePatch],
  [0.35, addJsonPatch],
  [0.3, addReplacement],
  [0.45, addGenerator],
  [0.3, addGenerator],
  [0.12, ({ r }, k) => (k['generatorOptions'] = r.pick(GENERATOR_OPTIONS))],
  [0.08, addVars],
  [0.15, addConfiguration],
  [
    0.06,
    ({ r }, k) =>
      (k['buildMetadata'] = r.pick([
        ['originAnnotations'],
        ['transformerAnnotations'],
        ['managedByLabel', 'originAnnotations'],
      ])),
  ],
  [0.12, addTransformer],
  [0.08, ({ r }, k) => (k['sortOptions'] = r.pick([{ order: 'fifo' }, { order: 'legacy' }]))],
]

function labels({ r }: Rich): object {
  return {
    pairs: r.pick<object>([{ l: 'x' }, { l: '1', 'm/n': 'true' }, { app: 'other' }]),
    ...r.pick<object>([
      {},
      { includeSelectors: true },
      { includeTemplates: true },
      { includeSelectors: false, includeTemplates: true },
    ]),
    ...(r.chance(0.25)
      ? {
          fields: [
            {
              path: r.pick([
                'spec/map',
                'spec/ref/labels',
                'spec/items/labels',
                'spec/items[]/labels',
                'metadata/annotations',
              ]),
              create: r.chance(0.7),
              ...r.pick([{}, { kind: 'Widget' }, { group: 'example.com' }]),
            },
          ],
        }
      : {}),
  }
}

function image({ r, isOdd }: Rich): object {
  const name = r.pick([
    'nginx',
    'nginx',
    'docker.io/library/nginx',
    'registry.local:5000/a/b/nginx',
    'busybox',
    ...(isOdd ? ['12', 'ngin.', 'nginx:1.0', '*', '.*', 'null'] : []),
  ])
  return {
    name,
    ...r.pick<object>([
      { newTag: '2' },
      { newName: 'n' },
      { newName: 'r:5000/n', newTag: 'v1' },
      { digest: 'sha256:cc' },
      { newTag: 'a', digest: 'sha256:dd' },
      { tagSuffix: '-z' },
      { newTag: '' },
    ]),
  }
}

function addReplicas({ ids }: Rich, k: Kustomization): void {
  const deployment = ids.find(({ kind }) => kind === 'Deployment')
  if (deployment) k['replicas'] = [{ name: deployment.name, count: 3 }]
}

function addMergePatch(rich: Rich, k: Kustomization, dir: string): void {
  const { r, isOdd } = rich
  const isTwo = isOdd && r.chance(0.15)
  const text = mergeDocument(rich) + (isTwo ? `---\n${mergeDocument(rich)}` : '')
  const placed = place(rich, dir, text)
  if (r.chance(0.12)) return push(k, 'patchesStrategicMerge', 'path' in placed ? placed.path : placed.text)
  push(k, 'patches', {
    ...('path' in placed ? placed : { patch: placed.text }),
    ...(r.chance(0.35) ? { target: selector(rich) } : {}),
    ...(r.chance(0.12)
      ? {
          options: r.pick<object>([
            { allowNameChange: true },
            { allowKindChange: true },
            { allowNameChange: true, allowKindChange: true },
            { allowNameChange: false },
          ]),
        }
      : {}),
  })
}

function addJsonPatch(rich: Rich, k: Kustomization, dir: string): void {
  const { r } = rich
  const placed = place(rich, dir, jsonPatch(rich), ['yaml', 'json'])
  const held = 'path' in placed ? placed : { patch: placed.text }
  if (r.chance(0.8)) return push(k, 'patches', { ...held, target: selector(rich) })
  const id = rich.ids[0] ?? { apiVersion: 'v1', kind: 'Pod', name: 'web' }
  const [version = '', group = ''] = id.apiVersion.split('/').reverse()
  push(k, 'patchesJson6902', { ...held, target: { group, version, kind: id.kind, name: id.name } })
}

function addReplacement(rich: Rich, k: Kustomization, dir: string): void {
  const { r } = rich
  if (r.chance(0.7)) return push(k, 'replacements', replacement(rich))
  const name = `rep${rich.files.size}.yaml`
  rich.files.set(
    `${dir}/${name}`,
    JSON.stringify(r.pick<unknown>([replacement(rich), [replacement(rich), replacement(rich)]])),
  )
  push(k, 'replacements', { path: name })
}

function addVars({ r, ids }: Rich, k: Kustomization): void {
  const id = ids.find(({ kind }) => kind === 'Service') ?? ids[0]
  if (!id) return
  const fieldPath = r.pick([
    'metadata.name',
    'metadata.namespace',
    'spec.ports[0].port',
    'spec.size',
    'spec.map',
    'data.a',
    'spec.items[1].v',
    'spec.texts',
  ])
  k['vars'] = [
    {
      name: 'NAME',
      objref: { apiVersion: id.apiVersion, kind: id.kind, name: id.name },
      ...(r.chance(0.7) ? { fieldref: { fieldPath } } : {}),
    },
  ]
}

function addConfiguration({ r, files }: Rich, k: Kustomization, dir: string): void {
  const spec = (path: string, more: object = {}): object => ({ path, kind: 'Widget', ...more })
  const config = r.pick<object>([
    { namePrefix: [spec('spec/ref/name'), { path: 'metadata/name' }] },
    {
      nameReference: [
        { kind: 'ConfigMap', version: 'v1', fieldSpecs: [spec('spec/ref/name'), spec('spec/texts'), spec('spec/ref')] },
      ],
    },
    {
      nameReference: [
        {
          kind: 'Widget',
          group: 'example.com',
          fieldSpecs: [{ path: 'metadata/annotations/widget' }, { path: 'data/a', kind: 'ConfigMap' }],
        },
      ],
    },
    { commonLabels: [spec('spec/shared', { create: true }), spec('spec/items/labels', { create: true })] },
    { commonAnnotations: [spec('spec/template/metadata/annotations', { create: true })] },
    { varReference: [spec('spec'), spec('spec/texts'), { path: 'data', kind: 'ConfigMap' }, spec('spec/map/a.b')] },
    { images: [spec('spec/template/spec/containers[]/image'), spec('spec/image', { create: true })] },
    { replicas: [spec('spec/size', { create: true })] },
    { namespace: [spec('spec/ref/namespace', { create: true }), { path: 'metadata/namespace', create: true }] },
    { nameSuffix: [spec('spec/items/v'), spec('spec/texts[]')] },
    {
      labels: [spec('spec/map', { create: true })],
      templateLabels: [spec('spec/template/metadata/labels', { create: true })],
    },
  ])
  const name = `config${files.size}.yaml`
  files.set(`${dir}/${name}`, JSON.stringify(config))
  push(k, 'configurations', name)
}

function addTransformer(rich: Rich, k: Kustomization, dir: string): void {
  const { r, files } = rich
  const config = (kind: string, more: object): object => ({
    apiVersion: 'builtin',
    kind,
    metadata: { name: 'plugin' },
    ...more,
  })
  const one = r.pick<() => object>([
    () =>
      config('PatchTransformer', { patch: mergeDocument(rich), ...(r.chance(0.5) ? { target: selector(rich) } : {}) }),
    () => config('PatchJson6902Transformer', { jsonOp: jsonPatch(rich), target: rich.ids[0] ?? {} }),
    () => config('ReplacementTransformer', { replacements: [replacement(rich)] }),
    () =>
      config('LabelTransformer', {
        labels: { t: '1' },
        fieldSpecs: [
          { path: 'metadata/labels', create: true },
          { path: 'spec/items/labels', kind: 'Widget', create: true },
        ],
      }),
    () =>
      config('AnnotationsTransformer', {
        annotations: { t: 'x' },
        fieldSpecs: [{ path: 'metadata/annotations', create: r.chance(0.5) }],
      }),
    () =>
      config('PrefixTransformer', {
        prefix: 't-',
        fieldSpecs: [{ path: 'metadata/name' }, { path: 'spec/ref/name', kind: 'Widget' }],
      }),
    () =>
      config('NamespaceTransformer', { metadata: { name: 'plugin', namespace: 'three' }, unsetOnly: r.chance(0.5) }),
    () =>
      config('ImageTagTransformer', {
        imageTag: image(rich),
        fieldSpecs: [{ path: 'spec/template/spec/containers[]/image' }],
      }),
    () => config('ConfigMapGenerator', { literals: ['a=b'] }),
  ])()
  const text = r.pick([JSON.stringify(one), `${JSON.stringify(one)}\n---\n# nothing\n`])
  if (r.chance(0.5)) return push(k, 'transformers', text)
  const name = `plugin${files.size}`
  if (r.chance(0.6)) {
    files.set(`${dir}/${name}.yaml`, text)
    return push(k, 'transformers', `${name}.yaml`)
  }
  files.set(`${dir}/${name}/t.yaml`, text)
  files.set(`${dir}/${name}/kustomization.yaml`, 'resources: [t.yaml]\n')
  push(k, 'transformers', name)
}

const ODD_FEATURES: readonly (readonly [number, Feature])[] = [
  [
    0.05,
    ({ r }, k) => (k['commonLabels'] = r.pick<unknown>([{ '1': 'a' }, { a: 1 }, ['a'], { true: 'x' }, { a: null }])),
  ],
  [
    0.04,
    ({ r }, k) =>
      (k[r.pick(['namePrefix', 'namespace', 'nameSuffix'])] = r.pick<unknown>([
        1,
        true,
        ['a'],
        '',
        null,
        'UPPER',
        'a b',
      ])),
  ],
  [
    0.04,
    ({ r }, k) =>
      (k[r.pick(['NamePrefix', 'CommonLabels', 'unknown', 'inventory', 'patchs', 'configMapGenerators'])] =
        r.pick<unknown>(['x', {}, []])),
  ],
  [
    0.03,
    ({ r }, k) =>
      push(
        k,
        'patches',
        r.pick<unknown>([
          {},
          { patch: '' },
          { path: 'missing.yaml' },
          { patch: 'text' },
          { patch: '[]', target: { kind: 'Service' } },
          { patch: '{', target: {} },
          'text',
          { patch: 'a: b', path: 'x' },
        ]),
      ),
  ],
  [
    0.03,
    ({ r }, k) =>
      push(
        k,
        'images',
        r.pick<unknown>([
          {},
          { newTag: '1' },
          { name: 'nginx', newtag: '3' },
          { name: 'nginx', newTag: 3 },
          'nginx',
          { name: 'nginx', extra: 'x' },
        ]),
      ),
  ],
  [
    0.03,
    ({ r }, k) =>
      (k['replicas'] = r.pick<unknown>([
        [{ name: 'nope', count: 1 }],
        [{ name: 'web' }],
        [{ name: 'web', count: '2' }],
        [{ name: 'web', count: 1.5 }],
        [{ name: 'web', count: -1 }],
        {},
      ])),
  ],
  [0.03, ({ r }, k) => (k['components'] = r.pick<unknown>([['../base'], ['missing'], ['one.yaml'], 'x']))],
  [
    0.03,
    ({ r }, k) =>
      (k['openapi'] = r.pick<unknown>([
        { version: 'v1.20.4' },
        { version: 'v1.21.2' },
        { path: 'missing.json' },
        { path: 'one.yaml' },
        {},
      ])),
  ],
  [0.03, ({ r }, k) => (k['crds'] = r.pick<unknown>([['missing.yaml'], ['one.yaml'], []]))],
  [0.03, ({ r }, k) => (k['buildMetadata'] = r.pick<unknown>([['nonsense'], 'originAnnotations', []]))],
  [
    0.03,
    ({ r }, k) =>
      (k['sortOptions'] = r.pick<unknown>([
        { order: 'nonsense' },
        { order: 'fifo', legacySortOptions: {} },
        {},
        { legacySortOptions: { orderFirst: ['Service'] } },
        { order: 'legacy', legacySortOptions: { orderFirst: ['Service'], orderLast: ['Service'] } },
      ])),
  ],
  [
    0.03,
    ({ r }, k) =>
      (k['generators'] = r.pick<unknown>([
        ['missing.yaml'],
        ['{}'],
        ['apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: x}'],
        ['apiVersion: a/b\nkind: C\nmetadata: {name: x}'],
      ])),
  ],
  [
    0.03,
    ({ r }, k) =>
      (k['validators'] = r.pick<unknown>([
        ['missing.yaml'],
        [
          JSON.stringify({
            apiVersion: 'builtin',
            kind: 'LabelTransformer',
            metadata: { name: 'v' },
            labels: { 'validated-by': 'x' },
            fieldSpecs: [{ path: 'metadata/labels', create: true }],
          }),
        ],
        [
          JSON.stringify({
            apiVersion: 'builtin',
            kind: 'PrefixTransformer',
            metadata: { name: 'v' },
            prefix: '',
            fieldSpecs: [{ path: 'metadata/name' }],
          }),
        ],
      ])),
  ],
  [0.03, ({ r }, k) => (k['kind'] = r.pick<unknown>(['Component', 'kustomization', 'Pod', '']))],
  [0.02, ({ r }, k) => (k['apiVersion'] = r.pick<unknown>(['v1', 'kustomize.config.k8s.io/v1alpha1', '']))],
  [0.03, ({ r }, k) => (k['configurations'] = r.pick<unknown>([['missing.yaml'], ['one.yaml'], []]))],
]
