import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { KubeObject, ObjectRef } from '../../lib/kube/object.ts'
import { inventoryEntry, parseInventoryEntry, staleEntries } from './inventory.ts'
import { comparable, isEncrypted, normalize } from './normalize.ts'
import { compareForApply, stageOf } from './order.ts'
import { isImmutableError, planTakeover, rulesOf } from './rules.ts'

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

test('what defines others is a stage of its own', () => {
  const stage = (apiVersion: string, kind: string): string => stageOf({ apiVersion, kind })
  assert.equal(stage('v1', 'Namespace'), 'definitions')
  assert.equal(stage('apiextensions.k8s.io/v1', 'CustomResourceDefinition'), 'definitions')
  assert.equal(stage('example.com/v1', 'Namespace'), 'rest')
  assert.equal(stage('storage.k8s.io/v1', 'StorageClass'), 'classes')
  assert.equal(stage('apps/v1', 'Deployment'), 'rest')
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

test('rules are read from labels and annotations of Git and of the live object', () => {
  const object: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }
  const said = (value: Record<string, string>): KubeObject => ({
    ...object,
    metadata: { name: 'a', annotations: value },
  })
  assert.equal(rulesOf(object, said({ 'kustomize.toolkit.fluxcd.io/ssa': 'ignore' })).isIgnored, true)
  assert.equal(rulesOf(said({ 'kustomize.toolkit.fluxcd.io/prune': 'Disabled' })).isKept, true)
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
