import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IgnoreTarget } from '../../kinds/kustomization.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { compileIgnore, planYielding, withoutPaths, yieldFields } from './ignore.ts'

const everything: IgnoreTarget = {
  group: undefined,
  version: undefined,
  kind: undefined,
  name: undefined,
  namespace: undefined,
  labelSelector: undefined,
  annotationSelector: undefined,
}
const web = (replicas: number | undefined, extra: Partial<KubeObject['metadata']> = {}): KubeObject =>
  ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'ns', labels: { tier: 'front' }, ...extra },
    spec: { ...(replicas === undefined ? {} : { replicas }), containers: [{ name: 'a', image: 'a:1' }] },
  }) as KubeObject

const targets: { it: string; target: Partial<IgnoreTarget>; want: boolean }[] = [
  { it: 'every object without a target', target: {}, want: true },
  { it: 'a kind', target: { kind: 'Deployment' }, want: true },
  { it: 'the whole name only', target: { name: 'we' }, want: false },
  { it: 'an expression', target: { name: 'w.*', group: 'apps', version: 'v1', namespace: 'n[st]' }, want: true },
  { it: 'another group', target: { group: 'batch' }, want: false },
  { it: 'labels', target: { labelSelector: 'tier in (front)' }, want: true },
  { it: 'other labels', target: { labelSelector: 'tier=back' }, want: false },
  { it: 'annotations that are not there', target: { annotationSelector: 'x' }, want: false },
]
for (const { it, target, want } of targets)
  test(`ignore finds ${it}`, () => {
    const paths = compileIgnore([{ paths: ['/spec/replicas'], target: { ...everything, ...target } }])(web(1))
    assert.deepEqual(paths, want ? ['/spec/replicas'] : [])
  })

test('ignore refuses what is no expression or selector', () => {
  assert.throws(() => compileIgnore([{ paths: [], target: { ...everything, name: '(' } }]), {
    code: 'REGEXP_SYNTAX',
    message:
      'failed to create ignore rule selector: invalid name regex: error parsing regexp: missing closing ): `^(?:()$`\n',
  })
  assert.throws(() => compileIgnore([{ paths: [], target: { ...everything, labelSelector: 'a in' } }]), {
    code: 'OBJECT_INVALID',
  })
})

const applied = (manager: string, fieldsV1: Record<string, unknown>): Partial<KubeObject['metadata']> => ({
  managedFields: [{ manager, operation: 'Apply', fieldsV1 }],
})
const image = '/spec/containers/0/image'
const yields: { it: string; live: KubeObject; path: string; want: unknown }[] = [
  { it: 'what is ours alone is applied as it is', live: web(3), path: '/spec/replicas', want: [3, 'a:1'] },
  {
    it: 'what another manager applied is given up',
    live: web(3, applied('hpa', { 'f:spec': { 'f:replicas': {} } })),
    path: '/spec/replicas',
    want: [undefined, 'a:1'],
  },
  {
    it: 'what we applied ourselves is ours',
    live: web(3, applied('kustomize-controller', { 'f:spec': { 'f:replicas': {} } })),
    path: '/spec/replicas',
    want: [3, 'a:1'],
  },
  { it: 'what is not there is not adopted', live: web(undefined), path: '/spec/replicas', want: [1, 'a:1'] },
  {
    it: 'an item of a list is found by its key',
    live: (() => {
      const fields = { 'f:spec': { 'f:containers': { 'k:{"name":"a"}': { 'f:image': {} } } } }
      const object = web(1, applied('updater', fields)) as KubeObject & { spec: { containers: { image: string }[] } }
      return { ...object, spec: { ...object.spec, containers: [{ name: 'a', image: 'a:9' }] } } as KubeObject
    })(),
    path: image,
    want: [1, undefined],
  },
]
for (const { it, live, path, want } of yields)
  test(`ignore: ${it}`, () => {
    const payload = yieldFields(web(1), planYielding(live, web(1), [path], 'kustomize-controller')) as unknown as {
      spec: { replicas?: number; containers: { image?: string }[] }
    }
    assert.deepEqual([payload.spec.replicas, payload.spec.containers[0]?.image], want)
  })

test('fields are left out of a comparison, what is not there is not missed', () => {
  assert.deepEqual(withoutPaths({ a: { 'b/c': 1, d: 2 }, l: [1, 2] }, ['/a/b~1c', '/x/y', '/l/0', '/l/9']), {
    a: { d: 2 },
    l: [2],
  })
  assert.equal(({} as { polluted?: unknown }).polluted, undefined)
  withoutPaths({}, ['/__proto__/polluted', '/constructor/prototype/toString'])
  assert.equal(typeof {}.toString, 'function')
})

test('a path that is no pointer is refused when an object is compared, as in Flux', () =>
  assert.throws(() => planYielding(web(1), web(2), ['spec.replicas'], 'kustomize-controller'), {
    message: 'replace operation does not apply: doc is missing path: spec.replicas: missing value\n',
  }))
