import type { Files } from './generate-tree.ts'
import type { Wide } from './wide-objects.ts'

/** A kustomization file on its way. */
export type Kustomization = Record<string, unknown>

/** Generators with every option, which may merge into those of a level below. */
export function addGenerators(context: Wide, k: Kustomization, dir: string): void {
  const { r, files } = context
  files.set(`${dir}/app.env`, 'A=1\n\n# note\nB="two"\nC=a=b\n  D=lead\nEMPTY=\nHOME2\n')
  files.set(
    `${dir}/app.properties`,
    r.pick(['k=v\n', 'plain', '', 'multi\n  line \n\n', 'ünï\n', '\u007f\n', 'a\u2003b\n']),
  )
  files.set(`${dir}/sub/other.json`, '{"a": 1}')
  const count = r.pick([1, 1, 2, 3])
  for (let i = 0; i < count; i++) {
    const field = r.pick(['configMapGenerator', 'secretGenerator'])
    const known = k[field]
    k[field] = [...(Array.isArray(known) ? known : []), generator(context, field)]
  }
  if (r.chance(0.25))
    k['generatorOptions'] = r.pick<unknown>([
      { disableNameSuffixHash: true },
      { immutable: true, labels: { made: 'yes' } },
      { annotations: { n: '1', 'b/c': '' }, labels: { l: '2' } },
      {},
    ])
}

/** The name of a new object, or that of one to merge into. */
function identity({ r, kinds, generated, isCareful }: Wide, field: string): Kustomization {
  const behavior = r.pick(['merge', 'replace', 'merge'])
  if (!isCareful)
    return {
      name: r.pick(['cfg', 'sec', 'gen', 'web']),
      ...(r.chance(0.4) ? { behavior: r.pick([behavior, 'create', 'nonsense']) } : {}),
    }
  const known = [...generated].filter((one) => one.startsWith(field))
  if (known.length > 0 && r.chance(0.6)) return { name: r.pick(known).slice(field.length), behavior }
  const isThere = field === 'secretGenerator' ? kinds.includes('List') : kinds.includes('ConfigMap')
  const name = r.pick(isThere ? ['gen', 'web'] : ['gen', 'web', 'cfg', 'sec'])
  if (generated.has(field + name)) return { name: `${name}${generated.size}` }
  generated.add(field + name)
  return { name, ...(r.chance(0.2) ? { behavior: 'create' } : {}) }
}

function generator(context: Wide, field: string): Kustomization {
  const { r, isCareful } = context
  const isSecret = field === 'secretGenerator'
  return {
    ...identity(context, field),
    ...(!isCareful && r.chance(0.2) ? { namespace: r.pick(['one', 'default', 'three']) } : {}),
    ...(r.chance(0.6)
      ? {
          literals: [
            `lit=${r.pick(['1', 'x y', "'q'", '"p', 'a=b=c', '', 'é', '"two\nlines"'])}`,
            ...(r.chance(0.3) ? ['b.c=d'] : []),
          ],
        }
      : {}),
    ...(r.chance(0.3) ? { envs: ['app.env'] } : r.chance(0.05) ? { env: 'app.env' } : {}),
    ...(r.chance(0.3)
      ? { files: [r.pick(['app.properties', 'key=app.properties', 'sub/other.json', 'x.json=sub/other.json'])] }
      : {}),
    ...(isSecret && r.chance(0.3) ? { type: r.pick(['Opaque', 'kubernetes.io/tls', 'a/b']) } : {}),
    ...(r.chance(0.3)
      ? {
          options: r.pick([
            { disableNameSuffixHash: true },
            { immutable: true },
            { labels: { g: 'l', n: '1' } },
            { annotations: { g: 'true' }, disableNameSuffixHash: false },
          ]),
        }
      : {}),
  }
}

/** Where transformers work, by `configurations` and `crds`. */
export function addConfigurations({ r, files }: Wide, k: Kustomization, dir: string): void {
  const spec = (path: string, more: object = {}): object => ({ path, ...more })
  const config = r.pick<Kustomization>([
    { namePrefix: [spec('spec/secretRef', { kind: 'Thing' })] },
    { nameSuffix: [spec('metadata/name', { kind: 'Thing', group: 'example.com', version: 'v1' })] },
    {
      commonLabels: [
        spec('spec/selector/labels', { kind: 'Thing', create: true }),
        spec('spec/list/labels', { kind: 'Thing', create: true }),
      ],
    },
    { commonAnnotations: [spec('spec/annotations', { kind: 'Thing', create: true })] },
    {
      namespace: [
        spec('spec/namespace', { kind: 'Thing', create: true }),
        spec('spec/ref/namespace', { kind: 'OtherThing' }),
      ],
    },
    { images: [spec('spec/image', { kind: 'Thing' }), spec('spec/images[]/image', { create: true })] },
    { replicas: [spec('spec/number', { kind: 'Thing', create: true })] },
    {
      varReference: [
        spec('spec/text', { kind: 'Thing' }),
        spec('data/a', { kind: 'ConfigMap' }),
        spec('spec/names', { kind: 'Thing' }),
      ],
    },
    {
      nameReference: [
        {
          kind: 'Secret',
          version: 'v1',
          fieldSpecs: [spec('spec/secretRef', { kind: 'Thing' }), spec('spec/names', { kind: 'Thing' })],
        },
        { kind: 'Thing', group: 'example.com', fieldSpecs: [spec('spec/ref/name', { kind: 'OtherThing' })] },
        { kind: 'Service', fieldSpecs: [spec('spec/ref', { kind: 'OtherThing' })] },
      ],
    },
    { labels: [spec('spec/labels', { kind: 'Thing', create: true })] },
    { templateLabels: [spec('spec/deep/labels', { kind: 'Thing', create: true })] },
  ])
  files.set(`${dir}/config.yaml`, JSON.stringify(config))
  if (r.chance(0.75)) k['configurations'] = ['config.yaml']
  else addCrds(k, files, dir)
}

function addCrds(k: Kustomization, files: Files, dir: string): void {
  const reference = (kind: string, version: string, more: object = {}): object => ({
    type: 'string',
    'x-kubernetes-object-ref-api-version': version,
    'x-kubernetes-object-ref-kind': kind,
    ...more,
  })
  const properties = {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: 'object' },
    spec: { $ref: 'example.ThingSpec' },
  }
  files.set(
    `${dir}/crd.json`,
    JSON.stringify({
      'example.Thing': { Schema: { properties } },
      'example.ThingSpec': {
        Schema: {
          properties: {
            secretRef: reference('Secret', 'v1', { 'x-kubernetes-object-ref-name-key': 'name' }),
            ref: reference('Service', 'v1'),
            labels: { type: 'object', 'x-kubernetes-label-selector': '' },
            annotations: { type: 'object', 'x-kubernetes-annotation': '' },
            text: { type: 'string', 'x-kubernetes-identity': '' },
          },
        },
      },
    }),
  )
  k['crds'] = ['crd.json']
}

/** A schema of one's own, which replaces the built-in one. */
export function addSchema({ r, files }: Wide, k: Kustomization, dir: string): void {
  if (r.chance(0.3)) {
    k['openapi'] = { version: 'v1.21.2' }
    return
  }
  const list = (key: string): object => ({
    type: 'array',
    items: { $ref: '#/definitions/Item' },
    'x-kubernetes-patch-strategy': 'merge',
    'x-kubernetes-patch-merge-key': key,
  })
  files.set(
    `${dir}/schema.json`,
    JSON.stringify({
      definitions: {
        Item: { type: 'object', properties: { name: { type: 'string' }, value: {} } },
        Spec: {
          type: 'object',
          properties: {
            list: list('name'),
            names: { type: 'array', items: { type: 'string' }, 'x-kubernetes-patch-strategy': 'merge' },
          },
        },
        Thing: {
          type: 'object',
          properties: {
            apiVersion: { type: 'string' },
            kind: { type: 'string' },
            metadata: { type: 'object' },
            spec: { $ref: '#/definitions/Spec' },
          },
          'x-kubernetes-group-version-kind': [{ group: 'example.com', version: 'v1', kind: 'Thing' }],
        },
      },
    }),
  )
  k['openapi'] = { path: 'schema.json' }
}
