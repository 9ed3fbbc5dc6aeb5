import type { Random } from './random.ts'

/** One request about one object. */
export type Operation = {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below the object's collection: '' or `/name` with a query. */
  readonly path: string
  readonly type: string
  readonly body: unknown
  /** Who applies, when it is an apply. */
  readonly manager?: string
  readonly isForced?: boolean
}

/** A kind that is operated upon: how it is made, changed and applied. */
export type Kind = {
  readonly name: string
  readonly collection: (namespace: string) => string
  readonly whole: (random: Random, name: string) => object
  readonly part: (random: Random, name: string) => object
  readonly merge: (random: Random) => object
  readonly json: (random: Random) => object
}

const KEYS = ['a', 'b', 'c', 'd'] as const
const VALUES = ['1', '2', '3'] as const

const some = (random: Random, keys: readonly string[] = KEYS): Record<string, string> =>
  Object.fromEntries(keys.filter(() => random.below(2) === 0).map((key) => [key, random.pick(VALUES)]))

/**
 * A field that is left out where it would be empty. The real server stores no empty map, yet has its applier own it:
 * who applies an empty one to the same object is let through the first time, and refused the second. An empty list
 * makes a generation that nobody sees.
 */
const filled = (field: string, value: object): object => (Object.keys(value).length === 0 ? {} : { [field]: value })

const configMap = (name: string, data: Record<string, string>, labels: Record<string, string>): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...filled('labels', labels) },
  ...filled('data', data),
})

const deployment = (random: Random, name: string, isWhole: boolean): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name,
    ...filled('labels', some(random)),
    ...(random.below(3) === 0 ? filled('annotations', some(random)) : {}),
  },
  spec: {
    ...(isWhole || random.below(2) === 0 ? { replicas: random.below(3) } : {}),
    ...(random.below(3) === 0 ? { minReadySeconds: random.below(20) } : {}),
    selector: { matchLabels: { app: 'x' } },
    template: {
      metadata: { labels: { app: 'x', ...(random.below(3) === 0 ? { extra: random.pick(VALUES) } : {}) } },
      spec: { containers: containers(random) },
    },
  },
})

const containers = (random: Random): object[] =>
  ['web', 'side', 'log'].slice(0, 1 + random.below(3)).map((name) => ({
    name,
    image: `image:${random.pick(VALUES)}`,
    ...(random.below(2) === 0
      ? filled(
          'env',
          Object.entries(some(random)).map(([key, value]) => ({ name: key, value })),
        )
      : {}),
    ...(random.below(3) === 0
      ? { ports: [{ containerPort: 8000 + random.below(3), ...(random.below(2) === 0 ? { name: 'http' } : {}) }] }
      : {}),
    ...(random.below(3) === 0
      ? { resources: { limits: { cpu: random.pick(['0.5', '500m', '1']), memory: '64Mi' } } }
      : {}),
  }))

/** Kinds with plain maps, and with lists that are merged by key. */
export const KINDS: readonly Kind[] = [
  {
    name: 'ConfigMap',
    collection: (namespace) => `/api/v1/namespaces/${namespace}/configmaps`,
    whole: (random, name) => configMap(name, some(random), some(random)),
    part: (random, name) => configMap(name, some(random), some(random, ['a', 'z'])),
    merge: (random) => ({
      data: Object.fromEntries(
        KEYS.filter(() => random.below(2) === 0).map((key) => [key, random.pick([...VALUES, null])]),
      ),
    }),
    json: (random) => [
      {
        op: random.pick(['add', 'replace', 'remove', 'test']),
        path: `/data/${random.pick(KEYS)}`,
        value: random.pick(VALUES),
      },
    ],
  },
  {
    name: 'Deployment',
    collection: (namespace) => `/apis/apps/v1/namespaces/${namespace}/deployments`,
    whole: (random, name) => deployment(random, name, true),
    part: (random, name) => deployment(random, name, false),
    merge: (random) => ({ metadata: { labels: some(random) }, spec: { replicas: random.below(4) } }),
    json: (random) => [
      { op: 'replace', path: '/spec/template/spec/containers/0/image', value: `image:${random.pick(VALUES)}` },
    ],
  },
]

const MANAGERS = ['one', 'two', 'three']

/** A random request; the same for the same random numbers. */
export function randomOperation(random: Random, kind: Kind, name: string): Operation {
  const manager = random.pick(MANAGERS)
  const query = `fieldManager=${manager}`
  const choice = random.below(12)
  const patch = (type: string, body: unknown): Operation => ({
    method: 'PATCH',
    path: `/${name}?${query}`,
    type: `application/${type}+json`,
    body,
  })
  if (choice === 0) return { method: 'DELETE', path: `/${name}`, type: 'application/json', body: undefined }
  if (choice < 3) return { method: 'POST', path: `?${query}`, type: 'application/json', body: kind.whole(random, name) }
  if (choice < 5)
    return { method: 'PUT', path: `/${name}?${query}`, type: 'application/json', body: kind.whole(random, name) }
  if (choice === 5) return patch('merge-patch', kind.merge(random))
  if (choice === 6) return patch('json-patch', kind.json(random))
  if (choice === 7) return patch('strategic-merge-patch', kind.part(random, name))
  const isForced = random.below(3) === 0
  return {
    method: 'PATCH',
    path: `/${name}?${query}&force=${isForced}`,
    type: 'application/apply-patch+yaml',
    body: kind.part(random, name),
    manager,
    isForced,
  }
}
