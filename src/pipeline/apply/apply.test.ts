import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { describeRef, type KubeObject, type ObjectRef } from '../../lib/kube/object.ts'
import { inventoryEntry, parseInventoryEntry, staleEntries, unite } from './inventory.ts'
import { comparable, isEncrypted, isNoticedByFlux, normalize, withoutOddLabels } from './normalize.ts'
import { compareForApply, parseStageKinds, stageOf } from './order.ts'
import { isImmutableError, ownerLabels, ownerOf, planTakeover, rulesOf } from './rules.ts'

const root = join(process.env['SLUICE_CONFORMANCE'] ?? '../shared/conformance', 'flux')
const skip = existsSync(root) ? false : `no ${root}`
const table = (name: string): unknown => JSON.parse(readFileSync(join(root, name), 'utf8')) as unknown

test('kinds are applied in the order of Flux', { skip }, () => {
  const { first, last } = table('ssa-order.json') as { first: string[]; last: string[] }
  const want = [...first, 'Widget', ...last]
  const refs = [...want].sort().map((kind): ObjectRef => ({ apiVersion: 'v1', kind, namespace: 'a', name: 'a' }))
  assert.deepEqual(
    refs.sort(compareForApply).map(({ kind }) => kind),
    want,
  )
})

const ref = (apiVersion: string, kind: string, namespace: string, name: string): ObjectRef => ({
  apiVersion,
  kind,
  namespace,
  name,
})

test('objects of one rank are applied by group, kind, namespace and name, and deleted the other way round', () => {
  const want = [
    ref('v1', 'Widget', 'a', 'a'),
    ref('a.io/v1', 'Gadget', 'b', 'b'),
    ref('a.io/v1', 'Widget', 'a', 'b'),
    ref('a.io/v2', 'Widget', 'b', 'a'),
    ref('a.io/v1', 'Widget', 'b', 'b'),
    ref('b.io/v1', 'Gadget', 'a', 'a'),
  ]
  for (const one of want)
    for (const other of want) {
      const order = Math.sign(want.indexOf(one) - want.indexOf(other))
      assert.equal(compareForApply(one, other), order, `${describeRef(one)} and ${describeRef(other)}`)
    }
})

const lists: { it: string; text: string; want: readonly string[] | undefined }[] = [
  { it: 'none', text: ' ', want: [] },
  { it: 'a kind with and one without a group', text: 'a.io/Widget, Secret', want: ['a.io/Widget', '/Secret'] },
  { it: 'an empty word', text: 'Secret,,a.io/Widget', want: undefined },
  { it: 'a word of too many parts', text: 'a.io/v1/Widget', want: undefined },
  { it: 'a word that is no kind', text: 'Secret,a.io/', want: undefined },
]
for (const { it, text, want } of lists)
  test(`of the kinds of a stage that are named, ${it}`, () => {
    const kinds = parseStageKinds(text)
    assert.deepEqual(kinds && [...kinds], want)
  })

test('what defines others is a stage of its own', () => {
  const stage = (apiVersion: string, kind: string): string => stageOf({ apiVersion, kind })
  assert.equal(stage('v1', 'Namespace'), 'definitions')
  assert.equal(stage('apiextensions.k8s.io/v1', 'CustomResourceDefinition'), 'definitions')
  assert.equal(stage('example.com/v1', 'Namespace'), 'rest')
  assert.equal(stage('example.com/v1', 'CustomResourceDefinition'), 'rest')
  assert.equal(stage('rbac.authorization.k8s.io/v1', 'ClusterRole'), 'definitions')
  assert.equal(stage('rbac.authorization.k8s.io/v1', 'Role'), 'rest')
  assert.equal(stage('example.com/v1', 'ClusterRole'), 'rest')
  assert.equal(stage('storage.k8s.io/v1', 'StorageClass'), 'classes')
  assert.equal(stage('apps/v1', 'Deployment'), 'rest')
  const custom = parseStageKinds('apps/Deployment,Secret')
  assert.equal(stageOf({ apiVersion: 'apps/v1', kind: 'Deployment' }, custom), 'custom')
  assert.equal(stageOf({ apiVersion: 'v1', kind: 'Secret' }, custom), 'custom')
  assert.equal(stageOf({ apiVersion: 'v1', kind: 'Deployment' }, custom), 'rest')
  assert.equal(stageOf({ apiVersion: 'v1', kind: 'Namespace' }, parseStageKinds('Namespace')), 'definitions')
})

type NormalizeCase = { name: string; object: { Object: KubeObject }; want: { Object: KubeObject } }
/** Their rows show Go's empty values of typed objects; compared is what they add: ports and data. */
test('objects are prepared as in Flux', { skip }, () => {
  const rows = (table('ssa-units.json') as Record<string, NormalizeCase[]>)['TestNormalizeUnstructured'] ?? []
  let compared = 0
  for (const { name, object, want } of rows) {
    if (!object.Object || !want.Object || JSON.stringify(want).includes('$')) continue
    const got = JSON.stringify(normalize({ ...object.Object, metadata: { name: '' } }))
    const ports = (text: string): string[] => text.match(/"protocol":"[A-Z]+"/g) ?? []
    assert.deepEqual(ports(got), ports(JSON.stringify(want.Object)), name)
    compared++
  }
  assert.ok(compared >= 8, String(compared))
})

test('an inventory entry names an object and is read back', () => {
  const refs: ObjectRef[] = [
    { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'ns', name: 'a.b' },
    { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'ns', name: 'web' },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', namespace: '', name: 'system:x:y' },
    { apiVersion: 'v1', kind: 'Namespace', namespace: '', name: 'n' },
  ]
  for (const ref of refs) assert.deepEqual(parseInventoryEntry(inventoryEntry(ref)), ref)
  assert.equal(inventoryEntry(refs[2] as ObjectRef).id, '_system__x__y_rbac.authorization.k8s.io_ClusterRole')
  const entries = refs.map(inventoryEntry)
  assert.deepEqual(staleEntries(entries, entries.slice(1)), entries.slice(0, 1))
})

const entries: { it: string; id: string; want: ObjectRef | undefined }[] = [
  { it: 'of an object without a namespace or group', id: '_n__Namespace', want: ref('v1', 'Namespace', '', 'n') },
  {
    it: 'whose name is written with low lines',
    id: 'ns_a__b_a.io_Widget',
    want: ref('a.io/v1', 'Widget', 'ns', 'a__b'),
  },
  { it: 'without low lines', id: 'web', want: undefined },
  { it: 'of too few parts', id: 'ns_web_Deployment', want: undefined },
  { it: 'of no name', id: 'ns_apps_Deployment', want: undefined },
]
for (const { it, id, want } of entries)
  test(`an inventory entry ${it} is ${want === undefined ? 'none' : 'read'}`, () =>
    assert.deepEqual(parseInventoryEntry({ id, v: 'v1' }), want))

test('what was applied stays in an inventory once, in the version that it was applied with', () => {
  const [old, now] = [
    { id: 'a', v: 'v1' },
    { id: 'a', v: 'v2' },
  ]
  assert.deepEqual(unite([old], [now, { id: 'b', v: 'v1' }]), [old, { id: 'b', v: 'v1' }])
  assert.deepEqual(staleEntries([old], [now]), [])
})

type ImmutableCase = { name: string; err: { $go: string }; match: boolean }
test('an answer that means immutable is known', { skip }, () => {
  const rows = (table('ssa-units.json') as Record<string, ImmutableCase[]>)['TestIsImmutableError'] ?? []
  for (const row of rows) assert.equal(isImmutableError(500, row.err.$go, 'flux'), row.match, row.name)
  assert.equal(isImmutableError(422, 'spec.x: Invalid value', 'flux'), true)
  assert.equal(isImmutableError(422, 'spec.x: Invalid value', 'safe'), false)
})

const live: KubeObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: 'a',
    resourceVersion: '7',
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
    managedFields: [
      { manager: 'kustomize-controller', operation: 'Apply', apiVersion: 'v1', fieldsV1: { 'f:data': { 'f:a': {} } } },
      { manager: 'kubectl-edit', operation: 'Update', apiVersion: 'v1', fieldsV1: { 'f:data': { 'f:b': {} } } },
      { manager: 'other', operation: 'Update', apiVersion: 'v1', fieldsV1: { 'f:data': { 'f:c': {} } } },
    ],
  },
}
test('what kubectl owns is taken over, what others own stays theirs', () => {
  const steps = planTakeover(live, 'kustomize-controller') ?? []
  assert.deepEqual(
    steps.map(({ op, path }) => `${op} ${path}`),
    [
      'remove /metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration',
      'replace /metadata/managedFields',
      'replace /metadata/resourceVersion',
    ],
  )
  const entries = steps[1]?.value as { manager: string; fieldsV1: unknown }[]
  assert.deepEqual(
    entries.map(({ manager }) => manager),
    ['kustomize-controller', 'other'],
  )
  assert.deepEqual(entries[0]?.fieldsV1, { 'f:data': { 'f:a': {}, 'f:b': {} } })
  assert.equal(planTakeover({ ...live, metadata: { name: 'a' } }, 'kustomize-controller'), undefined)
})

type Entry = NonNullable<KubeObject['metadata']['managedFields']>[number]
const entry = (manager: string, operation: 'Apply' | 'Update', field: string, more: Partial<Entry> = {}): Entry => ({
  ...{ manager, operation, apiVersion: 'v1', fieldsV1: { 'f:data': { [`f:${field}`]: {} } } },
  ...more,
})
const fieldsOf = (...fields: readonly string[]) => ({
  'f:data': Object.fromEntries(fields.map((name) => [`f:${name}`, {}])),
})
const takeovers: {
  it: string
  held: readonly Entry[]
  overridden?: readonly string[]
  want: readonly object[] | undefined
}[] = [
  { it: 'leaves what it applied itself', held: [entry('us', 'Apply', 'a')], want: undefined },
  { it: 'leaves what others own', held: [entry('us', 'Apply', 'a'), entry('them', 'Apply', 'b')], want: undefined },
  {
    it: 'takes what it wrote before it applied, as its own',
    held: [entry('us', 'Update', 'a', { time: 'then' })],
    want: [{ manager: 'us', operation: 'Apply', time: 'then', fieldsV1: fieldsOf('a') }],
  },
  {
    it: 'takes what the server noted before the first apply',
    held: [entry('before-first-apply', 'Update', 'a')],
    want: [{ manager: 'us', operation: 'Apply', fieldsV1: fieldsOf('a') }],
  },
  {
    it: 'takes what kubectl applied, beside its own',
    held: [entry('kubectl', 'Apply', 'b'), entry('us', 'Apply', 'a', { time: 'now', apiVersion: 'v0' })],
    want: [{ manager: 'us', operation: 'Apply', time: 'now', apiVersion: 'v0', fieldsV1: fieldsOf('a', 'b') }],
  },
  {
    it: 'leaves what kubectl wrote to a subresource',
    held: [entry('kubectl', 'Update', 'a', { subresource: 'status' })],
    want: undefined,
  },
  {
    it: 'keeps what it applied to a subresource apart',
    held: [entry('us', 'Apply', 's', { subresource: 'status' }), entry('kubectl', 'Update', 'a')],
    want: [
      { manager: 'us', operation: 'Apply', fieldsV1: fieldsOf('a') },
      { manager: 'us', subresource: 'status', fieldsV1: fieldsOf('s') },
    ],
  },
  {
    it: 'takes what managers own that it is told to override',
    held: [entry('helm-3', 'Update', 'a'), entry('other', 'Update', 'b')],
    overridden: ['helm'],
    want: [
      { manager: 'us', operation: 'Apply', fieldsV1: fieldsOf('a') },
      { manager: 'other', operation: 'Update', fieldsV1: fieldsOf('b') },
    ],
  },
]
for (const { it, held, overridden, want } of takeovers)
  test(`a takeover ${it}`, () => {
    const metadata = { name: 'a', resourceVersion: '7', managedFields: [...held] }
    const steps = planTakeover({ apiVersion: 'v1', kind: 'ConfigMap', metadata }, 'us', overridden)
    const value = steps?.find(({ path }) => path === '/metadata/managedFields')?.value as object[] | undefined
    assert.deepEqual(
      value?.map((got, index) => ({ ...got, ...want?.[index] })),
      value,
    )
    assert.equal(value?.length, want?.length)
    if (value?.[0] && !('time' in (want?.[0] ?? {}))) assert.equal('time' in value[0], false)
  })

test('a takeover removes the marks that others left, and nothing besides', () => {
  const marks = {
    annotations: { 'fluxcd.io/sync-checksum': 'x', note: 'stays' },
    labels: { 'fluxcd.io/sync-gc-mark': 'x', app: 'stays' },
  }
  const steps = planTakeover(
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', resourceVersion: '7', ...marks } },
    'us',
  )
  assert.deepEqual(steps, [
    { op: 'remove', path: '/metadata/annotations/fluxcd.io~1sync-checksum' },
    { op: 'remove', path: '/metadata/labels/fluxcd.io~1sync-gc-mark' },
    { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
  ])
})

test('an object says whose it is by two labels', () => {
  const labelled = (labels: Record<string, string>): KubeObject => ({
    apiVersion: 'v1',
    kind: 'A',
    metadata: { name: 'a', labels },
  })
  assert.equal(ownerOf(labelled({ ...ownerLabels('ns', 'app') })), 'ns/app')
  assert.equal(ownerOf(labelled({ 'kustomize.toolkit.fluxcd.io/name': 'app' })), '/app')
  assert.equal(ownerOf(labelled({ 'kustomize.toolkit.fluxcd.io/namespace': 'ns' })), undefined)
  assert.equal(ownerOf(undefined), undefined)
})

test('rules are read from labels and annotations of Git and of the live object', () => {
  const object: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }
  const said = (value: Record<string, string>): KubeObject => ({
    ...object,
    metadata: { name: 'a', annotations: value },
  })
  assert.equal(rulesOf(object, said({ 'kustomize.toolkit.fluxcd.io/ssa': 'ignore' })).isIgnored, true)
  assert.equal(rulesOf(said({ 'kustomize.toolkit.fluxcd.io/prune': 'Disabled' })).isKept, true)
  for (const rule of [{ reconcile: 'disabled' }, { ssa: 'Ignore' }, { prune: 'disabled' }]) {
    const [[name, value] = ['', '']] = Object.entries(rule)
    assert.equal(rulesOf(said({ [`kustomize.toolkit.fluxcd.io/${name}`]: value })).isKept, true, name)
  }
  assert.equal(rulesOf(object).isKept, false)
  const created = said({ 'kustomize.toolkit.fluxcd.io/ssa': 'IfNotPresent' })
  assert.equal(rulesOf(created, object).isCreateOnly, true)
  assert.equal(rulesOf(object, created).isCreateOnly, false, 'Git took the rule away')
})

test('status and server fields do not count for drift', () => {
  const a = { ...live, status: { x: 1 } }
  assert.deepEqual(comparable(a), comparable({ ...live, metadata: { ...live.metadata, resourceVersion: '9' } }))
})

test('a number in stringData is left for the server to refuse', () => {
  const secret = (stringData: object): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'a' },
    ...{ stringData },
  })
  assert.deepEqual(normalize(secret({ a: 1, b: 'x' })), secret({ a: 1, b: 'x' }))
  const { stringData: _gone, ...rest } = secret({}) as KubeObject & { stringData: object }
  assert.deepEqual(normalize(secret({ a: 'b', n: null })), { ...rest, data: { a: 'Yg==', n: '' } })
})

test('ciphertext is known', () => {
  const secret = (fields: object): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'a' },
    ...fields,
  })
  assert.equal(isEncrypted(secret({ stringData: { a: 'ENC[AES256_GCM,data:xx]' } })), true)
  assert.equal(isEncrypted(secret({ sops: {} })), true)
  assert.equal(isEncrypted(secret({ data: { a: 'eA==' } })), false)
})

const filled: { it: string; object: object; want: object }[] = [
  { it: 'the status of what is no definition', object: { kind: 'A', status: { x: 1 } }, want: { kind: 'A' } },
  {
    it: 'not the status of a definition',
    object: { kind: 'CustomResourceDefinition', status: { x: 1 } },
    want: { kind: 'CustomResourceDefinition', status: { x: 1 } },
  },
  {
    it: 'nothing of a foreign Secret',
    object: { kind: 'Secret', apiVersion: 'a.io/v1', stringData: { a: 'b' } },
    want: { kind: 'Secret', apiVersion: 'a.io/v1', stringData: { a: 'b' } },
  },
  {
    it: 'the ports of a Service without a protocol',
    object: { kind: 'Service', spec: { ports: [{ port: 1 }, { port: 2, protocol: 'UDP' }, null] } },
    want: { kind: 'Service', spec: { ports: [{ port: 1, protocol: 'TCP' }, { port: 2, protocol: 'UDP' }, null] } },
  },
  {
    it: 'not the ports of a foreign Service',
    object: { kind: 'Service', apiVersion: 'a.io/v1', spec: { ports: [{ port: 1 }] } },
    want: { kind: 'Service', apiVersion: 'a.io/v1', spec: { ports: [{ port: 1 }] } },
  },
  {
    it: 'not the ports of a template of another kind',
    object: { kind: 'Rollout', spec: { template: { spec: { containers: [{ ports: [{ containerPort: 1 }] }] } } } },
    want: { kind: 'Rollout', spec: { template: { spec: { containers: [{ ports: [{ containerPort: 1 }] }] } } } },
  },
]
for (const { it, object, want } of filled)
  test(`prepared for an apply is ${it}`, () => {
    const whole = (fields: object): KubeObject =>
      ({ apiVersion: 'v1', metadata: { name: 'a' }, ...fields }) as unknown as KubeObject
    assert.deepEqual(normalize(whole(object)), whole(want))
  })

test('a metric that an old server answers twice, or empty, is no drift', () => {
  const scaler = (...metrics: readonly object[]): KubeObject =>
    ({
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'a' },
      spec: { metrics },
    }) as KubeObject
  const [cpu, memory] = [
    { type: 'Resource', name: 'cpu' },
    { type: 'Resource', name: 'memory' },
  ]
  assert.deepEqual(comparable(scaler(cpu, memory, cpu, { type: '' })), comparable(scaler(cpu, memory)))
  assert.notDeepEqual(comparable(scaler(cpu)), comparable(scaler(cpu, memory)))
})

test('labels are left out together when one of them is no text', () => {
  const labelled = (labels: object): KubeObject => ({
    apiVersion: 'v1',
    kind: 'A',
    metadata: { name: 'a', labels: labels as Record<string, string> },
  })
  assert.deepEqual(withoutOddLabels(labelled({ a: 'b', c: 1 })).metadata, { name: 'a' })
  assert.deepEqual(withoutOddLabels(labelled({ a: 'b' })), labelled({ a: 'b' }))
})

test('of ciphertext, Flux notices what cannot be a Secret at all', () => {
  const secret = (fields: object): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'a' },
    ...fields,
  })
  const ENVELOPE = 'ENC[AES256_GCM,data:xx]'
  assert.equal(isNoticedByFlux(secret({ sops: {}, data: { a: ENVELOPE } })), true)
  assert.equal(isNoticedByFlux(secret({ sops: {}, data: { a: 'eA==', b: ENVELOPE } })), true)
  assert.equal(isNoticedByFlux(secret({ sops: {}, data: { a: 'eA==' } })), false)
  assert.equal(isNoticedByFlux(secret({ sops: {}, stringData: { a: ENVELOPE } })), false)
  assert.equal(isNoticedByFlux(secret({ data: { a: ENVELOPE } })), false)
  assert.equal(isNoticedByFlux({ ...secret({ sops: {}, data: { a: ENVELOPE } }), kind: 'ConfigMap' }), false)
  assert.equal(isEncrypted({ ...secret({ sops: {} }), kind: 'ConfigMap' }), false)
  assert.equal(isEncrypted({ ...secret({ sops: { mac: ENVELOPE } }), kind: 'ConfigMap' }), true)
  assert.equal(isEncrypted(secret({ data: { a: ENVELOPE, b: 'eA==' } })), true)
})
