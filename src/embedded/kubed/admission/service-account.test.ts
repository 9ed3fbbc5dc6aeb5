import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../lib/kube/json.ts'
import { objFrom } from '../object.ts'
import { admitAccount } from './service-account.ts'

const PODS = { group: '', kind: 'Pod', plural: 'pods' }
const PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
const MOUNT = { name: 'kube-api-access-abcde', readOnly: true, mountPath: PATH }

/** The spec after admission, where the account is `account`. */
function admitted(spec: JsonObject, account: JsonObject | null = {}, annotations: JsonObject = {}): JsonObject {
  const pod = objFrom(
    { metadata: { name: 'web', namespace: 'ns', annotations }, spec: structuredClone(spec) },
    'v1',
    'Pod',
  )
  const found = account === null ? undefined : objFrom({ metadata: { name: 'x' }, ...account }, 'v1', 'ServiceAccount')
  admitAccount({ store: { get: () => found } }, PODS, pod, () => 'abcde')
  return pod.spec as JsonObject
}

const bare = { containers: [{ name: 'a' }] }
const own = { name: 'mine', mountPath: PATH }

const mounts: { it: string; spec: JsonObject; account?: JsonObject; want: unknown }[] = [
  { it: 'mounts in every container', spec: { initContainers: [{ name: 'i' }], ...bare }, want: [[MOUNT], [MOUNT]] },
  {
    it: 'leaves what the account forbids',
    spec: bare,
    account: { automountServiceAccountToken: false },
    want: [undefined],
  },
  {
    it: 'does what the pod says over the account',
    spec: { ...bare, automountServiceAccountToken: true },
    account: { automountServiceAccountToken: false },
    want: [[MOUNT]],
  },
  { it: 'leaves what the pod forbids', spec: { ...bare, automountServiceAccountToken: false }, want: [undefined] },
  {
    it: 'leaves a container that has something there',
    spec: { containers: [{ name: 'a', volumeMounts: [own] }] },
    want: [[own]],
  },
  {
    it: 'takes the volume that is there',
    spec: { ...bare, volumes: [{ name: 'kube-api-access-x' }] },
    want: [[{ ...MOUNT, name: 'kube-api-access-x' }]],
  },
]

for (const { it, spec, account, want } of mounts)
  test(`a new pod's account ${it}`, () => {
    const { initContainers = [], containers = [] } = admitted(spec, account) as Record<string, JsonObject[]>
    assert.deepEqual(
      [...initContainers, ...containers].map(({ volumeMounts }) => volumeMounts),
      want,
    )
  })

test('the volume has a token that lasts, the authority and the namespace', () => {
  const { volumes, serviceAccountName, serviceAccount } = admitted(bare)
  assert.deepEqual([serviceAccountName, serviceAccount], ['default', 'default'])
  assert.deepEqual(volumes, [
    {
      name: 'kube-api-access-abcde',
      projected: {
        sources: [
          { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
          { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          {
            downwardAPI: {
              items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
            },
          },
        ],
        defaultMode: 420,
      },
    },
  ])
})

test('nobody gets a volume who does not need it', () => {
  const spec = admitted({ containers: [{ name: 'a', volumeMounts: [own] }] })
  assert.equal(spec['volumes'], undefined)
})

test('secrets for pulling are the account’s unless the pod has its own', () => {
  const account = { imagePullSecrets: [{ name: 'theirs' }] }
  assert.deepEqual(admitted(bare, account)['imagePullSecrets'], [{ name: 'theirs' }])
  assert.deepEqual(admitted({ ...bare, imagePullSecrets: [{ name: 'mine' }] }, account)['imagePullSecrets'], [
    { name: 'mine' },
  ])
})

test('what is refused is said as the plugin says it', () => {
  const mirror = { 'kubernetes.io/config.mirror': 'x' }
  const refusals: [() => unknown, string][] = [
    [
      () => admitted(bare, null),
      'pods "web" is forbidden: error looking up service account ns/default: serviceaccount "default" not found',
    ],
    [
      () => admitted({ ...bare, serviceAccountName: 'a' }, {}, mirror),
      'pods "web" is forbidden: a mirror pod may not reference service accounts',
    ],
    [
      () => admitted({ ...bare, volumes: [{ name: 's', secret: {} }] }, {}, mirror),
      'pods "web" is forbidden: a mirror pod may not reference secrets',
    ],
  ]
  for (const [refused, message] of refusals) assert.throws(refused, { message })
})
