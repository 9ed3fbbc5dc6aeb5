import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Budget } from '../budget/decide.ts'
import type { Node, Pod, PodSpec } from '../shapes.ts'
import type { Claim, StorageClass, Volume } from '../volumes/shapes.ts'
import { roomOf, type Cluster } from './cluster.ts'
import { isWaitingForNode, placePod } from './decide.ts'
import { demandOf, milli } from './resources.ts'

/** What the scheduler of Kubernetes 1.37 said of the same pods on the same nodes. */
const HELPLESS = 'preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.'
const VICTIMLESS = 'preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.'
const HOSTNAME = 'kubernetes.io/hostname'

function node(name = 'n', spec: NonNullable<Node['spec']> = {}, status: Node['status'] | 'unknown' = undefined): Node {
  const ready = {
    conditions: [{ type: 'Ready', status: 'True' }],
    allocatable: { cpu: '4', memory: '8Gi', pods: '4', 'ephemeral-storage': '10Gi', 'example.com/foo': '2' },
  }
  const metadata = { name, labels: { [HOSTNAME]: name, disk: 'ssd' } }
  return { apiVersion: 'v1', kind: 'Node', metadata, spec, ...(status !== 'unknown' && { status: status ?? ready }) }
}

function pod(spec: Partial<PodSpec> = {}, name = 'p', labels: Record<string, string> = {}): Pod {
  const metadata = { name, namespace: 'a', uid: name, labels }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'c' }], ...spec } }
}

const storage = (kind: string, name: string, more: object) => ({ apiVersion: 'v1', kind, metadata: { name }, ...more })
const done = { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } }
const told = { annotations: { 'volume.kubernetes.io/selected-node': 'n' } }
const VOLUME = storage('PersistentVolume', 'pv', {
  spec: {
    nodeAffinity: {
      required: { nodeSelectorTerms: [{ matchExpressions: [{ key: HOSTNAME, operator: 'In', values: ['n'] }] }] },
    },
  },
}) as Volume
const LATER = storage('StorageClass', 'later', {
  provisioner: 'kubernetes.io/no-provisioner',
  volumeBindingMode: 'WaitForFirstConsumer',
}) as StorageClass
const CLAIMS: Readonly<Record<string, Claim>> = {
  data: storage('PersistentVolumeClaim', 'data', {
    metadata: { name: 'data', ...done },
    spec: { volumeName: 'pv' },
  }) as Claim,
  open: storage('PersistentVolumeClaim', 'open', { spec: {} }) as Claim,
  lost: storage('PersistentVolumeClaim', 'lost', { spec: { volumeName: 'x' }, status: { phase: 'Lost' } }) as Claim,
  later: storage('PersistentVolumeClaim', 'later', { spec: { storageClassName: 'later' } }) as Claim,
  told: storage('PersistentVolumeClaim', 'told', {
    metadata: { name: 'told', ...told },
    spec: { storageClassName: 'later' },
  }) as Claim,
}

function cluster(rooms: readonly [Node, ...Pod[]][], more: Partial<Cluster> & { nominated?: Pod[] } = {}): Cluster {
  const { nominated = [], ...others } = more
  return {
    rooms: rooms.map(([each, ...pods]) => roomOf(each, pods, nominated)),
    budgets: [],
    namespaceLabels: (namespace) => ({ team: namespace }),
    storage: {
      claim: (_namespace, name) => CLAIMS[name],
      volume: (name) => (name === 'pv' ? VOLUME : undefined),
      volumes: () => [VOLUME],
      storageClass: (name) => (name === 'later' ? LATER : undefined),
    },
    ...others,
  }
}

const asking = (requests: Record<string, string | number>): Partial<PodSpec> => ({
  containers: [{ name: 'c', resources: { requests } }],
})
const near = (selector: Record<string, string>, more: object = {}): PodSpec['affinity'] & object => ({
  podAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [
      { topologyKey: HOSTNAME, labelSelector: { matchLabels: selector }, ...more },
    ],
  },
})
const apart = (selector: Record<string, string>, more: object = {}): PodSpec['affinity'] & object => {
  const { podAffinity } = near(selector, more)
  return podAffinity === undefined ? {} : { podAntiAffinity: podAffinity }
}
const onPort = (hostPort: number, hostIP?: string): Partial<PodSpec> => ({
  containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort, ...(hostIP !== undefined && { hostIP }) }] }],
})
const spread = (topologyKey: string, more: object = {}): Partial<PodSpec> => ({
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey,
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: 'x' } },
      ...more,
    },
  ],
})
const x = (name = 'x', spec: Partial<PodSpec> = {}): Pod => pod(spec, name, { app: 'x' })
const named = (...lists: string[][]): Partial<PodSpec> => {
  const matchFields = lists.map((values) => ({ key: 'metadata.name', operator: 'In', values }))
  const requiredDuringSchedulingIgnoredDuringExecution = { nodeSelectorTerms: [{ matchFields }] }
  return { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution } } }
}
const tainted = { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] }
const full = [node(), x('1'), x('2'), x('3'), x('4')] as [Node, ...Pod[]]
const busy = [node(), x('base', asking({ cpu: 3 }))] as [Node, ...Pod[]]

const cases: { it: string; pod?: Pod; rooms: [Node, ...Pod[]][]; want: string }[] = [
  { it: 'goes to the only node', rooms: [[node()]], want: 'n' },
  { it: 'goes to the emptier node', rooms: [[node(), x()], [node('m')]], want: 'm' },
  { it: 'waits without nodes', rooms: [], want: 'no nodes available to schedule pods' },
  { it: 'waits for CPU', pod: pod(asking({ cpu: 2 })), rooms: [busy], want: `1 Insufficient cpu. ${VICTIMLESS}` },
  {
    it: 'waits for more than any node has',
    pod: pod(asking({ cpu: 20, memory: '20Gi' })),
    rooms: [busy],
    want: `1 Insufficient cpu, 1 Insufficient memory. ${HELPLESS}`,
  },
  {
    it: 'waits for a resource that no node has',
    pod: pod(asking({ 'example.com/bar': 1 })),
    rooms: [[node()]],
    want: `1 Insufficient example.com/bar. ${HELPLESS}`,
  },
  { it: 'takes what is left', pod: pod(asking({ 'example.com/foo': 2, cpu: '1' })), rooms: [busy], want: 'n' },
  { it: 'waits for a place', rooms: [full], want: `1 Too many pods. ${VICTIMLESS}` },
  {
    it: 'waits for a cordoned node',
    rooms: [[node('n', { unschedulable: true })]],
    want: `1 node(s) were unschedulable. ${HELPLESS}`,
  },
  { it: 'avoids a taint', rooms: [[node('n', tainted)]], want: `1 node(s) had untolerated taint(s). ${HELPLESS}` },
  {
    it: 'tolerates a taint',
    pod: pod({ tolerations: [{ key: 'k', operator: 'Exists' }] }),
    rooms: [[node('n', tainted)]],
    want: 'n',
  },
  { it: 'follows its selector', pod: pod({ nodeSelector: { disk: 'ssd' } }), rooms: [[node()]], want: 'n' },
  {
    it: 'waits for its selector',
    pod: pod({ nodeSelector: { disk: 'hdd' }, ...asking({ cpu: 20 }) }),
    rooms: [[node()]],
    want: `1 node(s) didn't match Pod's node affinity/selector. ${HELPLESS}`,
  },
  {
    it: 'finds no place on a node that says of none',
    rooms: [[node('n', {}, 'unknown')]],
    want: `1 Too many pods. ${VICTIMLESS}`,
  },
  {
    it: 'finds nothing that a node does not say it has',
    pod: pod(asking({ cpu: 1, memory: 1 })),
    rooms: [[node('n', {}, { allocatable: { pods: '1', memory: '1' } })]],
    want: `1 Insufficient cpu. ${HELPLESS}`,
  },
  {
    it: 'goes to a node that is not ready, if its taints let it',
    rooms: [[node('n', {}, { allocatable: { pods: '1' } })]],
    want: 'n',
  },
  {
    it: 'waits where its terms name no node together',
    pod: pod(named(['n'], ['m'])),
    rooms: [[node()]],
    want: `pod affinity terms conflict. ${HELPLESS}`,
  },
  {
    it: 'goes to one of the nodes that its terms name',
    pod: pod(named(['n', 'm'], ['m'])),
    rooms: [[node()], [node('m')]],
    want: 'm',
  },
  {
    it: 'waits for a port of the host',
    pod: pod(onPort(8080)),
    rooms: [[node(), x('x', onPort(8080, '127.0.0.1'))]],
    want: `1 node(s) didn't have free ports for the requested pod ports. ${VICTIMLESS}`,
  },
  {
    it: 'a port of the node that a sidecar has',
    pod: pod(onPort(8080)),
    rooms: [
      [
        node(),
        x('x', {
          containers: [],
          initContainers: [{ name: 's', restartPolicy: 'Always', ports: [{ containerPort: 1, hostPort: 8080 }] }],
        }),
      ],
    ],
    want: `1 node(s) didn't have free ports for the requested pod ports. ${VICTIMLESS}`,
  },
  {
    it: 'shares a port on another address',
    pod: pod(onPort(8080, '127.0.0.2')),
    rooms: [[node(), x('x', onPort(8080, '127.0.0.1'))]],
    want: 'n',
  },
  {
    it: 'keeps away from others',
    pod: pod({ affinity: apart({ app: 'x' }) }),
    rooms: [[node(), x()]],
    want: `1 node(s) didn't match pod anti-affinity rules. ${VICTIMLESS}`,
  },
  {
    it: 'is kept away by others',
    pod: x('p'),
    rooms: [[node(), pod({ affinity: apart({ app: 'x' }) }, 'other')]],
    want: `1 node(s) didn't satisfy existing pods anti-affinity rules. ${VICTIMLESS}`,
  },
  {
    it: 'does not keep away from pods of other namespaces',
    pod: pod({ affinity: apart({ app: 'x' }) }),
    rooms: [[node(), { ...x(), metadata: { ...x().metadata, namespace: 'b' } }]],
    want: 'n',
  },
  {
    it: 'keeps away from pods of namespaces that it selects',
    pod: pod({ affinity: apart({ app: 'x' }, { namespaceSelector: { matchLabels: { team: 'b' } } }) }),
    rooms: [[node(), { ...x(), metadata: { ...x().metadata, namespace: 'b' } }]],
    want: `1 node(s) didn't match pod anti-affinity rules. ${VICTIMLESS}`,
  },
  {
    it: 'waits for company',
    pod: pod({ affinity: near({ app: 'x' }) }),
    rooms: [[node()]],
    want: `1 node(s) didn't match pod affinity rules. ${HELPLESS}`,
  },
  {
    it: 'goes to its company',
    pod: pod({ affinity: near({ app: 'x' }) }),
    rooms: [[node()], [node('m'), x()]],
    want: 'm',
  },
  { it: 'is the first of its company', pod: x('p', { affinity: near({ app: 'x' }) }), rooms: [[node()]], want: 'n' },
  {
    it: 'is the first of its company where the others are nowhere',
    pod: x('p', { affinity: near({ app: 'x' }, { topologyKey: 'disk' }) }),
    rooms: [
      [node(), pod()],
      [{ ...node('m'), metadata: { name: 'm' } }, x(), x('2')],
    ],
    want: 'n',
  },
  {
    it: 'cannot be spread over a label that the node lacks',
    pod: pod(spread('zone')),
    rooms: [[node()]],
    want: `1 node(s) didn't match pod topology spread constraints (missing required label). ${HELPLESS}`,
  },
  {
    it: 'is spread',
    pod: x('p', spread(HOSTNAME)),
    rooms: [
      [node(), x()],
      [node('m'), pod({}, 'q'), pod({}, 'r')],
    ],
    want: 'm',
  },
  {
    it: 'is spread by no count where all pods are meant',
    pod: pod(spread(HOSTNAME, { labelSelector: {} })),
    rooms: [
      [node(), x()],
      [node('m'), x('2'), x('3')],
    ],
    want: 'n',
  },
  {
    it: 'waits for as many nodes as it shall be spread over',
    pod: x('p', spread(HOSTNAME, { minDomains: 2 })),
    rooms: [[node(), x()]],
    want: `1 node(s) didn't match pod topology spread constraints. ${VICTIMLESS}`,
  },
  {
    it: 'waits for its claim',
    pod: pod({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'none' } }] }),
    rooms: [[node()]],
    want: 'persistentvolumeclaim "none" not found. not found',
  },
  {
    it: 'has its claim',
    pod: pod({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] }),
    rooms: [[node()]],
    want: 'n',
  },
  ...(
    [
      ['goes where its volume is', 'data', 'm', "1 node(s) didn't match PersistentVolume's node affinity."],
      [
        'waits for a volume that nobody chose yet',
        'open',
        'n',
        'pod has unbound immediate PersistentVolumeClaims. not found',
      ],
      [
        'waits where its volume is lost',
        'lost',
        'n',
        'persistentvolumeclaim "lost" bound to non-existent persistentvolume "x". not found',
      ],
      ['waits where no volume can be had', 'later', 'n', "1 node(s) didn't find available persistent volumes to bind."],
      ['waits in silence for the volume that is being made', 'told', 'n', ''],
    ] as const
  ).map(([it, claimName, name, want]) => ({
    it,
    pod: pod({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }] }),
    rooms: [[node(name)]] as [Node, ...Pod[]][],
    want: want.endsWith('.') ? `${want} ${HELPLESS}` : want,
  })),
  {
    it: 'never drives out others where it must not',
    pod: pod({ ...asking({ cpu: 2 }), priority: 10, preemptionPolicy: 'Never' }),
    rooms: [busy],
    want: '1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.',
  },
]
for (const { it, pod: placed = pod(), rooms, want } of cases)
  test(`a pod ${it}`, () => {
    const placement = placePod(placed, cluster(rooms))
    const got = 'why' in placement ? placement.why : placement.nodeName
    assert.equal(got.replace(/^0\/1 nodes are available: /, ''), want)
  })

test('nodes that the affinity does not name are told by its plugin', () => {
  const rooms: [Node, ...Pod[]][] = [busy, [node('m', tainted)], [node('o')]]
  const { why } = placePod(pod({ ...asking({ cpu: 2 }), ...named(['n']) }), cluster(rooms)) as { why: string }
  assert.equal(
    why,
    "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. " +
      'preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.',
  )
})

test('reasons are counted over nodes', () => {
  const rooms: [Node, ...Pod[]][] = [[node('n', { unschedulable: true })], [node('m', tainted)], [node('o', tainted)]]
  assert.deepEqual(placePod(pod(), cluster(rooms)), {
    kind: 'wait',
    why:
      '0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) had untolerated taint(s). ' +
      'preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.',
    keepsPromise: false,
  })
})

const ranked = (name: string, priority: number, cpu: number): Pod => x(name, { ...asking({ cpu }), priority })
const started = (given: Pod, startTime: string): Pod => ({ ...given, status: { startTime } })
const budget: Budget = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'b', namespace: 'a' },
  spec: { selector: { matchLabels: { app: 'x' } } },
  status: { disruptionsAllowed: 0 },
}
const preemptions: { it: string; rooms: [Node, ...Pod[]][]; more?: Partial<Cluster>; want: [string, ...string[]] }[] = [
  { it: 'the least important go', rooms: [[node(), ranked('low', 1, 2), ranked('mid', 5, 2)]], want: ['n', 'low'] },
  { it: 'as few go as will do', rooms: [[node(), ranked('small', 1, 1), ranked('big', 1, 3)]], want: ['n', 'big'] },
  {
    it: 'on the node where the less important go',
    rooms: [
      [node(), ranked('mid', 5, 4)],
      [node('m'), ranked('low', 1, 4)],
    ],
    want: ['m', 'low'],
  },
  {
    it: 'where they have run for less long',
    rooms: [
      [node(), started(ranked('old', 1, 4), '2026-01-01T00:00:00Z')],
      [node('m'), started(ranked('young', 1, 4), '2026-01-01T00:00:01Z')],
    ],
    want: ['m', 'young'],
  },
  {
    it: 'where they have not started',
    rooms: [
      [node(), started(ranked('old', 1, 4), '2026-01-01T00:00:00Z')],
      [node('m'), ranked('new', 1, 4)],
    ],
    want: ['m', 'new'],
  },
  {
    it: 'those of a spent budget stay, if they can',
    rooms: [[node(), ranked('guarded', 1, 2), pod({ ...asking({ cpu: 2 }), priority: 5 }, 'free')]],
    more: { budgets: [budget] },
    want: ['n', 'free'],
  },
  {
    it: 'those of a spent budget go, if they must',
    rooms: [[node(), ranked('guarded', 1, 4)]],
    more: { budgets: [budget] },
    want: ['n', 'guarded'],
  },
]
for (const { it, rooms, more, want } of preemptions)
  test(`a pod drives out others: ${it}`, () => {
    const placement = placePod(pod({ ...asking({ cpu: 2 }), priority: 10 }), cluster(rooms, more))
    assert.equal(placement.kind, 'preempt')
    if (placement.kind !== 'preempt') return
    assert.deepEqual([placement.nodeName, ...placement.victims.map(({ metadata }) => metadata.name)], want)
    assert.match(
      placement.why,
      /^0\/\d nodes are available: \d Insufficient cpu\. preemption: found a potential placement for pod on node \w+, preempting \d victims$/,
    )
  })

test('who waits for others to leave neither drives out more nor is overtaken', () => {
  const conditions = [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }]
  const metadata = { name: 'low', namespace: 'a', deletionTimestamp: 'now' }
  const leaving = { ...ranked('low', 1, 4), metadata, status: { conditions } }
  const high = { ...pod({ ...asking({ cpu: 4 }), priority: 10 }, 'high'), status: { nominatedNodeName: 'n' } }
  assert.deepEqual(placePod(high, cluster([[node(), leaving]], { nominated: [high] })), {
    kind: 'wait',
    why: '0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to a terminating pod on the nominated node.',
    keepsPromise: true,
  })
  const onItsOwn = { ...leaving, status: {} }
  assert.equal(placePod(high, cluster([[node(), onItsOwn]], { nominated: [high] })).kind, 'preempt')
  assert.equal(placePod(pod(asking({ cpu: 1 })), cluster([[node()]], { nominated: [high] })).kind, 'wait')
  assert.equal(placePod(high, cluster([[node()]], { nominated: [high] })).kind, 'bind')
})

test('pods of other schedulers, gated, placed or leaving ones are left alone', () => {
  assert.ok(isWaitingForNode(pod()))
  for (const spec of [{ schedulerName: 'fake' }, { nodeName: 'n' }, { schedulingGates: [{ name: 'g' }] }])
    assert.equal(isWaitingForNode(pod(spec)), false)
})

test('demand is the sum of containers, or an init container of more, with the overhead; or what the pod asks for as a whole', () => {
  const two = {
    containers: [1, 2].map((at) => ({ name: `c${at}`, resources: { requests: { cpu: '500m', memory: 1 } } })),
  }
  const starter = { initContainers: [{ name: 'i', resources: { requests: { cpu: 2 } } }] }
  assert.deepEqual(
    [...demandOf(pod({ ...two, ...starter, overhead: { cpu: '1m' } }))],
    [
      ['cpu', 2001],
      ['memory', 2000],
    ],
  )
  assert.equal(demandOf(pod({ ...two, resources: { requests: { cpu: 5 } } })).get('cpu'), 5000)
  assert.equal(milli('1Ki'), 1024000)
  assert.equal(milli('nonsense'), 0)
})
