import { seed, type Seed, SPACE } from './seed.ts'
import { POD_SPEC } from './seed-pod.ts'
import { TEMPLATE } from './seed-template.ts'

const CLAIM_SPEC = {
  accessModes: ['ReadWriteOnce'],
  resources: { requests: { storage: '1Gi' }, limits: { storage: '2Gi' } },
  storageClassName: 'fast',
  volumeMode: 'Filesystem',
  volumeName: 'pv',
  selector: { matchLabels: { a: 'b' } },
}
const SCHEMA = {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      properties: {
        size: { type: 'integer', minimum: 1, maximum: 10, default: 2 },
        name: { type: 'string', maxLength: 8, pattern: '^[a-z]+$', enum: ['a', 'b'] },
        when: { type: 'string', format: 'date-time', nullable: true },
        port: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
        tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set', maxItems: 5 },
        parts: {
          type: 'array',
          items: { type: 'object', required: ['id'], properties: { id: { type: 'string', maxLength: 9 } } },
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['id'],
          maxItems: 5,
        },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        map: { type: 'object', additionalProperties: { type: 'string' }, maxProperties: 5 },
      },
      'x-kubernetes-validations': [
        { rule: 'self.size < 9', message: 'too big', reason: 'FieldValueInvalid', fieldPath: '.size' },
      ],
    },
    status: { type: 'object', properties: { replicas: { type: 'integer' }, ready: { type: 'boolean' } } },
  },
}

/** Seeds of the core kinds and of definitions. */
export const CORE_SEEDS: readonly Seed[] = [
  seed('v1', 'configmaps', 'ConfigMap', { data: { a: 'b' }, binaryData: { c: 'AAE=' }, immutable: false }),
  seed('v1', 'secrets', 'Secret', { data: { a: 'Yg==' }, stringData: { c: 'd' }, type: 'example.com/own' }),
  seed('v1', 'endpoints', 'Endpoints', {
    subsets: [
      {
        addresses: [{ ip: '10.1.1.1', hostname: 'h', nodeName: 'n', targetRef: { kind: 'Pod', name: 'p' } }],
        notReadyAddresses: [{ ip: '10.1.1.2' }],
        ports: [{ name: 'http', port: 80, protocol: 'TCP', appProtocol: 'http' }],
      },
    ],
  }),
  seed('v1', 'events', 'Event', {
    involvedObject: { kind: 'Pod', namespace: SPACE, name: 'p', apiVersion: 'v1' },
    reason: 'Tested',
    message: 'told',
    type: 'Normal',
    count: 2,
    source: { component: 'c', host: 'h' },
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:00Z',
  }),
  seed('v1', 'limitranges', 'LimitRange', {
    spec: {
      limits: [
        {
          type: 'Container',
          max: { cpu: '2' },
          min: { cpu: '10m' },
          default: { cpu: '1' },
          defaultRequest: { cpu: '500m' },
          maxLimitRequestRatio: { cpu: '4' },
        },
        { type: 'Pod', max: { memory: '1Gi' } },
        { type: 'PersistentVolumeClaim', max: { storage: '1Gi' } },
      ],
    },
  }),
  seed('v1', 'namespaces', 'Namespace', { metadata: { name: 'seed', labels: { a: 'b' } } }, false),
  seed('v1', 'persistentvolumeclaims', 'PersistentVolumeClaim', { spec: CLAIM_SPEC }),
  seed('v1', 'pods', 'Pod', {
    metadata: { name: 'seed', labels: { app: 'a' }, annotations: { note: 'x' }, finalizers: ['example.com/f'] },
    spec: POD_SPEC,
  }),
  seed('v1', 'podtemplates', 'PodTemplate', { template: TEMPLATE }),
  seed('v1', 'replicationcontrollers', 'ReplicationController', {
    spec: { replicas: 0, minReadySeconds: 1, selector: { app: 'a' }, template: TEMPLATE },
  }),
  seed('v1', 'resourcequotas', 'ResourceQuota', {
    spec: {
      hard: { pods: '5', 'requests.cpu': '2', 'count/configmaps': '4' },
      scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] },
    },
  }),
  seed('v1', 'serviceaccounts', 'ServiceAccount', {
    secrets: [{ name: 's' }],
    imagePullSecrets: [{ name: 'p' }],
    automountServiceAccountToken: false,
  }),
  seed('v1', 'services', 'Service', {
    spec: {
      type: 'LoadBalancer',
      selector: { app: 'a' },
      ports: [
        { name: 'http', port: 80, targetPort: 'web', protocol: 'TCP', appProtocol: 'http' },
        { name: 'dns', port: 53, targetPort: 5353, protocol: 'UDP' },
      ],
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 100 } },
      externalTrafficPolicy: 'Local',
      internalTrafficPolicy: 'Local',
      loadBalancerClass: 'example.com/lb',
      loadBalancerSourceRanges: ['10.0.0.0/8'],
      externalIPs: ['1.2.3.4'],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      publishNotReadyAddresses: true,
      allocateLoadBalancerNodePorts: true,
    },
  }),
  seed(
    'v1',
    'nodes',
    'Node',
    {
      metadata: { name: 'seed', labels: { a: 'b' } },
      spec: {
        podCIDR: '10.5.0.0/24',
        podCIDRs: ['10.5.0.0/24'],
        providerID: 'x://y',
        unschedulable: true,
        taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }],
      },
      status: { capacity: { cpu: '4', memory: '8Gi' }, addresses: [{ type: 'InternalIP', address: '10.0.0.9' }] },
    },
    false,
  ),
  seed(
    'v1',
    'persistentvolumes',
    'PersistentVolume',
    {
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Retain',
        storageClassName: 'fast',
        volumeMode: 'Filesystem',
        mountOptions: ['ro'],
        local: { path: '/mnt/x', fsType: 'ext4' },
        claimRef: { kind: 'PersistentVolumeClaim', namespace: SPACE, name: 'c' },
        nodeAffinity: {
          required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }] },
        },
      },
    },
    false,
  ),
  seed(
    'apiextensions.k8s.io/v1',
    'customresourcedefinitions',
    'CustomResourceDefinition',
    {
      metadata: { name: 'seeds.pair.example.com' },
      spec: {
        group: 'pair.example.com',
        scope: 'Namespaced',
        names: {
          plural: 'seeds',
          singular: 'seed',
          kind: 'Seed',
          listKind: 'SeedList',
          shortNames: ['sd'],
          categories: ['all'],
        },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: SCHEMA },
            subresources: {
              status: {},
              scale: {
                specReplicasPath: '.spec.size',
                statusReplicasPath: '.status.replicas',
                labelSelectorPath: '.status.sel',
              },
            },
            additionalPrinterColumns: [
              { name: 'Size', type: 'integer', jsonPath: '.spec.size', format: 'int32', priority: 1, description: 'd' },
            ],
            selectableFields: [{ jsonPath: '.spec.name' }],
          },
          {
            name: 'v1beta1',
            served: true,
            storage: false,
            deprecated: true,
            deprecationWarning: 'old',
            schema: { openAPIV3Schema: { type: 'object' } },
          },
        ],
        conversion: { strategy: 'None' },
        preserveUnknownFields: false,
      },
    },
    false,
  ),
]
