import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { decryptByGpg } from '../../src/adapters/engine/kustomization/build/gpg.ts'
import type { IgnoreTarget } from '../../src/kinds/kustomization.ts'
import { SluiceError } from '../../src/lib/error/sluice-error.ts'
import type { KubeObject } from '../../src/lib/kube/object.ts'
import { treeOfFiles } from '../../src/lib/kustomize/files/tree.ts'
import { openAgeFile, parseAgeIdentities } from '../../src/lib/sops/age-key.ts'
import { decryptSops } from '../../src/lib/sops/decrypt.ts'
import { compileIgnore } from '../../src/pipeline/apply/ignore.ts'
import { maskSecret } from '../../src/pipeline/apply/mask-secret.ts'
import { normalize, withMetadata } from '../../src/pipeline/apply/normalize.ts'
import { compareForApply, stageOf } from '../../src/pipeline/apply/order.ts'
import { isImmutableError } from '../../src/pipeline/apply/rules.ts'
import { buildKustomization, encryptedSourcesOf } from '../../src/pipeline/build/build-kustomization.ts'
import { decryptObjects, type Decrypt } from '../../src/pipeline/build/decrypt-objects.ts'
import { substituteObjects } from '../../src/pipeline/build/substitute-objects.ts'
import { compileHealthExpressions } from '../../src/pipeline/health/expressions.ts'
import {
  FLUX_DATA as root,
  fluxFile,
  type FluxRow as Row,
  fluxSkip as skip,
  fluxTable as table,
} from '../support/flux-tables.ts'

// Tables of Flux's own tests that concern Kustomizations; those of the build stand in conformance-flux-build.test.ts.

test('flux kustomizations: the conformance data is there', { skip }, () =>
  assert.ok(table('ssa-units.json', 'TestNormalizeUnstructured').length > 0),
)

const configMap = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`

/** Component folders, each with a ConfigMap of its own name. */
function componentTree(own: readonly string[], there: readonly string[]): Map<string, string> {
  const files = new Map([['/kustomization.yaml', JSON.stringify({ components: own })]])
  for (const name of there) {
    files.set(
      `/${name}/kustomization.yaml`,
      'kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nresources: [cm.yaml]\n',
    )
    files.set(`/${name}/cm.yaml`, configMap(name.toLowerCase()))
  }
  return files
}

for (const { name, dir, fluxComponents, expectedComponents } of table('kustomize-generator.json', 'Test_Components'))
  test(`components: ${name}`, () => {
    const there = ['componentA', 'componentB', 'componentC']
    const tree = treeOfFiles(componentTree(dir === 'components' ? ['componentA'] : [], there))
    const { objects } = buildKustomization({ tree, path: './', spec: { components: fluxComponents ?? [] } })
    assert.deepEqual(
      objects.map(({ metadata }) => metadata.name),
      expectedComponents.map((component: string) => component.toLowerCase()),
    )
  })

for (const row of table('kustomize-generator.json', 'Test_IgnoreMissingComponents'))
  test(`components: ${row.name}`, () => {
    const tree = treeOfFiles(
      componentTree(
        [],
        row.components.filter((name: string) => name.startsWith('existing')),
      ),
    )
    const spec = { components: row.components, ignoreMissingComponents: row.ignoreMissingComponents }
    const build = () => buildKustomization({ tree, path: './', spec }).objects.map(({ metadata }) => metadata.name)
    if (row.expectError) assert.throws(build, SluiceError)
    else assert.deepEqual(build(), row.expectedComponents ?? [])
  })

test('names of variables are those of Flux', { skip }, () => {
  const { valid, invalid } = JSON.parse(readFileSync(join(root, 'varsub-names.json'), 'utf8')) as Record<
    string,
    string[]
  >
  const substitute = (name: string) => () =>
    substituteObjects([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }], {
      variables: { [name]: 'x' },
    })
  for (const name of valid ?? []) assert.doesNotThrow(substitute(name), name)
  for (const name of invalid ?? []) assert.throws(substitute(name), /var name is invalid/, name)
})

test('objects are applied in the order and the stages of Flux', { skip }, () => {
  const order = JSON.parse(readFileSync(join(root, 'ssa-order.json'), 'utf8')) as Record<string, string[]>
  const refs = [...(order['first'] ?? []), 'Anything', ...(order['last'] ?? [])].map((kind) => ({
    apiVersion: 'v1',
    kind,
    namespace: '',
    name: 'a',
  }))
  assert.deepEqual([...refs].reverse().sort(compareForApply), refs)
})

test('what ties is ordered by group, kind, namespace and name, in this order', { skip }, () => {
  const [, ...fields] = fluxFile('ssa-order.json')['tieBreak'].map((text: string) => text.split(' ')[0])
  const low = { group: 'a.io', kind: 'A', namespace: 'a', name: 'a' }
  const ref = ({ group, ...rest }: typeof low) => ({ apiVersion: `${group}/v1`, ...rest })
  // Each field counts before all that come behind it.
  fields.forEach((field: keyof typeof low, at: number) => {
    const behind = Object.fromEntries(fields.slice(at + 1).map((later: string) => [later, 'z']))
    const high = { ...low, [field]: field === 'group' ? 'b.io' : field === 'kind' ? 'B' : 'b' }
    assert.ok(compareForApply(ref({ ...low, ...behind }), ref(high)) < 0, field)
  })
})

test('the stages are those of Flux', { skip }, () => {
  const GROUPS: Record<string, string> = { rbac: 'rbac.authorization.k8s.io/v1', v1: 'v1' }
  const examples: Record<string, (match: string) => [kind: string, apiVersion: string][]> = {
    definitions: (match) =>
      [...match.matchAll(/(\w+) \(([\w.]+)\)/g)].map(([, kind = '', group = '']) => [
        kind,
        GROUPS[group] ?? `${group}/v1`,
      ]),
    classes: (match) => [[`Storage${/"(\w+)"/.exec(match)?.[1]}`, 'storage.k8s.io/v1']],
    custom: () => [['Thing', 'example.com/v1']],
    rest: () => [
      ['Pod', 'v1'],
      ['Namespace', 'example.com/v1'],
      ['Thing', 'example.org/v1'],
    ],
  }
  for (const { name, match } of fluxFile('ssa-order.json')['stages'])
    for (const [kind, apiVersion] of examples[name]?.(match) ?? assert.fail(`no stage ${name}`))
      assert.equal(stageOf({ kind, apiVersion }, new Set(['example.com/Thing'])), name, kind)
})

for (const { name, err, match } of table('ssa-units.json', 'TestIsImmutableError'))
  test(`immutable: ${name}`, () => assert.equal(isImmutableError(400, String(err.$go), 'flux'), match))

/** Go's typed objects write out fields that are empty; what was written must be there. */
function assertContains(got: unknown, want: unknown, at: string): void {
  if (typeof want !== 'object' || want === null) {
    if (want !== null && want !== '' && want !== 0) assert.deepEqual(got, want, at)
    return
  }
  for (const [key, value] of Object.entries(want))
    assertContains((got as Row | undefined)?.[key], value, `${at}.${key}`)
}

for (const { name, object, want } of table('ssa-units.json', 'TestNormalizeUnstructured'))
  test(`normalize: ${name}`, () => {
    const { metadata, ...rest } = object.Object
    const got = normalize({ ...rest, metadata: { name: '', ...metadata } } as KubeObject)
    assertContains(got, want.Object, name)
    assert.equal((got as Row)['status'], undefined)
    assert.equal((got.metadata as Row)['creationTimestamp'], undefined)
  })

for (const { name, labels, annotations } of table('ssa-units.json', 'TestSetCommonMetadata'))
  test(`common metadata: ${name}`, () => {
    const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', labels: { test1: 'over' } } }
    const { metadata } = withMetadata(object, labels, annotations)
    assert.deepEqual([metadata.labels, metadata.annotations], [{ test1: 'over', ...labels }, annotations])
  })

const MASKS: Record<string, string> = {
  sanitizeMaskDefault: '*****',
  sanitizeMaskBefore: '*** (before)',
  sanitizeMaskAfter: '*** (after)',
}
for (const { name, input, want } of table('ssa-units.json', 'TestSanitizeUnstructuredData'))
  test(`masks: ${name}`, () => {
    const secret = (side: Row | null): KubeObject =>
      ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, ...(side?.['Object'] ?? {}) }) as KubeObject
    const masked = maskSecret({ before: secret(input.old), after: secret(input.new) }) as unknown as Record<string, Row>
    for (const [side, key] of [
      ['old', 'before'],
      ['new', 'after'],
    ] as const)
      for (const [field, value] of Object.entries((want[side]?.Object?.data ?? {}) as Record<string, Row>))
        assert.equal(masked[key]?.['data']?.[field], MASKS[value['$id']], `${side} ${field}`)
  })

/** One selector of Go's fields, asked whether it means an object. */
function selects(selector: Row | null, object: Row): boolean {
  const target = Object.fromEntries(
    ['group', 'version', 'kind', 'name', 'namespace', 'labelSelector', 'annotationSelector'].map((field) => [
      field,
      selector?.[field[0]?.toUpperCase() + field.slice(1)],
    ]),
  ) as unknown as IgnoreTarget
  const { metadata = {}, ...rest } = object
  const whole = { apiVersion: 'v1', kind: '', ...rest, metadata: { name: '', ...metadata } } as KubeObject
  return compileIgnore([{ paths: ['/x'], target }])(whole).length > 0
}

const SELECTORS: Record<string, (row: Row) => Row> = {
  TestSelectorRegex_MatchUnstructured: ({ u }) => u?.Object ?? {},
  TestSelectorRegex_MatchGVK: ({ group, version, kind }) => ({
    apiVersion: group ? `${group}/${version}` : (version ?? 'v1'),
    kind,
  }),
  TestSelectorRegex_MatchName: ({ n }) => ({ metadata: { name: n } }),
  TestSelectorRegex_MatchNamespace: ({ ns }) => ({ metadata: { namespace: ns } }),
  TestSelectorRegex_MatchLabelSelector: ({ labels }) => ({ metadata: { labels } }),
  TestSelectorRegex_MatchAnnotationSelector: ({ annotations }) => ({ metadata: { annotations } }),
}
for (const [name, object] of Object.entries(SELECTORS))
  for (const row of table('ssa-jsondiff.json', name))
    test(`ignore ${name}: ${row.name}`, () => assert.equal(selects(row.selector, object(row)), row.want ?? false))

const healthOf = (exprs: Row) =>
  compileHealthExpressions([
    {
      apiVersion: 'v1',
      kind: 'Thing',
      current: exprs['Current'] ?? '',
      inProgress: exprs['InProgress'],
      failed: exprs['Failed'],
    },
  ])
for (const { name, exprs, err } of table('runtime-misc.json', 'status_evaluator/TestNewStatusEvaluator'))
  test(`health expressions: ${name}`, () => {
    if (err)
      assert.throws(
        () => healthOf(exprs ?? {}),
        (error: Error) => error.message.includes(err),
      )
    else assert.doesNotThrow(() => healthOf(exprs))
  })
for (const row of table('runtime-misc.json', 'status_evaluator/TestStatusEvaluator_Evaluate'))
  test(`health expressions: ${row.name}`, () => {
    const whole = { apiVersion: 'v1', kind: 'Thing', ...(Array.isArray(row.obj) ? {} : row.obj) } as KubeObject & Row
    if (Array.isArray(whole['status'])) whole['status'] = {}
    const judgement = healthOf(row.exprs)(whole)
    if (row.err) assert.deepEqual([judgement?.health, judgement?.why], ['Unknown', row.err])
    else assert.equal(`status.${judgement?.health}Status`, row.result.Status.$go)
  })

test('the encrypted files of kustomize-controller are decrypted as it does', { skip }, async () => {
  const folder = join(root, 'kustomize-controller-testdata/sops')
  const hasGpg = spawnSync('gpg', ['--version']).status === 0
  const files = new Map<string, Uint8Array>()
  for (const path of readdirSync(folder, { recursive: true }) as string[])
    if (statSync(join(folder, path)).isFile()) files.set(`/${path}`, readFileSync(join(folder, path)))
  const without = hasGpg ? ['remote'] : ['remote', 'pgp.yaml']
  for (const path of ['/kustomization.yaml', '/algorithms/kustomization.yaml']) {
    const text = Buffer.from(files.get(path) ?? '').toString()
    files.set(
      path,
      Buffer.from(
        text
          .split('\n')
          .filter((line) => !without.some((name) => line.endsWith(`- ${name}`)))
          .join('\n'),
      ),
    )
  }
  const identities = ['age', 'age-pq'].flatMap((name) =>
    parseAgeIdentities(Buffer.from(files.get(`/keys/${name}.txt`) ?? '').toString()),
  )
  const pgp = Buffer.from(files.get('/keys/pgp.asc') ?? '')
  const decrypt: Decrypt = (bytes, input, output) =>
    decryptSops({
      bytes,
      input,
      output,
      checkMac: 'never',
      open: ({ type, enc }) => (type === 'age' ? openAgeFile(enc, identities) : decryptByGpg(enc, [pgp])),
    })
  const spec = { targetNamespace: 'default' }
  for (const { path, format, bytes } of encryptedSourcesOf({ tree: treeOfFiles(files), root: '/', path: './', spec }))
    files.set(path, await decrypt(bytes, format, format, true))
  const { objects } = buildKustomization({ tree: treeOfFiles(files), path: './', spec, traps: 'flux' })
  const opened = await decryptObjects(objects, decrypt)
  const values = Object.fromEntries(opened.map((object) => [`${object.kind}/${object.metadata.name}`, valueOf(object)]))
  const expected: Record<string, Row> = {
    'Secret/sops-algo-age': { key: 'value' },
    'Secret/sops-algo-age-pq': { key: 'value' },
    'Secret/sops-algo-vault': { key: 'value' },
    'Secret/sops-envs-secret': { key: 'value' },
    'Secret/sops-files-secret': { key: 'value' },
    'Secret/sops-inside-secret': { key: 'value' },
    'Secret/sops-component': { key: 'value' },
    'Secret/sops-patches-secret': { key: 'merge1', merge2: 'merge2' },
    ...(hasGpg ? { 'Secret/sops-algo-pgp': { key: 'value' } } : {}),
  }
  for (const [name, want] of Object.entries(expected)) assert.deepEqual(values[name], want, name)
})

function valueOf(object: KubeObject): Row {
  const { data } = normalize(object) as KubeObject & { data?: Record<string, string> }
  return Object.fromEntries(
    Object.entries(data ?? {}).map(([key, value]) => [
      key,
      object.kind === 'Secret' ? Buffer.from(value, 'base64').toString() : value,
    ]),
  )
}
