import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { treeOfFiles } from '../../lib/kustomize/files/tree.ts'
import { buildKustomization, type BuiltKustomization, type KustomizationBuild } from './build-kustomization.ts'

const configMap = (name: string, data = 'a: b'): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {${data}}\n`

function built(files: Record<string, string>, input: Partial<KustomizationBuild> = {}): BuiltKustomization {
  return buildKustomization({ tree: treeOfFiles(new Map(Object.entries(files))), path: './app', spec: {}, ...input })
}

const names = ({ objects }: BuiltKustomization): string[] => objects.map(({ metadata }) => metadata.name)

test('a folder without a kustomization file is built whole, folders with one as bases', () => {
  const files = {
    '/app/b.yaml': configMap('b'),
    '/app/sub/a.yml': configMap('a'),
    '/app/own/kustomization.yaml': 'namePrefix: own-\nresources: [x.yaml]\n',
    '/app/own/x.yaml': configMap('x'),
    '/app/notes.txt': 'no yaml',
  }
  assert.deepEqual(names(built(files)), ['b', 'own-x', 'a'])
})

test('an empty folder builds to nothing', () => {
  assert.deepEqual(built({ '/app/readme.md': 'x' }).objects, [])
})

test('the spec is laid over the kustomization file', () => {
  const files = { '/app/kustomization.yaml': 'resources: [a.yaml]\nnamespace: old\n', '/app/a.yaml': configMap('a') }
  const patch = 'kind: ConfigMap\nmetadata: {name: any}\ndata: {c: d}\n'
  const { objects } = built(files, {
    spec: {
      targetNamespace: 'new',
      namePrefix: 'p-',
      patches: [{ patch: `apiVersion: v1\n${patch}`, target: { kind: 'ConfigMap' } }],
      commonMetadata: { labels: { team: 'x' } },
    },
  })
  assert.deepEqual(objects, [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'p-a', namespace: 'new', labels: { team: 'x' } },
      data: { a: 'b', c: 'd' },
    },
  ])
})

test('what the spec asks for as build metadata stands in the place of what the file asks for', () => {
  const files = {
    '/app/kustomization.yaml': 'resources: [a.yaml]\nbuildMetadata: [managedByLabel]\n',
    '/app/a.yaml': configMap('a'),
  }
  const metadataOf = (buildMetadata: string[]) => built(files, { spec: { buildMetadata } }).objects[0]?.metadata
  assert.deepEqual(metadataOf(['originAnnotations']), {
    name: 'a',
    annotations: { 'config.kubernetes.io/origin': 'path: a.yaml\n' },
  })
  assert.deepEqual(Object.keys(metadataOf([])?.labels ?? {}), ['app.kubernetes.io/managed-by'])
})

test('files above the kustomization are read, files outside the source are not', () => {
  const files = {
    '/src/app/kustomization.yaml': 'resources: [../a.yaml]\n',
    '/src/a.yaml': configMap('a'),
    '/secret.yaml': configMap('s'),
  }
  assert.deepEqual(names(built(files, { root: '/src' })), ['a'])
  const escaping = { ...files, '/src/app/kustomization.yaml': 'resources: [../../secret.yaml]\n' }
  assert.throws(
    () => built(escaping, { root: '/src' }),
    (error: unknown) => error instanceof SluiceError && error.code === 'KUSTOMIZE_PATH',
  )
})

test('a misspelt field is an error with its place, and dropped where Flux drops it', () => {
  const files = { '/app/kustomization.yaml': 'resouces: [a.yaml]\n', '/app/a.yaml': configMap('a') }
  assert.throws(
    () => built(files),
    (error: unknown) =>
      error instanceof SluiceError &&
      error.where === '/app/kustomization.yaml:1:1' &&
      error.hint === 'did you mean "resources"?',
  )
  assert.deepEqual(built(files, { traps: 'flux' }).objects, [])
})

test('an object without apiVersion is refused, with its place and without its data', () => {
  const text = 'kind: Secret\nmetadata: {name: a}\nstringData: {password: hunter2}\n'
  for (const traps of ['safe', 'flux'] as const)
    assert.throws(
      () => built({ '/app/a.yaml': text }, { traps }),
      (error) =>
        error instanceof SluiceError &&
        error.message ===
          'failed to decode Kubernetes apiVersion, kind and name from: {"kind":"Secret","metadata":{"name":"a"}}' &&
        error.where === (traps === 'safe' ? '/app/a.yaml:1:1' : undefined),
    )
})

const odd = (apiVersion: string, name = 'a'): string =>
  `apiVersion: ${apiVersion}\nkind: ConfigMap\nmetadata: {name: ${name}}\n`

test('an apiVersion of three parts is refused, one with an empty group is that of the core', () => {
  assert.throws(() => built({ '/app/a.yaml': odd('a/b/c') }), {
    message:
      'error unmarshaling JSON: while decoding JSON: Object \'Kind\' is missing in \'{"apiVersion":"a/b/c","kind":"ConfigMap","metadata":{"name":"a"}}\'',
  })
  assert.deepEqual(
    built({ '/app/a.yaml': odd('/v1') }).objects.map(({ apiVersion }) => apiVersion),
    ['v1'],
  )
})

test('an object whose name is a number is left out where Flux leaves it out', () => {
  assert.equal(built({ '/app/a.yaml': odd('v1', '12') }).objects.length, 1)
  assert.equal(built({ '/app/a.yaml': odd('v1', '12') }, { traps: 'flux' }).objects.length, 0)
})

test('annotations that are a list of an odd length end the build, as they do in kustomize', () => {
  const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: [x]}\n'
  assert.throws(() => built({ '/app/a.yaml': text }), {
    message: 'runtime error: index out of range [1] with length 1',
    hint: 'write metadata.annotations as a mapping',
  })
})

test('an error of a patch in the spec names its line in the patch', () => {
  const patch = '- op: remove\n  path: /data/a\n- op: remove\n  path: /gone/x\n'
  const spec = { patches: [{ target: { kind: 'ConfigMap' }, patch }] }
  assert.throws(
    () => built({ '/app/a.yaml': configMap('a') }, { spec }),
    (error: unknown) => error instanceof SluiceError && error.where === 'spec.patches[0].patch:3:3',
  )
})

test('variables are substituted, strictly, and not where an object refuses them', () => {
  const off = configMap('${who}')
    .replace('name: ${who}', 'name: x, labels: {kustomize.toolkit.fluxcd.io/substitute: disabled}')
    .replace('a: b', "a: '${who}'")
  const files = { '/app/a.yaml': configMap('a', 'a: "${who}", b: "${n:=1}"'), '/app/b.yaml': off }
  const { objects } = built(files, { substitution: { variables: { who: 'me\n' } } })
  assert.deepEqual(
    objects.map((object) => object['data']),
    [{ a: 'me', b: 1 }, { a: '${who}' }],
  )
  const broken = { '/app/a.yaml': configMap('a', 'a: "${other}"') }
  assert.throws(
    () => built(broken, { substitution: { variables: { who: 'me' } } }),
    /variable not set \(strict mode\): "other"/,
  )
})

test("flux: a number is a text where the kustomization file wants one, and a file's field that does not exist is dropped", () => {
  const files = {
    '/app/kustomization.yaml': 'resources: [a.yaml]\ncommonAnnotations: {note: n, size: 1.50}\nresource: [b.yaml]\n',
    '/app/a.yaml': configMap('a'),
  }
  const { objects } = built(files, { traps: 'flux' })
  assert.deepEqual(objects[0]?.metadata.annotations, { note: 'false', size: '1.5' })
  assert.throws(() => built(files, {}), /cannot unmarshal bool into Go struct field Kustomization.commonAnnotations/)
})

test('a kustomization file that lists no resources says where its objects come from, as in Flux', () => {
  const origins = (file: string) =>
    built({ '/app/kustomization.yaml': file, '/app/a.yaml': configMap('a') }, {}).objects.map(
      ({ metadata }) => metadata.annotations?.['config.kubernetes.io/origin'] !== undefined,
    )
  assert.deepEqual(origins('configMapGenerator: [{name: c, literals: [a=b]}]\n'), [true])
  assert.deepEqual(origins('resources: [a.yaml]\n'), [false])
})
