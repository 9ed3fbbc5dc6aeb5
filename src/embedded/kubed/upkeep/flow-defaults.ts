import type { JsonObject } from '../../../lib/kube/json.ts'
import type { Obj } from '../object.ts'

const VERSION = 'flowcontrol.apiserver.k8s.io/v1'
const ALL = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
}
const LEASES = { apiGroups: ['coordination.k8s.io'], resources: ['leases'], namespaces: ['*'] }
const NODES = { verbs: ['*'], apiGroups: [''], resources: ['nodes', 'nodes/status'], clusterScope: true }

const user = (name: string): JsonObject => ({ kind: 'User', user: { name } })
const group = (name: string): JsonObject => ({ kind: 'Group', group: { name } })
const ACCOUNTS: JsonObject = { kind: 'ServiceAccount', serviceAccount: { namespace: 'kube-system', name: '*' } }
const EVERYBODY = [group('system:unauthenticated'), group('system:authenticated')]

type Flow = readonly [
  name: string,
  level: string,
  precedence: number,
  by: '' | 'ByUser' | 'ByNamespace',
  subjects: readonly JsonObject[],
  rules?: JsonObject,
]

/** Flows that every cluster has, as the real server makes them. @see k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap */
const FLOWS: readonly Flow[] = [
  ['catch-all', 'catch-all', 10_000, 'ByUser', EVERYBODY],
  ['exempt', 'exempt', 1, '', [group('system:masters')]],
  ['global-default', 'global-default', 9900, 'ByUser', EVERYBODY],
  ['kube-controller-manager', 'workload-high', 800, 'ByNamespace', [user('system:kube-controller-manager')]],
  ['kube-scheduler', 'workload-high', 800, 'ByNamespace', [user('system:kube-scheduler')]],
  ['kube-system-service-accounts', 'workload-high', 900, 'ByNamespace', [ACCOUNTS]],
  [
    ...(['probes', 'exempt', 2, '', EVERYBODY] as const),
    { nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }] },
  ],
  ['service-accounts', 'workload-low', 9000, 'ByUser', [group('system:serviceaccounts')]],
  [
    ...(['system-leader-election', 'leader-election', 100, 'ByUser'] as const),
    [user('system:kube-controller-manager'), user('system:kube-scheduler'), ACCOUNTS],
    { resourceRules: [{ verbs: ['get', 'create', 'update'], ...LEASES }] },
  ],
  [
    ...(['system-node-high', 'node-high', 400, 'ByUser', [group('system:nodes')]] as const),
    {
      resourceRules: [
        { ...NODES, namespaces: ['*'] },
        { verbs: ['*'], ...LEASES },
      ],
    },
  ],
  ['system-nodes', 'system', 500, 'ByUser', [group('system:nodes')]],
]

/** Limited levels: shares, percent that may be lent, and how requests wait. */
const LEVELS: readonly (readonly [name: string, shares: number, lendable: number, queues?: number, hand?: number])[] = [
  ['catch-all', 5, 0],
  ['global-default', 20, 50, 128, 6],
  ['leader-election', 10, 0, 16, 4],
  ['node-high', 40, 25, 64, 6],
  ['system', 30, 33, 64, 6],
  ['workload-high', 40, 50, 128, 6],
  ['workload-low', 100, 90, 128, 6],
]

const metadata = (name: string): Obj['metadata'] => ({
  name,
  generation: 1,
  annotations: { 'apf.kubernetes.io/autoupdate-spec': 'true' },
})

/** Flow schemas of every cluster. They are told; kubed lets all requests through. */
export function flowSchemas(): Obj[] {
  return FLOWS.map(([name, level, matchingPrecedence, by, subjects, rules = ALL]) => ({
    apiVersion: VERSION,
    kind: 'FlowSchema',
    metadata: metadata(name),
    spec: {
      priorityLevelConfiguration: { name: level },
      matchingPrecedence,
      ...(by === '' ? {} : { distinguisherMethod: { type: by } }),
      rules: [{ subjects: [...subjects], ...rules }],
    },
    status: {},
  }))
}

/** Priority levels of every cluster. */
export function priorityLevels(): Obj[] {
  const limited = LEVELS.map(([name, nominalConcurrencyShares, lendablePercent, queues, handSize]) => {
    const limitResponse: JsonObject =
      queues === undefined || handSize === undefined
        ? { type: 'Reject' }
        : { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 50 } }
    return { name, spec: { type: 'Limited', limited: { nominalConcurrencyShares, limitResponse, lendablePercent } } }
  })
  const exempt = {
    name: 'exempt',
    spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  }
  return [exempt, ...limited].map(({ name, spec }) => ({
    apiVersion: VERSION,
    kind: 'PriorityLevelConfiguration',
    metadata: metadata(name),
    spec,
    status: {},
  }))
}
