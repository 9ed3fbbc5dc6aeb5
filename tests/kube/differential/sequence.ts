import type { Ask } from './server-pair.ts'
import { SPACE } from './seed.ts'

/** A random number in [0, 1) from a seed; the same row for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

type Random = { readonly pick: <T>(of: readonly T[]) => T; readonly chance: (share: number) => boolean }

/** A kind of which sequences make objects: where it is, and its content in many variants. */
type Subject = {
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
  readonly content: (random: Random) => Record<string, unknown>
  readonly hasStatus?: boolean
  readonly hasScale?: boolean
}

const template = ({ pick, chance }: Random): object => ({
  metadata: { labels: { app: 'a', ...(chance(0.3) ? { tier: pick(['x', 'y']) } : {}) } },
  spec: {
    containers: [
      {
        name: 'main',
        image: `registry.local/app:${pick(['1', '2', 'latest'])}`,
        ...(chance(0.5) ? { env: [{ name: pick(['A', 'B']), value: pick(['1', '2']) }] } : {}),
        ...(chance(0.4) ? { ports: [{ containerPort: pick([80, 8080]) }] } : {}),
        ...(chance(0.3) ? { resources: { requests: { cpu: pick(['100m', '0.5', '1']) } } } : {}),
      },
      ...(chance(0.3) ? [{ name: 'side', image: 'registry.local/side:1' }] : []),
    ],
    ...(chance(0.2) ? { tolerations: [{ key: 'k', operator: 'Exists' }] } : {}),
  },
})

const SUBJECTS: readonly Subject[] = [
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    plural: 'configmaps',
    content: ({ pick, chance }) => ({
      data: { [pick(['a', 'b', 'c'])]: pick(['1', '2', '3']), ...(chance(0.3) ? { d: '4' } : {}) },
      ...(chance(0.05) ? { immutable: true } : {}),
    }),
  },
  {
    apiVersion: 'v1',
    kind: 'Secret',
    plural: 'secrets',
    content: ({ pick }) => ({ [pick(['stringData', 'data'])]: { [pick(['a', 'b'])]: pick(['YQ==', 'Yg==']) } }),
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    plural: 'services',
    hasStatus: true,
    content: ({ pick, chance }) => ({
      spec: {
        type: pick(['ClusterIP', 'ClusterIP', 'NodePort', 'LoadBalancer']),
        selector: { app: pick(['a', 'b']) },
        ports: [
          { name: 'http', port: pick([80, 81]) },
          ...(chance(0.4) ? [{ name: 'dns', port: 53, protocol: 'UDP' }] : []),
        ],
      },
    }),
  },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    plural: 'deployments',
    hasStatus: true,
    hasScale: true,
    content: (random) => ({
      spec: {
        replicas: random.pick([0, 1, 3]),
        selector: { matchLabels: { app: 'a' } },
        template: template(random),
        ...(random.chance(0.3) ? { paused: random.chance(0.5) } : {}),
        ...(random.chance(0.3) ? { strategy: { type: random.pick(['Recreate', 'RollingUpdate']) } } : {}),
      },
    }),
  },
  {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    plural: 'cronjobs',
    hasStatus: true,
    content: (random) => ({
      spec: {
        schedule: random.pick(['* * * * *', '*/5 * * * *', 'bad']),
        suspend: random.chance(0.5),
        jobTemplate: {
          spec: {
            template: {
              spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'registry.local/job:1' }] },
            },
          },
        },
      },
    }),
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    plural: 'pods',
    hasStatus: true,
    content: (random) => template(random) as Record<string, unknown>,
  },
  {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    plural: 'poddisruptionbudgets',
    hasStatus: true,
    content: ({ pick }) => ({
      spec: { [pick(['minAvailable', 'maxUnavailable'])]: pick([1, '50%']), selector: { matchLabels: { app: 'a' } } },
    }),
  },
  {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    plural: 'statefulsets',
    hasStatus: true,
    hasScale: true,
    content: (random) => ({
      spec: {
        serviceName: 'db',
        replicas: random.pick([0, 1, 3]),
        selector: { matchLabels: { app: 'a' } },
        template: template(random),
        ...(random.chance(0.3) ? { minReadySeconds: random.pick([0, 5]) } : {}),
        ...(random.chance(0.3) ? { updateStrategy: { rollingUpdate: { partition: random.pick([0, 1]) } } } : {}),
      },
    }),
  },
  {
    apiVersion: 'batch/v1',
    kind: 'Job',
    plural: 'jobs',
    hasStatus: true,
    content: ({ pick, chance }) => ({
      spec: {
        parallelism: pick([0, 1, 2]),
        ...(chance(0.3) ? { backoffLimit: pick([0, 3]) } : {}),
        ...(chance(0.3) ? { suspend: chance(0.5) } : {}),
        // A template never changes: what refusing one says is the matter of other tests.
        manualSelector: true,
        selector: { matchLabels: { tier: 'x' } },
        template: {
          metadata: { labels: { tier: 'x' } },
          spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'registry.local/job:1' }] },
        },
      },
    }),
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    plural: 'ingresses',
    hasStatus: true,
    content: ({ pick, chance }) => ({
      spec: {
        ...(chance(0.3) ? { ingressClassName: pick(['a', 'b']) } : {}),
        ...(chance(0.3) ? { tls: [{ hosts: [pick(['a.example', 'b.example'])], secretName: 'tls' }] } : {}),
        rules: [
          {
            host: pick(['a.example', 'b.example']),
            http: {
              paths: [
                {
                  path: pick(['/', '/x']),
                  pathType: pick(['Prefix', 'Exact']),
                  backend: { service: { name: pick(['s', 't']), port: pick([{ number: 80 }, { name: 'http' }]) } },
                },
              ],
            },
          },
        ],
      },
    }),
  },
  {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    plural: 'horizontalpodautoscalers',
    hasStatus: true,
    content: ({ pick, chance }) => ({
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: pick(['a', 'b']) },
        ...(chance(0.5) ? { minReplicas: pick([1, 2]) } : {}),
        maxReplicas: pick([3, 4]),
        ...(chance(0.5)
          ? {
              metrics: [
                {
                  type: 'Resource',
                  resource: {
                    name: pick(['cpu', 'memory']),
                    target: { type: 'Utilization', averageUtilization: pick([50, 80]) },
                  },
                },
              ],
            }
          : {}),
      },
    }),
  },
  {
    apiVersion: `${SPACE}.example.com/v1`,
    kind: 'Thing',
    plural: 'things',
    hasStatus: true,
    hasScale: true,
    content: ({ pick, chance }) => ({
      spec: {
        replicas: pick([0, 1, 2]),
        ...(chance(0.5) ? { tags: pick([['a'], ['a', 'b'], ['b']]) } : {}),
        ...(chance(0.5) ? { whole: pick([['a'], ['a', 'b'], []]) } : {}),
        ...(chance(0.5)
          ? { parts: pick([[{ id: 'x', size: 1 }], [{ id: 'y' }, { id: 'x', size: 2 }], [{ id: 'z', note: 'n' }]]) }
          : {}),
        ...(chance(0.4) ? { free: pick<object>([{ a: { b: 1 } }, { a: { c: [1, 2] } }, { d: null }]) } : {}),
        ...(chance(0.4) ? { sealed: pick<object>([{ a: '1' }, { b: '2' }]) } : {}),
        ...(chance(0.1) ? { unknown: 'dropped' } : {}),
      },
    }),
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    plural: 'roles',
    content: ({ pick }) => ({
      rules: [{ apiGroups: [''], resources: [pick(['pods', 'secrets'])], verbs: [pick(['get', 'list'])] }],
    }),
  },
]

/** The asks of one sequence over one object, which is gone at its end, and the last reads. Deterministic. */
export function sequenceOf(seed: number, length = 8): Ask[] {
  const next = randomFrom(seed)
  const random: Random = {
    pick: (of) => of[Math.floor(next() * of.length)] as (typeof of)[number],
    chance: (share) => next() < share,
  }
  const subject = random.pick(SUBJECTS)
  const root = subject.apiVersion === 'v1' ? '/api/v1' : `/apis/${subject.apiVersion}`
  const list = `${root}/namespaces/${SPACE}/${subject.plural}`
  const name = `s${seed}`
  const whole = (): Record<string, unknown> => {
    const { metadata, ...content } = subject.content(random)
    const { apiVersion, kind } = subject
    return { apiVersion, kind, metadata: { ...(metadata as object), name, ...odds(random) }, ...content }
  }
  const asks: Ask[] = [{ method: 'POST', path: list, body: whole() }]
  for (let step = 0; step < length; step++) asks.push(stepOf(random, subject, name, list, whole))
  asks.push({ method: 'GET', path: `${list}/${name}` })
  asks.push({ method: 'PATCH', path: `${list}/${name}`, contentType: MERGE, body: { metadata: { finalizers: null } } })
  asks.push({ method: 'DELETE', path: `${list}/${name}` }, { method: 'GET', path: `${list}/${name}` })
  return asks
}

const MERGE = 'application/merge-patch+json'

/** A part of a status, which no controller writes here. */
function statusOf({ pick, chance }: Random, { kind }: Subject): object {
  if (kind === 'Pod')
    return {
      phase: pick(['Pending', 'Running']),
      ...(chance(0.5) ? { conditions: [{ type: pick(['Ready', 'Own']), status: pick(['True', 'False']) }] } : {}),
      ...(chance(0.3) ? { podIPs: [{ ip: pick(['10.1.1.1', '10.1.1.2']) }] } : {}),
    }
  if (kind === 'Thing') return { replicas: pick([0, 1, 2]), ...(chance(0.5) ? { note: pick(['a', 'b']) } : {}) }
  if (kind === 'Service' || kind === 'Ingress')
    return { loadBalancer: { ingress: [{ ip: pick(['10.9.9.1', '10.9.9.2']) }] } }
  return { observedGeneration: pick([1, 2]) }
}

function odds({ pick, chance }: Random): object {
  return {
    ...(chance(0.4) ? { labels: { [pick(['l', 'm'])]: pick(['1', '2']) } } : {}),
    ...(chance(0.3) ? { annotations: { note: pick(['x', 'y']) } } : {}),
    ...(chance(0.1) ? { finalizers: ['example.com/f'] } : {}),
  }
}

function stepOf(
  random: Random,
  subject: Subject,
  name: string,
  list: string,
  whole: () => Record<string, unknown>,
): Ask {
  const { pick, chance } = random
  const path = `${list}/${name}`
  const manager = pick(['alice', 'bob'])
  const dry = chance(0.1) ? '&dryRun=All' : ''
  const write = `${path}?fieldManager=${manager}${dry}`
  const { metadata: _metadata, apiVersion: _version, kind: _kind, ...content } = whole()
  const patch = { metadata: odds(random), ...(chance(0.6) ? content : {}) }
  const kinds: readonly (() => Ask)[] = [
    () => ({ method: 'PUT', path: write, body: whole() }),
    () => ({ method: 'PATCH', path: write, contentType: MERGE, body: patch }),
    () => ({ method: 'PATCH', path: write, contentType: 'application/strategic-merge-patch+json', body: patch }),
    () => ({
      method: 'PATCH',
      path: `${write}${chance(0.5) ? '&force=true' : ''}`,
      contentType: 'application/apply-patch+yaml',
      body: whole(),
    }),
    () => ({
      method: 'PATCH',
      path: write,
      contentType: 'application/json-patch+json',
      body: [
        {
          op: pick(['add', 'replace', 'remove', 'test']),
          path: pick(['/metadata/labels', '/metadata/labels/l', '/metadata/annotations', '/spec/paused']),
          value: pick([{ l: '9' }, 'x']),
        },
      ],
    }),
    () => ({ method: 'GET', path }),
    ...(subject.hasStatus === true
      ? [
          (): Ask => ({
            method: 'PATCH',
            path: `${path}/status?fieldManager=${manager}${chance(0.5) ? '&force=true' : ''}`,
            contentType: 'application/apply-patch+yaml',
            body: {
              apiVersion: subject.apiVersion,
              kind: subject.kind,
              metadata: { name, ...odds(random) },
              status: statusOf(random, subject),
            },
          }),
        ]
      : []),
    () => ({ method: 'POST', path: `${list}?fieldManager=${manager}`, body: whole() }),
    ...(subject.hasStatus === true
      ? [
          (): Ask => ({
            method: 'PATCH',
            path: `${path}/status?fieldManager=${manager}`,
            contentType: MERGE,
            body: { metadata: odds(random), status: statusOf(random, subject) },
          }),
        ]
      : []),
    ...(subject.hasScale === true
      ? [
          (): Ask => ({
            method: 'PATCH',
            path: `${path}/scale`,
            contentType: MERGE,
            body: { spec: { replicas: pick([0, 2, -1]) } },
          }),
          (): Ask => ({
            method: 'PATCH',
            path: `${path}/scale?fieldManager=${manager}${chance(0.5) ? '&force=true' : ''}`,
            contentType: 'application/apply-patch+yaml',
            body: {
              apiVersion: 'autoscaling/v1',
              kind: 'Scale',
              metadata: { name },
              spec: { replicas: pick([0, 2, 3]) },
            },
          }),
        ]
      : []),
    ...(chance(0.2) ? [(): Ask => ({ method: 'DELETE', path })] : []),
  ]
  return pick(kinds)()
}
