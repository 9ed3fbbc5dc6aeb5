import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isInScope, namesOfKind, usageOf } from './quota.ts'

const pod = (spec: object, status: object = {}): never => ({ spec, status }) as never
const PODS = { group: '', plural: 'pods' }
const counts = (quota: never, object: never): boolean => isInScope(quota, PODS, object)
const cpu = (requests: string): object => ({ resources: { requests: { cpu: requests } } })

const cases: { it: string; kind: [string, string]; object: object; name: string; want: string | undefined }[] = [
  {
    it: 'sums the containers of a pod',
    kind: ['', 'pods'],
    object: { spec: { containers: [cpu('100m'), cpu('0.2')] } },
    name: 'requests.cpu',
    want: '300m',
  },
  {
    it: 'takes the largest init container where it is larger',
    kind: ['', 'pods'],
    object: { spec: { initContainers: [cpu('1'), cpu('2')], containers: [cpu('500m')] } },
    name: 'cpu',
    want: '2',
  },
  {
    it: 'adds sidecars to the containers',
    kind: ['', 'pods'],
    object: { spec: { initContainers: [{ ...cpu('1'), restartPolicy: 'Always' }], containers: [cpu('500m')] } },
    name: 'cpu',
    want: '1500m',
  },
  {
    it: 'counts an ended pod only by count/pods',
    kind: ['', 'pods'],
    object: { spec: { containers: [cpu('1')] }, status: { phase: 'Succeeded' } },
    name: 'pods',
    want: undefined,
  },
  {
    it: 'counts a pod that grows with the larger amount',
    kind: ['', 'pods'],
    object: {
      spec: { containers: [{ name: 'c', ...cpu('1') }] },
      status: { containerStatuses: [{ name: 'c', ...cpu('2'), allocatedResources: { cpu: '1500m' } }] },
    },
    name: 'requests.cpu',
    want: '2',
  },
  {
    it: 'does not count what a resize asks for that can never be',
    kind: ['', 'pods'],
    object: {
      spec: { containers: [{ name: 'c', ...cpu('100') }] },
      status: {
        containerStatuses: [{ name: 'c', ...cpu('2') }],
        conditions: [{ type: 'PodResizePending', reason: 'Infeasible' }],
      },
    },
    name: 'requests.cpu',
    want: '2',
  },
  {
    it: 'counts no limits of extended resources',
    kind: ['', 'pods'],
    object: { spec: { containers: [{ resources: { limits: { 'a.b/gpu': '1' }, requests: { 'a.b/gpu': '1' } } }] } },
    name: 'limits.a.b/gpu',
    want: undefined,
  },
  {
    it: 'compares the sums while a pod is resized, not its containers one by one',
    kind: ['', 'pods'],
    object: {
      spec: {
        containers: [
          { name: 'a', ...cpu('3') },
          { name: 'b', ...cpu('1') },
        ],
      },
      status: {
        containerStatuses: [
          { name: 'a', ...cpu('1') },
          { name: 'b', ...cpu('2') },
        ],
      },
    },
    name: 'requests.cpu',
    want: '4',
  },
  {
    it: 'adds overhead to what a pod asks for',
    kind: ['', 'pods'],
    object: { spec: { containers: [cpu('1')], overhead: { cpu: '250m', memory: '64Mi' } } },
    name: 'requests.memory',
    want: '64Mi',
  },
  {
    it: 'has no limit of overhead alone',
    kind: ['', 'pods'],
    object: { spec: { containers: [cpu('1')], overhead: { cpu: '250m' } } },
    name: 'limits.cpu',
    want: undefined,
  },
  {
    it: 'does not count a pod that ought to be gone',
    kind: ['', 'pods'],
    object: {
      metadata: { deletionTimestamp: '1970-01-01T00:00:10Z', deletionGracePeriodSeconds: 29 },
      spec: { containers: [cpu('1')] },
    },
    name: 'pods',
    want: undefined,
  },
  {
    it: 'counts a pod that is leaving',
    kind: ['', 'pods'],
    object: {
      metadata: { deletionTimestamp: '1970-01-01T00:00:10Z', deletionGracePeriodSeconds: 30 },
      spec: { containers: [cpu('1')] },
    },
    name: 'pods',
    want: '1',
  },
  {
    it: 'counts the node ports of a service',
    kind: ['', 'services'],
    object: { spec: { type: 'NodePort', ports: [{ port: 80 }, { port: 443 }] } },
    name: 'services.nodeports',
    want: '2',
  },
  {
    it: 'counts other kinds by name and group',
    kind: ['apps', 'deployments'],
    object: {},
    name: 'count/deployments.apps',
    want: '1',
  },
  {
    it: 'keeps the family of the suffix',
    kind: ['', 'persistentvolumeclaims'],
    object: { spec: { resources: { requests: { storage: '2Gi' } } } },
    name: 'requests.storage',
    want: '2Gi',
  },
  {
    it: 'counts what a claim was given where that is more than it asks for',
    kind: ['', 'persistentvolumeclaims'],
    object: {
      spec: { resources: { requests: { storage: '2Gi' } } },
      status: { allocatedResources: { storage: '3Gi' } },
    },
    name: 'requests.storage',
    want: '3Gi',
  },
  {
    it: 'counts the ports that a load balancer without ports of its own names',
    kind: ['', 'services'],
    object: {
      spec: {
        type: 'LoadBalancer',
        allocateLoadBalancerNodePorts: false,
        ports: [{ port: 80 }, { port: 443, nodePort: 30443 }],
      },
    },
    name: 'services.nodeports',
    want: '1',
  },
  {
    it: 'writes a sum as what an init container itself asks for is written',
    kind: ['', 'pods'],
    object: { spec: { initContainers: [{ ...cpu('1e3'), restartPolicy: 'Always' }, cpu('100m')], containers: [] } },
    name: 'requests.cpu',
    want: '1000100m',
  },
]
for (const { it, kind, object, name, want } of cases)
  test(`quota ${it}`, () => {
    const usage = usageOf({ group: kind[0], plural: kind[1] }, object as never, 40_000)
    assert.equal(usage.get(name)?.text, want)
  })

test('quota scopes choose pods by deadline, class and priority', () => {
  const quota = (spec: object): never => ({ spec }) as never
  const urgent = { scopeName: 'PriorityClass', operator: 'In', values: ['urgent'] }
  assert.equal(counts(quota({ scopes: ['Terminating'] }), pod({ activeDeadlineSeconds: 5 })), true)
  assert.equal(counts(quota({ scopes: ['Terminating'] }), pod({})), false)
  assert.equal(counts(quota({ scopes: ['BestEffort'] }), pod({}, { qosClass: 'Burstable' })), false)
  const chosen = quota({ scopeSelector: { matchExpressions: [urgent] } })
  assert.equal(counts(chosen, pod({ priorityClassName: 'urgent' })), true)
  assert.equal(counts(chosen, pod({})), false)
})

test('a claim without a class of attributes is in the scopes that ask for none', () => {
  const claims = { group: '', plural: 'persistentvolumeclaims' }
  const isCounted = (scope: object, spec: object): boolean => {
    const matchExpressions = [{ scopeName: 'VolumeAttributesClass', ...scope }]
    return isInScope({ spec: { scopeSelector: { matchExpressions } } } as never, claims, { spec } as never)
  }
  const named = { volumeAttributesClassName: 'gold' }
  assert.equal(isCounted({ operator: 'DoesNotExist' }, {}), true)
  assert.equal(isCounted({ operator: 'NotIn', values: ['gold'] }, {}), true)
  assert.equal(isCounted({ operator: 'In', values: ['gold'] }, {}), false)
  assert.equal(isCounted({ operator: 'DoesNotExist' }, named), false)
  assert.equal(isCounted({ operator: 'Exists' }, named), true)
})

const names: { it: string; kind: [string, string]; names: string[]; want: string[] }[] = [
  {
    it: 'pods by compute, extended and object names',
    kind: ['', 'pods'],
    names: ['pods', 'count/pods', 'limits.memory', 'requests.a.b/gpu', 'a.b/gpu', 'services', 'requests.storage'],
    want: ['pods', 'count/pods', 'limits.memory', 'requests.a.b/gpu'],
  },
  {
    it: 'claims by their class',
    kind: ['', 'persistentvolumeclaims'],
    names: ['fast.storageclass.storage.k8s.io/requests.storage', 'requests.storage', 'requests.cpu'],
    want: ['fast.storageclass.storage.k8s.io/requests.storage', 'requests.storage'],
  },
  {
    it: 'kinds of groups by their group alone',
    kind: ['apps', 'deployments'],
    names: ['count/deployments.apps', 'count/deployments', 'deployments'],
    want: ['count/deployments.apps'],
  },
]
for (const { it, kind, names: all, want } of names)
  test(`quota concerns ${it}`, () => assert.deepEqual(namesOfKind({ group: kind[0], plural: kind[1] }, all), want))
