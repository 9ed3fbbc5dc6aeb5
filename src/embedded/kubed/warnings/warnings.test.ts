import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../lib/kube/json.ts'
import { objFrom } from '../object.ts'
import { builtinResources } from '../resources/builtin.ts'
import { warningsOf } from './warnings.ts'

const builtin = builtinResources()
const twice = {
  containers: [
    {
      name: 'c',
      env: [
        { name: 'A', value: 'x' },
        { name: 'A', value: 'y' },
      ],
    },
  ],
}
const hides = 'env[1]: hides previous definition of "A", which may be dropped when using apply'
const workload = (more: JsonObject = {}): JsonObject => ({ spec: { template: { spec: twice }, ...more } })
const odd = '2001:DB8::0:1'
const told = 'IPv6 address "2001:DB8::0:1" should be in RFC 5952 canonical format ("2001:db8::1")'
const old = { [`volume.beta.kubernetes.io/storage-class`]: 'x' }
const oldClass =
  'metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead'

/** What the real API server 1.37.2 says. */
const cases: { it: string; kind: string; object: JsonObject; before?: JsonObject; want: string[] }[] = [
  { it: 'a new pod', kind: 'Pod', object: { spec: twice }, want: [`spec.containers[0].${hides}`] },
  { it: 'a changed pod of nothing', kind: 'Pod', object: { spec: twice }, before: { spec: twice }, want: [] },
  {
    it: 'a changed specification of its template',
    kind: 'Deployment',
    object: workload({ replicas: 2 }),
    before: workload(),
    want: [`spec.template.spec.containers[0].${hides}`],
  },
  { it: 'a labelled workload of nothing', kind: 'Deployment', object: workload(), before: workload(), want: [] },
  {
    it: 'a daemon set whose template stays of nothing',
    kind: 'DaemonSet',
    object: workload({ minReadySeconds: 2 }),
    before: workload(),
    want: [],
  },
  {
    it: 'a large Job of its indexes',
    kind: 'Job',
    object: { spec: { completionMode: 'Indexed', completions: 200_000, parallelism: 20_000 } },
    want: [
      'spec: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail',
    ],
  },
  {
    it: 'a service of its addresses',
    kind: 'Service',
    object: { spec: { type: 'ClusterIP', externalIPs: [odd] } },
    want: [
      `spec.externalIPs[0]: ${told}`,
      'spec.externalIPs is deprecated and may no longer be implemented in some clusters',
    ],
  },
  {
    it: 'a service of an old annotation',
    kind: 'Service',
    object: { metadata: { name: 'x', annotations: { 'service.kubernetes.io/topology-aware-hints': 'Auto' } } },
    want: [
      'annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead',
    ],
  },
  {
    it: 'endpoints of their addresses',
    kind: 'Endpoints',
    object: { subsets: [{ notReadyAddresses: [{ ip: odd }] }] },
    want: [`subsets[0].notReadyAddresses[0].ip: ${told}`],
  },
  {
    it: 'endpoints of the controller of nothing',
    kind: 'Endpoints',
    object: {
      metadata: { name: 'x', labels: { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' } },
      subsets: [{ addresses: [{ ip: odd }] }],
    },
    want: [],
  },
  {
    it: 'a volume of what has gone',
    kind: 'PersistentVolume',
    object: {
      metadata: { name: 'x', annotations: old },
      spec: { persistentVolumeReclaimPolicy: 'Recycle', storageos: {}, cephfs: {} },
    },
    want: [
      oldClass,
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
      'spec.cephfs: deprecated in v1.28, non-functional in v1.31+',
      'spec.storageOS: deprecated in v1.22, non-functional in v1.25+',
    ],
  },
  {
    it: 'a claim of its old annotation',
    kind: 'PersistentVolumeClaim',
    object: { metadata: { name: 'x', annotations: old } },
    want: [oldClass],
  },
  {
    it: 'a storage class of old labels',
    kind: 'StorageClass',
    object: { allowedTopologies: [{ matchLabelExpressions: [{ key: 'beta.kubernetes.io/os' }] }] },
    want: ['allowedTopologies[0].matchLabelExpressions[0].key: deprecated since v1.14; use "kubernetes.io/os" instead'],
  },
  {
    it: 'a runtime class of old labels',
    kind: 'RuntimeClass',
    object: { scheduling: { nodeSelector: { 'beta.kubernetes.io/os': 'linux' } } },
    want: ['scheduling.nodeSelector: deprecated since v1.14; use "kubernetes.io/os" instead'],
  },
]

for (const { it, kind, object, before, want } of cases)
  test(`the server tells ${it}`, () => {
    const resource = builtin.find((each) => each.kind === kind)
    assert.ok(resource)
    const named = (body: JsonObject): ReturnType<typeof objFrom> =>
      objFrom({ metadata: { name: 'x' }, ...body }, 'v1', kind)
    assert.deepEqual(warningsOf(resource, named(object), before && named(before)), want)
  })
