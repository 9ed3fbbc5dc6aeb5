import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import type { Environment } from '../environment.ts'
import { type Obj, objFrom } from '../object.ts'
import { builtinResources } from '../resources/builtin.ts'
import { admitToQuota } from './resource-quota.ts'

const builtin = builtinResources()
/** Finds a kind by where it is kept. */
const registry = { byStorageKey: (key: string) => builtin.find((each) => each.storageKey === key) }
const pod = (cpu: string | undefined, more: JsonObject = {}): JsonObject => ({
  spec: { containers: [{ name: 'c', resources: cpu === undefined ? {} : { requests: { cpu } } }], ...more },
})
const service = (type: string, ports: number): JsonObject => ({
  spec: { type, ports: Array.from({ length: ports }, (_, at) => ({ port: 80 + at })) },
})
const CALM: { kind: string; subresource: string; quota: JsonObject; spec: JsonObject } = {
  kind: 'Pod',
  subresource: '',
  quota: { hard: { 'requests.cpu': '1' }, used: { 'requests.cpu': '500m' } },
  spec: {},
}
const told = 'must specify requests.cpu for: c'
const full = (requested: string): string =>
  `exceeded quota: q, requested: requests.cpu=${requested}, used: requests.cpu=500m, limited: requests.cpu=1`

/** What the real API server 1.37.2 answered. */
const cases: ({ it: string; object: JsonObject; before?: JsonObject; want: string } & Partial<typeof CALM>)[] = [
  { it: 'asks new pods to name what is limited', object: pod(undefined), want: `failed quota: q: ${told}` },
  {
    it: 'asks nothing of the containers of a pod that names it as a whole',
    object: pod(undefined, { resources: { requests: { cpu: '500m' } } }),
    want: 'requests.cpu=1',
  },
  { it: 'leaves pods alone that only change', object: pod(undefined), before: pod(undefined), want: '' },
  {
    it: 'counts a pod that comes into its scope',
    quota: { hard: { pods: '0' }, used: { pods: '0' } },
    spec: { scopes: ['Terminating'] },
    object: pod('1', { activeDeadlineSeconds: 5 }),
    before: pod('1'),
    want: 'exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0',
  },
  { it: 'refuses a resize', subresource: 'resize', object: pod('900m'), before: pod('300m'), want: full('600m') },
  { it: 'counts a resize', subresource: 'resize', object: pod('800m'), before: pod('300m'), want: 'requests.cpu=1' },
  { it: 'leaves a status alone', subresource: 'status', object: pod('9'), before: pod('1'), want: '' },
  {
    it: 'counts the ports that a service gains',
    kind: 'Service',
    quota: { hard: { 'services.nodeports': '2' }, used: { 'services.nodeports': '2' } },
    object: service('NodePort', 3),
    before: service('NodePort', 2),
    want: 'exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=2, limited: services.nodeports=2',
  },
  {
    it: 'refuses while nothing is counted yet',
    quota: { hard: { pods: '3', 'limits.cpu': '1', services: '1' }, used: {} },
    object: { spec: { containers: [{ name: 'c', resources: { limits: { cpu: '1' } } }] } },
    want: 'status unknown for quota: q, resources: limits.cpu,pods',
  },
]

for (const { it, object, before, want, ...rest } of cases)
  test(`quota admission ${it}`, () => {
    const { kind, subresource, quota, spec } = { ...CALM, ...rest }
    const resource = builtin.find((each) => each.kind === kind && each.group === '')
    const named = (body: JsonObject): Obj => objFrom({ metadata: { name: 'x', namespace: 'ns' }, ...body }, 'v1', kind)
    const put: Obj[] = []
    const store = {
      list: () => [objFrom({ metadata: { name: 'q' }, spec, status: quota }, 'v1', 'ResourceQuota')],
      put: (_key: string, changed: Obj) => put.push(changed),
    }
    const call = { resource, subresource, namespace: 'ns', dryRun: false } as unknown as Call
    const admit = (): string => {
      admitToQuota(
        { store, registry, nowMs: () => 0 } as unknown as Environment,
        call,
        named(object),
        before && named(before),
      )
      const used = put.map(({ status }) => (status as { used: Record<string, string> }).used)
      return used.flatMap((each) => Object.entries(each).map(([name, amount]) => `${name}=${amount}`)).join(',')
    }
    if (want === '' || /^[^ ]+=[^ ]+$/.test(want)) assert.equal(admit(), want)
    else assert.throws(admit, (error: Error) => error.message.endsWith(`is forbidden: ${want}`))
  })

test('what admission counts belongs to the server', () => {
  const put: Obj[] = []
  const owned = [
    {
      manager: 'kube-controller-manager',
      operation: 'Update',
      apiVersion: 'v1',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:status': { 'f:used': { '.': {}, 'f:pods': {}, 'f:requests.cpu': {} } } },
      subresource: 'status',
    },
  ]
  const used = { pods: '1', 'requests.cpu': '0' }
  const quota = {
    metadata: { name: 'q', managedFields: owned },
    status: { hard: { pods: '9', 'requests.cpu': '9' }, used },
  }
  const store = {
    list: () => [objFrom(quota, 'v1', 'ResourceQuota')],
    put: (_key: string, changed: Obj) => put.push(changed),
  }
  const resource = builtin.find((each) => each.kind === 'Pod' && each.group === '')
  const call = { resource, subresource: '', namespace: 'ns', dryRun: false } as unknown as Call
  const made = objFrom({ metadata: { name: 'x', namespace: 'ns' }, ...pod('1') }, 'v1', 'Pod')
  admitToQuota({ store, registry, nowMs: () => 0 } as unknown as Environment, call, made, undefined)
  const managers = (put[0]?.metadata.managedFields ?? []) as { manager: string }[]
  assert.deepEqual(managers.map(({ manager }) => manager).sort(), ['kube-apiserver', 'kube-controller-manager'])
})
