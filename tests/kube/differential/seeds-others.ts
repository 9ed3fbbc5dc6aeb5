import { seed, type Seed, SPACE } from './seed.ts'
import { SELECTOR } from './seed-template.ts'

const SUBJECTS = [
  { kind: 'User', name: 'u', apiGroup: 'rbac.authorization.k8s.io' },
  { kind: 'Group', name: 'g' },
  { kind: 'ServiceAccount', name: 'default', namespace: SPACE },
]
const RULES = [
  { apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get', 'list'], resourceNames: ['x'] },
  { apiGroups: ['apps'], resources: ['deployments'], verbs: ['*'] },
]

/** Seeds of all other kinds. */
export const OTHER_SEEDS: readonly Seed[] = [
  seed('coordination.k8s.io/v1', 'leases', 'Lease', {
    spec: {
      holderIdentity: 'me',
      leaseDurationSeconds: 10,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 1,
    },
  }),
  seed('discovery.k8s.io/v1', 'endpointslices', 'EndpointSlice', {
    addressType: 'IPv4',
    endpoints: [
      {
        addresses: ['10.1.1.1'],
        conditions: { ready: true, serving: true, terminating: false },
        hostname: 'h',
        nodeName: 'n',
        zone: 'z',
        hints: { forZones: [{ name: 'z' }] },
        targetRef: { kind: 'Pod', name: 'p' },
      },
    ],
    ports: [{ name: 'http', port: 80, protocol: 'TCP', appProtocol: 'http' }],
  }),
  seed('events.k8s.io/v1', 'events', 'Event', {
    metadata: { name: 'seed2' },
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingController: 'example.com/c',
    reportingInstance: 'i',
    action: 'Act',
    reason: 'Tested',
    regarding: { kind: 'Pod', namespace: SPACE, name: 'p', apiVersion: 'v1' },
    related: { kind: 'Pod', namespace: SPACE, name: 'q' },
    note: 'told',
    type: 'Warning',
    series: { count: 2, lastObservedTime: '2026-01-01T00:00:00.000000Z' },
  }),
  seed(
    'networking.k8s.io/v1',
    'ingressclasses',
    'IngressClass',
    {
      spec: {
        controller: 'example.com/c',
        parameters: { apiGroup: 'a.b', kind: 'K', name: 'n', scope: 'Namespace', namespace: 'x' },
      },
    },
    false,
  ),
  seed('networking.k8s.io/v1', 'ingresses', 'Ingress', {
    spec: {
      ingressClassName: 'c',
      defaultBackend: { service: { name: 's', port: { number: 80 } } },
      tls: [{ hosts: ['a.example.com'], secretName: 's' }],
      rules: [
        {
          host: 'a.example.com',
          http: {
            paths: [
              { path: '/x', pathType: 'Prefix', backend: { service: { name: 's', port: { name: 'http' } } } },
              { path: '/y', pathType: 'Exact', backend: { resource: { apiGroup: 'a.b', kind: 'K', name: 'n' } } },
            ],
          },
        },
      ],
    },
  }),
  seed(
    'networking.k8s.io/v1',
    'ipaddresses',
    'IPAddress',
    {
      metadata: { name: '10.9.9.9' },
      spec: { parentRef: { group: '', resource: 'services', namespace: SPACE, name: 's' } },
    },
    false,
  ),
  seed('networking.k8s.io/v1', 'networkpolicies', 'NetworkPolicy', {
    spec: {
      podSelector: { matchLabels: { a: 'b' } },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        {
          from: [
            { podSelector: { matchLabels: { a: 'b' } }, namespaceSelector: { matchLabels: { c: 'd' } } },
            { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } },
          ],
          ports: [{ protocol: 'TCP', port: 80, endPort: 90 }, { port: 'http' }],
        },
      ],
      egress: [{ to: [{ ipBlock: { cidr: '2001:db8::/32' } }] }],
    },
  }),
  seed('networking.k8s.io/v1', 'servicecidrs', 'ServiceCIDR', { spec: { cidrs: ['10.200.0.0/24'] } }, false),
  seed('policy/v1', 'poddisruptionbudgets', 'PodDisruptionBudget', {
    spec: { minAvailable: '50%', selector: SELECTOR, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
  }),
  seed(
    'rbac.authorization.k8s.io/v1',
    'clusterroles',
    'ClusterRole',
    {
      rules: [...RULES, { nonResourceURLs: ['/healthz'], verbs: ['get'] }],
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] },
    },
    false,
  ),
  seed(
    'rbac.authorization.k8s.io/v1',
    'clusterrolebindings',
    'ClusterRoleBinding',
    { subjects: SUBJECTS, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' } },
    false,
  ),
  seed('rbac.authorization.k8s.io/v1', 'roles', 'Role', { rules: RULES }),
  seed('rbac.authorization.k8s.io/v1', 'rolebindings', 'RoleBinding', {
    subjects: SUBJECTS,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
  }),
  seed(
    'scheduling.k8s.io/v1',
    'priorityclasses',
    'PriorityClass',
    { value: 100, globalDefault: false, description: 'd', preemptionPolicy: 'Never' },
    false,
  ),
  seed(
    'storage.k8s.io/v1',
    'csidrivers',
    'CSIDriver',
    {
      metadata: { name: 'd.example.com' },
      spec: {
        attachRequired: true,
        podInfoOnMount: true,
        volumeLifecycleModes: ['Persistent', 'Ephemeral'],
        storageCapacity: true,
        fsGroupPolicy: 'File',
        tokenRequests: [{ audience: 'a', expirationSeconds: 900 }],
        requiresRepublish: true,
        seLinuxMount: true,
      },
    },
    false,
  ),
  seed(
    'storage.k8s.io/v1',
    'csinodes',
    'CSINode',
    { spec: { drivers: [{ name: 'd.example.com', nodeID: 'n', topologyKeys: ['zone'], allocatable: { count: 3 } }] } },
    false,
  ),
  seed('storage.k8s.io/v1', 'csistoragecapacities', 'CSIStorageCapacity', {
    storageClassName: 'fast',
    capacity: '5Gi',
    maximumVolumeSize: '1Gi',
    nodeTopology: { matchLabels: { a: 'b' } },
  }),
  seed(
    'storage.k8s.io/v1',
    'storageclasses',
    'StorageClass',
    {
      provisioner: 'd.example.com',
      parameters: { type: 'ssd' },
      reclaimPolicy: 'Retain',
      volumeBindingMode: 'WaitForFirstConsumer',
      allowVolumeExpansion: true,
      mountOptions: ['ro'],
      allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['a'] }] }],
    },
    false,
  ),
  seed(
    'storage.k8s.io/v1',
    'volumeattachments',
    'VolumeAttachment',
    { spec: { attacher: 'd.example.com', nodeName: 'n', source: { persistentVolumeName: 'pv' } } },
    false,
  ),
  seed(
    'storage.k8s.io/v1',
    'volumeattributesclasses',
    'VolumeAttributesClass',
    { driverName: 'd.example.com', parameters: { iops: '100' } },
    false,
  ),
]
