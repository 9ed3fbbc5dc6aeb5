import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../lib/kube/json.ts'
import type { Environment } from '../environment.ts'
import { judge } from './rules.ts'

const RULE = { verbs: ['get'], apiGroups: [''], resources: ['pods'] }
const robot = { name: 'system:serviceaccount:shop:robot', groups: ['system:serviceaccounts'] }
const ada = { name: 'ada', groups: ['team'] }
const account = { kind: 'ServiceAccount', name: 'robot' }

/** A server with one role, and one binding of it in a namespace or, without one, everywhere. */
function serverWith(subject: JsonObject, namespace = ''): Environment {
  const [bindings, roles] = namespace === '' ? ['clusterrolebindings', 'clusterroles'] : ['rolebindings', 'roles']
  const kind = namespace === '' ? 'ClusterRole' : 'Role'
  const binding = { metadata: { name: 'b', namespace }, subjects: [subject], roleRef: { kind, name: 'reader' } }
  const role = { metadata: { name: 'reader', namespace }, rules: [RULE] }
  const list = (key: string, wanted?: string): object[] =>
    key.endsWith(`/${bindings}`) && (wanted === undefined || wanted === '' || wanted === namespace) ? [binding] : []
  const get = (key: string, wanted: string, name: string): object | undefined =>
    key.endsWith(`/${roles}`) && wanted === namespace && name === 'reader' ? role : undefined
  return { store: { list, get, changes: () => 0 } } as unknown as Environment
}

const cases: { it: string; env: Environment; user?: typeof ada; namespace?: string; want: boolean }[] = [
  { it: 'by name', env: serverWith({ kind: 'User', name: 'ada' }, 'shop'), want: true },
  { it: 'by a group', env: serverWith({ kind: 'Group', name: 'team' }, 'shop'), want: true },
  { it: 'not by another kind of the same name', env: serverWith({ kind: 'Group', name: 'ada' }, 'shop'), want: false },
  {
    it: 'not in another namespace',
    env: serverWith({ kind: 'User', name: 'ada' }, 'shop'),
    namespace: 'else',
    want: false,
  },
  {
    it: 'not everywhere by a binding of one namespace',
    env: serverWith({ kind: 'User', name: 'ada' }, 'shop'),
    namespace: '',
    want: false,
  },
  {
    it: 'everywhere by a binding of the cluster',
    env: serverWith({ kind: 'User', name: 'ada' }),
    namespace: '',
    want: true,
  },
  {
    it: 'as an account of the namespace of the binding, unless it says which',
    env: serverWith(account, 'shop'),
    user: robot,
    want: true,
  },
  {
    it: 'not as an account of another namespace',
    env: serverWith({ ...account, namespace: 'else' }, 'shop'),
    user: robot,
    want: false,
  },
  { it: 'not as an account of no namespace', env: serverWith(account), user: robot, want: false },
]
for (const { it, env, user = ada, namespace = 'shop', want } of cases)
  test(`a role is given ${it}`, () => {
    const asked = { verb: 'get', group: '', resource: 'pods', subresource: '', namespace, name: 'a' }
    assert.equal(judge(env, { uid: '', extra: {}, ...user } as never, asked).isAllowed, want)
  })

test('what users are granted is looked for once, and anew when a role or a binding of any kind has changed', () => {
  const { store } = serverWith({ kind: 'User', name: 'ada' })
  const changes = new Map<string, number>()
  let looked = 0
  const list = (key: string): ReturnType<typeof store.list> => {
    looked++
    return store.list(key)
  }
  const env = { store: { ...store, list, changes: (key: string) => changes.get(key) ?? 0 } } as unknown as Environment
  const isAllowed = (name: string, groups: string[] = []): boolean =>
    judge(env, { name, groups }, { verb: 'get', group: '', resource: 'pods', subresource: '', namespace: '', name: '' })
      .isAllowed
  const looks = (ask: () => boolean): [boolean, number] => {
    looked = 0
    return [ask(), looked]
  }
  const ask = (): boolean => isAllowed('ada')
  assert.deepEqual(
    [looks(ask), looks(ask)],
    [
      [true, 1],
      [true, 0],
    ],
  )
  assert.deepEqual(
    looks(() => isAllowed('ada', ['team'])),
    [true, 1],
  )
  assert.deepEqual(
    looks(() => isAllowed('bob', ['ada'])),
    [false, 1],
  )
  for (const kind of ['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings']) {
    changes.set(`rbac.authorization.k8s.io/${kind}`, 1)
    assert.deepEqual(
      [looks(ask), looks(ask)],
      [
        [true, 1],
        [true, 0],
      ],
    )
  }
})
