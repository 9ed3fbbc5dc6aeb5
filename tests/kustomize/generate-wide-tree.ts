import { randomOf, type Files, type Random } from './generate-tree.ts'
import { addConfigurations, addGenerators, addSchema, type Kustomization } from './wide-configurations.ts'
import { KINDS, wideObject, type Wide } from './wide-objects.ts'
import { wideReplacement, widePatch, wideTarget } from './wide-patches.ts'

/**
 * The files of one tree of many kinds that name each other, several levels deep, with components, generators that merge across levels
 * and every option of every field; the folder to build is `/top`.
 */
export function generateWideTree(seed: number): Files {
  const r = randomOf(seed ^ 0x2545f491)
  const files: Files = new Map()
  const context: Wide = { r, files, kinds: someKinds(r), generated: new Set(), isCareful: r.chance(0.8) }
  writeResources(context, '/base')
  writeKustomization(context, '/base', [])
  let bases = ['../base']
  if (r.chance(0.3)) {
    for (const side of ['/left', '/right'])
      writeKustomization(context, side, bases, r.chance(0.9) ? `${side.slice(1)}-` : '')
    bases = ['../left', '../right']
  } else if (r.chance(0.3)) {
    writeKustomization(context, '/mid', bases)
    bases = ['../mid']
  }
  writeKustomization(context, '/top', bases)
  return files
}

function someKinds(r: Random): readonly string[] {
  return KINDS.filter(() => r.chance(0.35))
}

function writeResources({ r, files, kinds }: Wide, dir: string): void {
  const objects = kinds.map((kind) => wideObject(r, kind))
  if (r.chance(0.2)) objects.push('# nothing but a comment\n')
  if (r.chance(0.1)) objects.push('')
  const text = objects.join(r.pick(['---\n', '---\n', '--- # next\n']))
  files.set(`${dir}/all.yaml`, r.chance(0.1) ? `---\n${text}` : text)
}

function writeKustomization(context: Wide, dir: string, bases: readonly string[], prefix = ''): void {
  const { r, files } = context
  const k: Kustomization = {}
  const resources = bases.length > 0 ? bases : ['all.yaml']
  if (bases.length > 0 && r.chance(0.1)) k['bases'] = resources
  else k['resources'] = resources
  if (r.chance(0.1)) Object.assign(k, { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' })
  if (prefix !== '') k['namePrefix'] = prefix
  addFeatures(context, k, dir)
  if (r.chance(0.25)) addComponent(context, k)
  const name = r.pick(['kustomization.yaml', 'kustomization.yaml', 'kustomization.yml', 'Kustomization'])
  files.set(`${dir}/${name}`, JSON.stringify(k, undefined, 1))
}

function addComponent(context: Wide, k: Kustomization): void {
  const { r, files } = context
  const name = `/comp${files.size}`
  const component: Kustomization = { apiVersion: 'kustomize.config.k8s.io/v1alpha1', kind: 'Component' }
  addFeatures(context, component, name, 0.5)
  if (r.chance(0.3)) {
    files.set(`${name}/own.yaml`, wideObject(r, 'Pod').replace('name: web', 'name: own'))
    component['resources'] = ['own.yaml']
  }
  files.set(`${name}/kustomization.yaml`, JSON.stringify(component))
  k['components'] = [`..${name}`]
}

type Feature = (context: Wide, k: Kustomization, dir: string) => void

function addFeatures(context: Wide, k: Kustomization, dir: string, share = 1): void {
  for (const [chance, add] of FEATURES) if (context.r.chance(chance * share)) add(context, k, dir)
}

const push = (k: Kustomization, field: string, value: unknown): void => {
  const known = k[field]
  k[field] = [...(Array.isArray(known) ? known : []), value]
}

const FEATURES: readonly (readonly [number, Feature])[] = [
  [0.35, ({ r }, k) => (k['namePrefix'] ??= r.pick(['p-', 'p-', '1-', 'x.y-', 'UP_']))],
  [0.2, ({ r }, k) => (k['nameSuffix'] = r.pick(['-s', '-v2', '.z']))],
  [0.3, ({ r }, k) => (k['namespace'] = r.pick(['one', 'two', 'default', 'kube-system']))],
  [0.12, ({ r }, k) => (k['commonLabels'] = { team: r.pick(['core', '7', 'no']), 'a.b/c': 'd' })],
  [0.25, ({ r }, k) => push(k, 'labels', labels(r))],
  [0.2, ({ r }, k) => (k['commonAnnotations'] = { 'note.io/a': r.pick(['x', 'true', '1e3', 'a #b', '- a']) })],
  [0.35, ({ r }, k) => (k[r.chance(0.1) ? 'imageTags' : 'images'] = [image(r), ...(r.chance(0.4) ? [image(r)] : [])])],
  [0.1, addReplicas],
  [0.5, (context, k, dir) => push(k, 'patches', widePatch(context, dir))],
  [0.2, (context, k, dir) => push(k, 'patches', widePatch(context, dir))],
  [0.08, (context, k) => push(k, 'patchesStrategicMerge', String(widePatch(context, '', 'strategic')['patch']))],
  [0.08, addJsonPatch],
  [0.35, (context, k, dir) => push(k, 'replacements', wideReplacement(context, dir))],
  [0.35, addGenerators],
  [0.2, addConfigurations],
  [0.08, addSchema],
  [0.1, addVars],
  [0.15, addSorting],
  [0.12, ({ r }, k) => (k['buildMetadata'] = NOTES.filter(() => r.chance(0.5)))],
  [0.1, (context, k) => push(k, 'transformers', transformer(context))],
  [0.06, (context, k) => push(k, 'validators', validator(context))],
  [0.05, (_, k) => (k['metadata'] = { name: 'k', namespace: 'x', labels: { a: 'b' }, annotations: { c: 'd' } })],
]

const NOTES = ['managedByLabel', 'originAnnotations', 'transformerAnnotations']

function labels(r: Random): Kustomization {
  return {
    pairs: { tier: r.pick(['back', '08', 'null']), 'x/y': 'z' },
    ...(r.chance(0.3) ? { includeSelectors: true } : {}),
    ...(r.chance(0.4) ? { includeTemplates: true } : {}),
    ...(r.chance(0.3)
      ? {
          fields: [
            {
              path: r.pick(['spec/labels', 'metadata/more', 'spec/a/b']),
              create: r.chance(0.7),
              kind: r.pick(['Thing', 'Pod']),
            },
          ],
        }
      : {}),
  }
}

function addReplicas({ r, kinds, isCareful }: Wide, k: Kustomization): void {
  if (isCareful && !kinds.includes('Deployment') && !kinds.includes('StatefulSet')) return
  k['replicas'] = [{ name: isCareful ? 'web' : r.pick(['web', 'db']), count: r.pick([0, 1, 100000]) }]
}

function addJsonPatch(context: Wide, k: Kustomization): void {
  const { r, kinds } = context
  const kind = r.pick(kinds.length > 0 ? kinds : ['Pod'])
  push(k, 'patchesJson6902', { ...widePatch(context, '', 'json'), target: { version: 'v1', kind, name: 'web' } })
}

function addSorting({ r }: Wide, k: Kustomization): void {
  k['sortOptions'] = r.pick([
    { order: 'fifo' },
    { order: 'legacy' },
    { order: 'legacy', legacySortOptions: { orderFirst: ['Pod', 'Service'], orderLast: ['Namespace', 'Nope'] } },
    { order: 'legacy', legacySortOptions: { orderLast: ['ConfigMap'] } },
  ])
}

function validator({ isCareful, r }: Wide): string {
  const fieldSpecs = [{ path: 'metadata/labels', create: true }]
  const labels = isCareful || r.chance(0.5) ? {} : { app: 'web' }
  return JSON.stringify({
    apiVersion: 'builtin',
    kind: 'LabelTransformer',
    metadata: { name: 'v' },
    labels,
    fieldSpecs,
  })
}

function image(r: Random): Record<string, string> {
  return {
    name: r.pick([
      'nginx',
      'nginx',
      'reg.io:5000/team/app',
      'reg.io/*',
      'busybox$',
      'gcr.io/a',
      'n.inx',
      '',
      'library/nginx',
      'APP',
    ]),
    ...r.pick<Record<string, string>>([
      { newTag: '1.2.3' },
      { newTag: '0' },
      { newName: 'other:5000/x' },
      { newName: 'y', digest: 'sha256:0123456789abcdef' },
      { newTag: 'v1', digest: 'sha256:ff' },
      { tagSuffix: '-fips' },
      { newName: 'z', tagSuffix: '_q', newTag: 't' },
      {},
    ]),
  }
}

function addVars({ r, kinds, isCareful }: Wide, k: Kustomization): void {
  if (isCareful && (!kinds.includes('Service') || k['vars'] !== undefined)) return
  if (isCareful) {
    const reference = { apiVersion: 'v1', kind: 'Service', name: 'web' }
    k['vars'] = [
      {
        name: `FIRST${r.pick(['', '2'])}`,
        objref: reference,
        ...r.pick([{}, { fieldref: { fieldPath: 'spec.ports[0].port' } }]),
      },
    ]
    return
  }
  k['vars'] = ['FIRST', 'SECOND'].slice(0, r.pick([1, 2])).map((name) => ({
    name,
    objref: {
      kind: r.pick(kinds.length > 0 ? kinds : ['Service']),
      name: 'web',
      ...r.pick([{ apiVersion: 'v1' }, { apiVersion: 'apps/v1' }, { group: 'example.com', version: 'v1' }]),
    },
    ...r.pick<Record<string, unknown>>([
      {},
      { fieldref: { fieldPath: 'metadata.namespace' } },
      { fieldref: { fieldPath: 'spec.ports[0].port' } },
      { fieldref: { fieldPath: 'spec.template.spec.containers[0].image' } },
      { fieldref: { fieldpath: 'spec.text' } },
    ]),
  }))
}

function transformer(context: Wide): string {
  const { r, kinds } = context
  const config = r.pick<Record<string, unknown>>([
    { kind: 'PatchTransformer', ...widePatch(context, '') },
    { kind: 'ReplacementTransformer', replacements: [wideReplacement(context, '')] },
    {
      kind: 'NamespaceTransformer',
      metadata: { name: 't', namespace: 'three' },
      unsetOnly: r.chance(0.5),
      fieldSpecs: [
        { path: 'metadata/namespace', create: true },
        { path: 'subjects/namespace', kind: 'RoleBinding' },
      ],
    },
    { kind: 'PrefixSuffixTransformer', prefix: 'ps-', suffix: '-ps', fieldSpecs: [{ path: 'metadata/name' }] },
    { kind: 'ImageTagTransformer', imageTag: image(r), fieldSpecs: [{ path: 'spec/image', kind: 'Thing' }] },
    { kind: 'PatchStrategicMergeTransformer', patches: String(widePatch(context, '', 'strategic')['patch']) },
    {
      kind: 'PatchTransformer',
      target: wideTarget(r, kinds),
      patch: '[{"op": "test", "path": "/kind", "value": "Pod"}]',
    },
  ])
  return JSON.stringify({ apiVersion: 'builtin', metadata: { name: 't' }, ...config })
}
