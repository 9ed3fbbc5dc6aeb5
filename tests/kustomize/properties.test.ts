// What holds of every kustomization, on seeded trees: the order of what has nothing to do with each other does not matter, a patch twice
// is a patch once, and a build of a build is that build.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../../src/lib/error/sluice-error.ts'
import { build, renderBuild } from '../../src/lib/kustomize/build.ts'
import { treeOfFiles } from '../../src/lib/kustomize/files/tree.ts'
import { generateRichTree } from './generate-rich-tree.ts'
import { generateTree, randomOf, type Random, type Tree } from './generate-tree.ts'
import { generateWideTree } from './generate-wide-tree.ts'

type Json = Readonly<Record<string, unknown>>
type Named = {
  readonly kind: string
  readonly name: string
  readonly object: Json
}

const FIRST_SEED = 7000

/** Trees of a generator that kustomize builds; the others are errors by design. */
function* builtTrees(
  generate: (seed: number) => Tree,
  seeds: number,
): Generator<{ seed: number; files: Tree; text: string }> {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + seeds; seed++) {
    const files = generate(seed)
    const text = rendered(files, '/top')
    if (text !== undefined && text !== '') yield { seed, files, text }
  }
}

function rendered(files: Tree, dir: string, reorder: 'legacy' | 'none' = 'legacy'): string | undefined {
  try {
    return renderBuild(build(treeOfFiles(files), dir, { reorder }))
  } catch (error) {
    if (error instanceof SluiceError) return undefined
    throw error
  }
}

/** The tree with folders on top, each with a kustomization only. */
function withLayers(files: Tree, layers: Readonly<Record<string, Json>>): Tree {
  const kustomizations = Object.entries(layers).map(
    ([dir, k]) => [`${dir}/kustomization.yaml`, JSON.stringify(k)] as const,
  )
  return new Map([...files, ...kustomizations])
}

/** Builds a tree with layers, and must. */
function layered(
  files: Tree,
  dir: string,
  layers: Readonly<Record<string, Json>>,
  reorder: 'legacy' | 'none' = 'none',
): string {
  return renderBuild(build(treeOfFiles(withLayers(files, layers)), dir, { reorder }))
}

/** The objects of a build whose names no generator made: those get their hash at the very end, and are not found under it. */
function workloads(files: Tree): readonly Named[] {
  return build(treeOfFiles(files), '/top').objects.flatMap((object) => {
    const { kind, metadata } = object as { kind: string; metadata: { name: string } }
    if (!['Deployment', 'StatefulSet', 'Service', 'CronJob'].includes(kind)) return []
    return [{ kind, name: metadata.name, object }]
  })
}

function shuffled<T>(r: Random, list: readonly T[]): T[] {
  return list
    .map((item) => [r.next(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item)
}

const targetOf = ({ kind, name }: Named): Json => ({ kind, name: `^${name.replaceAll('.', '\\.')}$` })

/** Entries of the lists of a kustomization that have nothing to do with each other. */
function unrelatedEntries(files: Tree): Readonly<Record<string, readonly Json[]>> {
  const named = [...new Map(workloads(files).map((found) => [`${found.kind} ${found.name}`, found])).values()]
  const scaled = [...new Set(named.filter(({ kind }) => /Deploy|Stateful/.test(kind)).map(({ name }) => name))]
  return {
    patches: named.map((found, index) => ({
      target: targetOf(found),
      patch: JSON.stringify([{ op: 'add', path: '/metadata/annotations', value: { patched: String(index) } }]),
    })),
    images: ['nginx', 'busybox', 'ghcr.io/x/app', 'host:5000/nginx', 'other/img', 'n'].map((name, index) => ({
      name,
      newTag: `t${index}`,
    })),
    replicas: scaled.map((name, index) => ({ name, count: 10 + index })),
    labels: ['a', 'b', 'c', 'd'].map((key, index) => ({
      pairs: { [`label-${key}`]: String(index) },
      includeSelectors: index === 1,
      includeTemplates: index === 2,
    })),
  }
}

test('the order of unrelated entries in the lists of a kustomization does not matter', () => {
  let changed = 0
  for (const { seed, files } of builtTrees(generateTree, 40)) {
    const r = randomOf(seed)
    const entries = unrelatedEntries(files)
    const over = (mix: <T>(list: readonly T[]) => readonly T[]): string =>
      layered(files, '/over', {
        '/over': {
          resources: ['../top'],
          namePrefix: 'over-',
          ...Object.fromEntries(mix(Object.entries(entries)).map(([field, list]) => [field, mix(list)])),
        },
      })
    const want = over((list) => list)
    for (let round = 0; round < 2; round++)
      assert.equal(
        over((list) => shuffled(r, list)),
        want,
        `seed ${seed}`,
      )
    // sortOptions count only in the folder that is built
    if (!hasSortOptions(files))
      assert.deepEqual(kindsOf(want), kindsOf(rendered(files, '/top', 'none') ?? ''), `seed ${seed}: order of objects`)
    if (want.includes('label-a')) changed++
  }
  assert.ok(changed > 15, `${changed} trees`)
})

const hasSortOptions = (files: Tree): boolean =>
  [...files.values()].some((text) => String(text).includes('sortOptions'))

const kindsOf = (text: string): readonly string[] => text.match(/^kind: .*$/gm) ?? []

test('the order of unrelated transformers does not matter', () => {
  let built = 0
  for (const { seed, files } of builtTrees(generateTree, 40)) {
    const r = randomOf(seed)
    const over = (list: readonly Json[]): string | undefined =>
      rendered(
        withLayers(files, {
          '/over': { resources: ['../top'], transformers: list.map((item) => JSON.stringify(item)) },
        }),
        '/over',
      )
    const want = over(TRANSFORMERS)
    for (let round = 0; round < 3; round++) assert.equal(over(shuffled(r, TRANSFORMERS)), want, `seed ${seed}`)
    // where two generators of a tree differ in their prefixes alone, one more prefix can make a reference ambiguous
    if (want === undefined) continue
    assert.match(want, /three: "3"[^]*name: pre-/)
    built++
  }
  assert.ok(built > 15, `${built} trees`)
})

const transformer = (kind: string, name: string, fields: Json): Json => ({
  apiVersion: 'builtin',
  kind,
  metadata: { name },
  ...fields,
})

const TRANSFORMERS: readonly Json[] = [
  transformer('PrefixTransformer', 'a', { prefix: 'pre-', fieldSpecs: [{ path: 'metadata/name' }] }),
  transformer('SuffixTransformer', 'b', { suffix: '-suf', fieldSpecs: [{ path: 'metadata/name' }] }),
  transformer('LabelTransformer', 'c', {
    labels: { one: '1' },
    fieldSpecs: [{ path: 'metadata/labels', create: true }],
  }),
  transformer('LabelTransformer', 'd', {
    labels: { two: '2' },
    fieldSpecs: [{ path: 'metadata/labels', create: true }],
  }),
  transformer('AnnotationsTransformer', 'e', {
    annotations: { three: '3' },
    fieldSpecs: [{ path: 'metadata/annotations', create: true }],
  }),
  transformer('AnnotationsTransformer', 'f', {
    annotations: { four: '4' },
    fieldSpecs: [{ path: 'metadata/annotations', create: true }],
  }),
  transformer('ImageTagTransformer', 'g', { imageTag: { name: 'nginx', newTag: '9' } }),
  transformer('ImageTagTransformer', 'h', { imageTag: { name: 'busybox', newName: 'box', newTag: '8' } }),
]

/** Patches that say how a thing is to be, not what is to be done to it: no removal of what must be there, no item behind the last. */
const PATCHES: readonly { readonly of: RegExp; readonly patch: Json | readonly Json[] }[] = [
  { of: /./, patch: { metadata: { labels: { patched: 'yes', gone: null }, annotations: { n: 'a: b' } } } },
  { of: /./, patch: [{ op: 'add', path: '/metadata/annotations', value: { n: '1' } }] },
  {
    of: /./,
    patch: [
      { op: 'replace', path: '/spec', value: { fresh: [1, { b: 1.5 }], text: 'yes' } },
      { op: 'add', path: '/spec/more', value: { a: '' } },
    ],
  },
  { of: /Deploy|Stateful/, patch: { spec: { replicas: null, template: { spec: { nodeSelector: { a: 'b' } } } } } },
  {
    of: /Deploy|Stateful/,
    patch: {
      spec: {
        template: {
          spec: {
            containers: [
              {
                name: 'main',
                image: 'nginx:9',
                env: [
                  { name: 'B', value: '2' },
                  { name: 'A', $patch: 'delete' },
                ],
                ports: [
                  { containerPort: 80, protocol: 'UDP' },
                  { containerPort: 90, name: 'm' },
                ],
              },
              { name: 'fresh', image: 'busybox', args: ['a', 'b'] },
              { name: 'side', $patch: 'delete' },
            ],
            volumes: [
              { name: 'v', emptyDir: {} },
              { name: 'w', configMap: { name: 'cfg' } },
            ],
            tolerations: [{ key: 'x' }],
          },
        },
      },
    },
  },
  {
    of: /Deploy|Stateful/,
    patch: {
      spec: { template: { spec: { containers: [{ name: 'main', env: [{ $patch: 'replace' }, { name: 'Z' }] }] } } },
    },
  },
  {
    of: /Service/,
    patch: {
      spec: {
        ports: [
          { port: 443, protocol: 'TCP', name: 'tls' },
          { port: 80, targetPort: 81 },
        ],
      },
    },
  },
  { of: /Service/, patch: { spec: { $patch: 'replace', type: 'NodePort', selector: { x: 'y' } } } },
]

test('a patch applied once more in a layer above changes nothing', () => {
  let applied = 0
  for (const { seed, files, text } of builtTrees(generateTree, 14))
    for (const found of workloads(files))
      for (const { of, patch } of PATCHES) {
        if (!of.test(found.kind)) continue
        const patches = [
          { target: targetOf(found), patch: JSON.stringify(isList(patch) ? patch : completed(found, patch)) },
        ]
        const layers = { '/once': { resources: ['../top'], patches }, '/twice': { resources: ['../once'], patches } }
        const once = layered(files, '/once', layers, 'legacy')
        assert.equal(layered(files, '/twice', layers, 'legacy'), once, `seed ${seed}: ${JSON.stringify(patches)}`)
        if (once !== text) applied++
      }
  assert.ok(applied > 100, `${applied} patches`)
})

const isList = (patch: Json | readonly Json[]): patch is readonly Json[] => Array.isArray(patch)

/** A strategic-merge patch must say whose it is. */
function completed({ object, name }: Named, patch: Json): Json {
  const { apiVersion, kind } = object
  return { apiVersion, kind, ...patch, metadata: { name, ...(patch['metadata'] as Json | undefined) } }
}

/** Annotations that kustomize makes anew, or leaves out, in every build. */
const ON_DEMAND = /config\.kubernetes\.io\/(?:origin|transformations)/

for (const [name, seeds, generate] of [
  ['trees', 80, generateTree],
  ['trees of many kinds', 80, generateWideTree],
  ['rich trees', 300, generateRichTree],
] as const)
  test(`a build of what was built is the same, of ${name}`, () => {
    let count = 0
    for (const { seed, files: source, text } of builtTrees(generate, seeds)) {
      if (ON_DEMAND.test(text)) continue
      const wasSorted = hasSortOptions(source)
      const files = new Map([
        ['/top/kustomization.yaml', 'resources: [built.yaml]\n'],
        ['/top/built.yaml', text],
      ])
      assert.equal(rendered(files, '/top', 'none'), text, `seed ${seed}`)
      // sortOptions of the tree may have another order than the command line
      if (!wasSorted) assert.equal(rendered(files, '/top'), text, `seed ${seed}, sorted again`)
      count++
    }
    assert.ok(count > 10, `${count} trees`)
  })
