import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import { applyDefaults } from '../defaulting/apply.ts'
import { objFrom } from '../object.ts'
import { builtinResources } from '../resources/builtin.ts'
import { resourcesOf } from '../resources/definitions.ts'
import type { Resource } from '../resources/resource.ts'
import { unifiedDiff } from './changes/diff-text.ts'
import { validateObject } from './validate.ts'

const builtin = builtinResources()

function resourceFor(apiVersion: string, kind: string): Resource {
  const found = builtin.find(
    (each) => each.kind === kind && `${each.group}/${each.version}`.replace(/^\//, '') === apiVersion,
  )
  if (found === undefined) throw new Error(`no ${apiVersion} ${kind}`)
  return found
}

function faults(resource: Resource, body: JsonObject, before?: JsonObject, subresource = ''): string[] {
  const named = (object: JsonObject): ReturnType<typeof objFrom> =>
    objFrom({ metadata: { name: 'x' }, ...object }, `${resource.group}/${resource.version}`, resource.kind)
  const call = { resource, subresource } as unknown as Call
  const object = named(body)
  if (resource.custom === undefined) applyDefaults(resource.type, object)
  const errors = validateObject(call, object, before === undefined ? undefined : named(before))
  return errors.map(({ field, message }) => `${field}: ${message}`)
}

const POD = { apiVersion: 'v1', kind: 'Pod' }
const MAIN = { name: 'c', image: 'i' }
const cases: { it: string; body: JsonObject; want: string[] }[] = [
  {
    it: 'refuses an extended resource without a limit',
    body: { ...POD, spec: { containers: [{ ...MAIN, resources: { requests: { 'example.com/gpu': '1' } } }] } },
    want: ['spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources'],
  },
  {
    it: 'measures the containers by what the whole pod has',
    body: {
      ...POD,
      spec: {
        resources: { requests: { cpu: '1', memory: '1Mi' }, limits: { cpu: '2', 'ephemeral-storage': '1' } },
        containers: [{ ...MAIN, resources: { requests: { cpu: '1500m' }, limits: { cpu: '3' } } }],
      },
    },
    want: [
      'spec.resources.limits[ephemeral-storage]: Unsupported value: "ephemeral-storage": supported values: "cpu", "hugepages-", "memory"',
      'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 1500m',
      'spec.resources.containers[0][cpu].limits: Invalid value: "3": must be less than or equal to pod limits of 2',
    ],
  },
  {
    it: 'tells of a long name what else is wrong with it',
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: `${'a'.repeat(63)}.b` } },
    want: [
      `metadata.name: Invalid value: "${'a'.repeat(63)}.b": must be no more than 63 characters`,
      `metadata.name: Invalid value: "${'a'.repeat(63)}.b": must not contain dots`,
      `metadata.labels: Invalid value: "${'a'.repeat(63)}.b": must be no more than 63 bytes`,
    ],
  },
  {
    it: 'refuses debug containers of a new pod',
    body: { ...POD, spec: { containers: [MAIN], ephemeralContainers: [{ name: 'd', image: 'x' }] } },
    want: ['spec.ephemeralContainers: Forbidden: cannot be set on create'],
  },
  {
    it: 'tells a toleration that exists with a value',
    body: { ...POD, spec: { containers: [MAIN], tolerations: [{ key: 'k', operator: 'Exists', value: 'v' }] } },
    want: ['spec.tolerations[0].operator: Invalid value: "v": value must be empty when `operator` is \'Exists\''],
  },
  {
    it: 'takes mounts of the claims of a stateful set',
    body: {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      spec: {
        selector: { matchLabels: { a: 'b' } },
        updateStrategy: { type: 'OnDelete' },
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
        template: {
          metadata: { labels: { a: 'b' } },
          spec: { containers: [{ ...MAIN, volumeMounts: [{ name: 'data', mountPath: '/d' }] }] },
        },
      },
    },
    want: [],
  },
  {
    it: 'tells a quota whose scope does not fit its resource',
    body: { apiVersion: 'v1', kind: 'ResourceQuota', spec: { hard: { services: '1' }, scopes: ['BestEffort'] } },
    want: ['spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource'],
  },
  {
    it: 'wants both keys of a TLS secret',
    body: { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls' },
    want: ['data[tls.crt]: Required value', 'data[tls.key]: Required value'],
  },
  {
    it: 'tells an autoscaler without a bound after everything else',
    body: {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      spec: { minReplicas: 1, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' } },
    },
    want: [
      'spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`',
      'spec.maxReplicas: Required value',
    ],
  },
  {
    it: 'refuses endpoints on the loopback',
    body: { apiVersion: 'v1', kind: 'Endpoints', subsets: [{ addresses: [{ ip: '127.0.0.1' }] }] },
    want: [
      'subsets[0].addresses[0].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
    ],
  },
  {
    it: 'takes loopback endpoints from our own controllers',
    body: {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: 'e',
        labels: { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' },
      },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['127.64.0.2'] }],
    },
    want: [],
  },
  {
    it: 'tells the fault of a volume, then of its second kind',
    body: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        nfs: { server: '', path: 'x' },
        local: { path: '/x' },
      },
    },
    want: [
      'spec.nfs.server: Required value',
      'spec.nfs.path: Invalid value: "x": must be an absolute path',
      'spec.local: Forbidden: may not specify more than 1 volume type',
    ],
  },
  {
    it: 'wants nodes for a local volume',
    body: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], local: { path: '/x' } },
    },
    want: ['spec.nodeAffinity: Required value: Local volume requires node affinity'],
  },
  {
    it: 'tells a storage driver what it may ask for',
    body: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      spec: { fsGroupPolicy: 'x', tokenRequests: [{ audience: 'a', expirationSeconds: 5 }, { audience: 'a' }] },
    },
    want: [
      'spec.fsGroupPolicy: Unsupported value: "x": supported values: "File", "None", "ReadWriteOnceWithFSType"',
      'spec.tokenRequests[0].expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes',
      'spec.tokenRequests[1].audience: Duplicate value: "a"',
    ],
  },
  {
    it: 'bounds the failures of an indexed job by its completions',
    body: {
      apiVersion: 'batch/v1',
      kind: 'Job',
      spec: {
        completions: 2,
        completionMode: 'Indexed',
        backoffLimitPerIndex: 1,
        maxFailedIndexes: 3,
        manualSelector: true,
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { restartPolicy: 'Never', containers: [MAIN] } },
      },
    },
    want: ['spec.maxFailedIndexes: Invalid value: 3: must be less than or equal to completions'],
  },
  {
    it: 'does not look at what a stateful set says of the names of its pods',
    body: {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      spec: {
        selector: { matchLabels: { a: 'b' } },
        updateStrategy: { type: 'OnDelete' },
        template: { metadata: { labels: { a: 'b' } }, spec: { hostname: 'Odd!', containers: [MAIN] } },
      },
    },
    want: [],
  },
  {
    it: 'tells what a flow must say',
    body: {
      apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
      kind: 'FlowSchema',
      spec: {
        matchingPrecedence: 1,
        priorityLevelConfiguration: { name: '' },
        rules: [{ subjects: [{ kind: 'User', group: { name: 'g' } }] }],
      },
    },
    want: [
      "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
      'spec.priorityLevelConfiguration.name: Required value: must reference a priority level',
      "spec.rules[0].subjects[0].user: Required value: user is required when subject kind is 'User'",
      "spec.rules[0].subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group'",
      'spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty',
    ],
  },
]
for (const { it, body, want } of cases)
  test(`validation ${it}`, () => {
    assert.deepEqual(faults(resourceFor(String(body.apiVersion), String(body.kind)), body), want)
  })

const definition = (schema: JsonObject): JsonObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', ...schema } } }],
  },
  status: { storedVersions: ['v1'] },
})
const AT = 'spec.validation.openAPIV3Schema'
const ruled = (properties: JsonObject, ...rules: string[]): JsonObject => ({
  properties: { spec: { type: 'object', properties, 'x-kubernetes-validations': rules.map((rule) => ({ rule })) } },
})
const broken = (rule: string, column: number, why: string, index = 0): string =>
  `${AT}.properties[spec].x-kubernetes-validations[${index}].rule: Invalid value: {"Rule":${JSON.stringify(rule)},"Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: ERROR: <input>:1:${column}: ${why}\n | ${rule}\n | ${'.'.repeat(column - 1)}^`
const schemas: { it: string; schema: JsonObject; want: string[] }[] = [
  { it: 'takes a plain schema', schema: { properties: { a: { type: 'string' } } }, want: [] },
  {
    it: 'wants a type for every field',
    schema: { properties: { a: {} } },
    want: [`${AT}.properties[a].type: Required value: must not be empty for specified object fields`],
  },
  {
    it: 'refuses a default that its own schema refuses',
    schema: { properties: { a: { type: 'integer', maximum: 3, default: 5 } } },
    want: [`${AT}.properties[a].default: Invalid value: 5:  in body should be less than or equal to 3`],
  },
  {
    it: 'refuses a default that its own rules refuse',
    schema: {
      properties: { a: { type: 'string', default: 'x', 'x-kubernetes-validations': [{ rule: 'self == "y"' }] } },
    },
    want: [`${AT}.properties[a].default: Invalid value: "x": failed rule: self == "y"`],
  },
  {
    it: 'refuses a default with fields that would be pruned',
    schema: {
      properties: {
        a: { type: 'object', properties: { b: { type: 'string' } }, default: { c: 1, b: 'x' } },
        d: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, default: { any: 1 } },
      },
    },
    want: [`${AT}.properties[a].default: Invalid value: {"b":"x","c":1}: must not have unknown fields`],
  },
  {
    it: 'asks of no default that nothing is there twice',
    schema: {
      properties: {
        a: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set', default: ['x', 'x'] },
      },
    },
    want: [],
  },
  {
    it: 'takes an empty list of schemas for none',
    schema: { properties: { a: { type: 'array', items: [] } } },
    want: [`${AT}.properties[a].items: Required value: must be specified`],
  },
  {
    it: 'wants a structure for what alternatives of the root speak of, and for no others',
    schema: {
      properties: { a: { type: 'object', anyOf: [{ properties: { b: { minLength: 1 } } }] } },
      anyOf: [{ properties: { a: { properties: { c: { minLength: 1 } } } } }],
    },
    want: [
      `${AT}.properties[a].properties[c]: Required value: because it is defined in ${AT}.anyOf[0].properties[a].properties[c]`,
    ],
  },
  {
    it: 'compiles rules',
    schema: { properties: { a: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self + 1' }] } } },
    want: [
      `${AT}.properties[a].x-kubernetes-validations[0].rule: Invalid value: {"Rule":"self + 1","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: cel expression must evaluate to a bool`,
    ],
  },
  {
    it: 'types what rules say of fields',
    schema: ruled({ a: { type: 'string' } }, 'self.a == 1'),
    want: [broken('self.a == 1', 8, "found no matching overload for '_==_' applied to '(string, int)'")],
  },
  {
    it: 'refuses names that a rule does not have',
    schema: ruled({ a: { type: 'string' } }, 'a.b'),
    want: [broken('a.b', 1, "undeclared reference to 'a' (in container '')")],
  },
  {
    it: 'knows what is no field, asked for with has or not',
    schema: ruled({ a: { type: 'string' } }, 'self.b == 1', 'has(self.b)'),
    want: [broken('self.b == 1', 5, "undefined field 'b'"), broken('has(self.b)', 4, "undefined field 'b'", 1)],
  },
  {
    it: 'takes the functions of Kubernetes',
    schema: ruled(
      { a: { type: 'string' } },
      'isURL(self.a) && url(self.a).getHost() != ""',
      'cidr("10.0.0.0/8").containsIP(self.a) && ip(self.a).family() == 4',
      'sets.contains(["a"], [self.a]) && semver(self.a).major() > 1',
    ),
    want: [],
  },
  {
    it: 'does not say what was in a list without keys',
    schema: {
      properties: {
        a: {
          type: 'array',
          maxItems: 2,
          items: { type: 'string', maxLength: 9, 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] },
        },
      },
    },
    want: [
      `${AT}.properties[a].items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within ${AT}.properties[a]`,
    ],
  },
]
for (const { it, schema, want } of schemas)
  test(`validation of definitions ${it}`, () => {
    const resource = resourceFor('apiextensions.k8s.io/v1', 'CustomResourceDefinition')
    assert.deepEqual(faults(resource, definition(schema)), want)
  })

const SIZES = {
  properties: {
    size: { type: 'integer', maximum: 10 },
    keep: { type: 'string', 'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'stays' }] },
  },
  'x-kubernetes-validations': [
    { rule: '!has(self.size) || self.size != 3', messageExpression: '"not " + string(self.size)', fieldPath: '.size' },
  ],
}
const customs: { it: string; body: JsonObject; before?: JsonObject; want: string[] }[] = [
  { it: 'asks the rules', body: { size: 3 }, want: ['size: Invalid value: not 3'] },
  {
    it: 'asks no rule when the schema refused already',
    body: { size: 'x' },
    want: [
      'size: Invalid value: "string": size in body must be of type integer: "string"',
      '<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
    ],
  },
  { it: 'asks a rule of changes only when something was there', body: { keep: 'a' }, want: [] },
  { it: 'holds what must stay', body: { keep: 'b' }, before: { keep: 'a' }, want: ['keep: Invalid value: "b": stays'] },
]
for (const { it, body, before, want } of customs)
  test(`validation of custom resources ${it}`, () => {
    const [resource] = resourcesOf(objFrom(definition(SIZES), 'apiextensions.k8s.io/v1', 'CustomResourceDefinition'))
    assert.ok(resource)
    assert.deepEqual(faults(resource, body, before), want)
  })

const ONE_EACH = 'may specify no more than one IP for each IP family'
const addresses: { it: string; status: JsonObject; want: string[] }[] = [
  { it: 'takes an address of each family', status: { podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] }, want: [] },
  {
    it: 'refuses two addresses of a family',
    status: { podIPs: [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }] },
    want: [`status.podIPs: Invalid value: [{"IP":"10.0.0.1"},{"IP":"10.0.0.2"}]: ${ONE_EACH}`],
  },
  {
    it: 'knows no family of what is no address',
    status: { podIPs: [{ ip: '10.0.0.1' }, { ip: 'x' }] },
    want: [
      'status.podIPs[1]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      'status.podIPs: Internal error: failed to check for dual stack with error:invalid IP[1]: x',
      `status.podIPs: Invalid value: [{"IP":"10.0.0.1"},{"IP":"x"}]: ${ONE_EACH}`,
    ],
  },
  {
    it: 'wants the first address of the node to be its only one',
    status: { hostIP: '10.0.0.1', hostIPs: [{ ip: 'fd00::1' }] },
    want: ['status.hostIPs[0].ip: Invalid value: "fd00::1": must be equal to `hostIP`'],
  },
]
for (const { it, status, want } of addresses)
  test(`status of a pod ${it}`, () => {
    const pod = { ...POD, spec: { containers: [MAIN] } }
    assert.deepEqual(faults(resourceFor('v1', 'Pod'), { ...pod, status }, pod, 'status'), want)
  })

test('a service that is created by its status is checked as a whole', () => {
  const service = { apiVersion: 'v1', kind: 'Service', spec: {} }
  const kind = resourceFor('v1', 'Service')
  assert.deepEqual(faults(kind, service, undefined, 'status'), ['spec.ports: Required value'])
  assert.deepEqual(faults(kind, service, service, 'status'), [])
})

test('validation stops a rule that never ends', () => {
  const list = Array.from({ length: 3000 }, (_, index) => index)
  const rule = 'self.all(a, self.all(b, self.all(c, a + b + c >= 0)))'
  const schema = {
    properties: {
      l: { type: 'array', items: { type: 'integer' }, 'x-kubernetes-validations': [{ rule, message: 'slow' }] },
    },
  }
  const [resource] = resourcesOf(objFrom(definition(schema), 'apiextensions.k8s.io/v1', 'CustomResourceDefinition'))
  assert.ok(resource)
  assert.match(faults(resource, { l: list })[0] ?? '', /^l: Invalid value: "array": .*evaluating rule: slow$/)
})

test('a diff shows three lines around a change', () => {
  const lines = ['1', '2', '3', '4', '5', '6', '7', '8', '9']
  assert.equal(
    unifiedDiff(lines, [...lines.slice(0, 4), 'x', ...lines.slice(5)]),
    '@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n',
  )
})

const changes: {
  it: string
  kind: [apiVersion: string, kind: string]
  from: JsonObject
  to: JsonObject
  want: string[]
}[] = [
  {
    it: 'tells a fixed object without its value when the kind declares it',
    kind: ['storage.k8s.io/v1', 'VolumeAttachment'],
    from: { spec: { attacher: 'd', nodeName: 'n', source: { persistentVolumeName: 'p' } } },
    to: { spec: { attacher: 'd', nodeName: 'm', source: { persistentVolumeName: 'p' } } },
    want: ['spec: Invalid value: null: field is immutable'],
  },
  {
    it: 'lets a second range of addresses be added, and no range be changed',
    kind: ['networking.k8s.io/v1', 'ServiceCIDR'],
    from: { spec: { cidrs: ['10.0.0.0/24'] } },
    to: { spec: { cidrs: ['10.0.1.0/24', 'fd00::/64'] } },
    want: ['spec.cidrs[0]: Invalid value: "10.0.1.0/24": field is immutable'],
  },
  {
    it: 'wants a range of addresses that is added to be of the other family',
    kind: ['networking.k8s.io/v1', 'ServiceCIDR'],
    from: { spec: { cidrs: ['10.0.0.0/24'] } },
    to: { spec: { cidrs: ['10.0.0.0/24', '10.0.1.0/24'] } },
    want: [
      'spec.cidrs: Invalid value: ["10.0.0.0/24","10.0.1.0/24"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
    ],
  },
  {
    it: 'takes no range of addresses away',
    kind: ['networking.k8s.io/v1', 'ServiceCIDR'],
    from: { spec: { cidrs: ['10.0.0.0/24', 'fd00::/64'] } },
    to: { spec: { cidrs: ['10.0.0.0/24'] } },
    want: ['spec.cidrs: Invalid value: ["10.0.0.0/24"]: field is immutable'],
  },
  {
    it: 'tells a changed preemption policy only as changed',
    kind: ['scheduling.k8s.io/v1', 'PriorityClass'],
    from: { value: 5, preemptionPolicy: 'Never' },
    to: { value: 5, preemptionPolicy: 'X' },
    want: ['preemptionPolicy: Invalid value: "X": field is immutable'],
  },
  {
    it: 'tells what a type of addresses may be before that it never changes',
    kind: ['discovery.k8s.io/v1', 'EndpointSlice'],
    from: { addressType: 'IPv4', endpoints: [] },
    to: { addressType: 'X', endpoints: [] },
    want: [
      'addressType: Unsupported value: "X": supported values: "FQDN", "IPv4", "IPv6"',
      'addressType: Invalid value: null: field is immutable',
    ],
  },
  {
    it: 'lets the group policy of a storage driver change, and tells its attachment by another name',
    kind: ['storage.k8s.io/v1', 'CSIDriver'],
    from: { spec: { fsGroupPolicy: 'File', attachRequired: true, volumeLifecycleModes: ['Persistent'] } },
    to: { spec: { fsGroupPolicy: 'None', attachRequired: false } },
    want: ['spec.attachedRequired: Invalid value: false: field is immutable'],
  },
  {
    it: 'tells a driver of a node as the internal kind has it',
    kind: ['storage.k8s.io/v1', 'CSINode'],
    from: { spec: { drivers: [{ name: 'd', nodeID: 'n', topologyKeys: null, allocatable: { count: 1 } }] } },
    to: { spec: { drivers: [{ name: 'd', nodeID: 'm', topologyKeys: null }] } },
    want: [
      'spec.drivers: Invalid value: {"Name":"d","NodeID":"m","TopologyKeys":null,"Allocatable":null}: field is immutable',
    ],
  },
  {
    it: 'lets only the series of an event go on',
    kind: ['events.k8s.io/v1', 'Event'],
    from: { metadata: { name: 'x', namespace: 'default' }, deprecatedCount: 1 },
    to: { metadata: { name: 'x', namespace: 'default' }, deprecatedCount: 2, note: 'n', series: { count: 1 } },
    want: [
      'series.count: Invalid value: "": should be at least 2',
      'series.lastObservedTime: Required value',
      'message: Invalid value: "n": field is immutable',
      'count: Invalid value: 2: field is immutable',
    ],
  },
]
for (const { it, kind, from, to, want } of changes)
  test(`validation of changes ${it}`, () => assert.deepEqual(faults(resourceFor(...kind), to, from), want))

test('validation of an attachment tells its driver last, by its declaration', () => {
  const resource = resourceFor('storage.k8s.io/v1', 'VolumeAttachment')
  const spec = { attacher: 'x'.repeat(64), nodeName: 'n', source: {} }
  assert.deepEqual(faults(resource, { spec }), [
    'spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName',
    'spec.attacher: Too long: may not be more than 63 characters',
  ])
})
