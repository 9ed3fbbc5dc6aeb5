import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import { applyDefaults } from '../defaulting/apply.ts'
import { objFrom } from '../object.ts'
import { builtinResources } from '../resources/builtin.ts'
import { validateObject } from './validate.ts'

const builtin = builtinResources()

/** Where the faults of a new object are, in the order in which they are told. */
function fieldsOf(key: string, body: JsonObject): string[] {
  const resource = builtin.find(({ storageKey, version }) => storageKey === key && version !== 'v1beta1')
  assert.ok(resource !== undefined, key)
  const { group, version, kind } = resource
  const object = objFrom({ metadata: { name: 'x' }, ...body }, group === '' ? version : `${group}/${version}`, kind)
  applyDefaults(resource.type, object)
  const call = { resource, subresource: '' } as unknown as Call
  return validateObject(call, object, undefined).map(({ field, type }) => `${field} ${type}`)
}

const MAIN = { name: 'c', image: 'i' }
const pod = (spec: JsonObject): JsonObject => ({ spec: { containers: [MAIN], ...spec } })

/** What the real API server 1.37.2 answered. */
const cases: { it: string; kind: string; body: JsonObject; want: string[] }[] = [
  {
    it: 'a name that is there twice with its volume, and an image without a policy as one that has it',
    kind: '/pods',
    body: pod({ volumes: [{ name: 'v' }, { name: 'v' }, { name: 'V', hostPath: {} }, { name: 'w', image: {} }] }),
    want: [
      'spec.volumes[1].name Duplicate',
      'spec.volumes[2].hostPath.path Required',
      'spec.volumes[2].name Invalid',
      'spec.volumes[3].image.reference Required',
    ],
  },
  {
    it: 'what a pod of Windows cannot have',
    kind: '/pods',
    body: pod({ os: { name: 'windows' }, hostIPC: true, securityContext: { runAsUser: 1, sysctls: [] } }),
    want: ['spec.securityContext.runAsUser Forbidden', 'spec.hostIPC Forbidden'],
  },
  {
    it: 'parts of huge pages and claims that the pod has not',
    kind: '/pods',
    body: pod({
      containers: [{ ...MAIN, resources: { limits: { cpu: '1', 'hugepages-2Mi': '3Mi' }, claims: [{ name: 'a' }] } }],
    }),
    want: [
      'spec.containers[0].resources.limits[hugepages-2Mi] Invalid',
      'spec.containers[0].resources.requests[hugepages-2Mi] Invalid',
      'spec.containers[0].resources.claims[0] NotFound',
    ],
  },
  {
    it: 'shares above all after shares that are none',
    kind: 'apps/deployments',
    body: {
      spec: {
        strategy: { rollingUpdate: { maxSurge: 'x', maxUnavailable: '120%' } },
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [MAIN] } },
      },
    },
    want: ['spec.strategy.rollingUpdate.maxSurge Invalid', 'spec.strategy.rollingUpdate.maxUnavailable Invalid'],
  },
  {
    it: 'types of a policy after its rules',
    kind: 'networking.k8s.io/networkpolicies',
    body: { spec: { podSelector: {}, policyTypes: ['Foo'], ingress: [{ ports: [{ port: 0 }] }] } },
    want: ['spec.ingress[0].ports[0].port Invalid', 'spec.policyTypes[0] NotSupported'],
  },
  {
    it: 'networks of a load balancer that the service is not, in the field and in the annotation',
    kind: '/services',
    body: { spec: { ports: [{ port: 80 }], loadBalancerSourceRanges: ['x'] } },
    want: ['spec.LoadBalancerSourceRanges Forbidden', 'spec.LoadBalancerSourceRanges[0] Invalid'],
  },
  {
    it: 'a class that only the system has',
    kind: 'scheduling.k8s.io/priorityclasses',
    body: { metadata: { name: 'system-x' }, value: 5, preemptionPolicy: 'Foo' },
    want: ['metadata.name Forbidden', 'preemptionPolicy NotSupported'],
  },
  {
    it: 'what a request for a certificate must say',
    kind: 'certificates.k8s.io/certificatesigningrequests',
    body: { spec: { request: 'eA==', signerName: 'a/b', usages: ['foo', 'any', 'any'], expirationSeconds: 5 } },
    want: [
      'spec.request Invalid',
      'spec.usages[0] NotSupported',
      'spec.usages[2] Duplicate',
      'spec.signerName Invalid',
      'spec.expirationSeconds Invalid',
    ],
  },
  {
    it: 'a selector of a job that cannot be read, and not of what it would select',
    kind: 'batch/jobs',
    body: {
      spec: {
        manualSelector: true,
        selector: { matchExpressions: [{ key: 'a', operator: 'Foo' }] },
        template: { metadata: { labels: { a: 'b' } }, spec: { restartPolicy: 'Never', containers: [MAIN] } },
      },
    },
    want: ['spec.selector.matchExpressions[0].operator Invalid'],
  },
  {
    it: 'finalizers one by one after all that are wrong with their names',
    kind: '/configmaps',
    body: { metadata: { name: 'x', finalizers: ['x', 'a b'] } },
    want: ['metadata.finalizers Invalid', 'metadata.finalizers[0] Invalid', 'metadata.finalizers[1] Invalid'],
  },
]

for (const { it, kind, body, want } of cases)
  test(`validation tells of ${it}`, () => assert.deepEqual(fieldsOf(kind, body), want))
