import { clone, equal } from '../../../lib/kube/json.ts'
import { type Environment, timestamp } from '../environment.ts'
import type { Obj } from '../object.ts'
import { trackUpdate } from '../ownership/managed-fields.ts'
import { putOwn } from './put-own.ts'

/** Who gives namespaces what every one has. */
const MANAGER = 'kube-controller-manager'

/** Gives a new namespace what every one has. */
export function fillNamespace(env: Environment, namespace: Obj): void {
  for (const { key, object } of namespaceContents(namespace, env.caPem)) putOwn(env, key, object, MANAGER)
}

/** What every namespace has comes back when it was deleted or changed, unless the namespace goes with it. */
export function giveBack(env: Environment, lost: Obj): void {
  const namespace = env.store.get('/namespaces', '', lost.metadata.namespace ?? '')
  if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined) return
  for (const { key, object: content } of namespaceContents(namespace, env.caPem)) {
    const { namespace: place = '', name } = content.metadata
    const found = env.store.get(key, place, name)
    if (found === undefined) putOwn(env, key, content, MANAGER)
    else mend(env, key, found, content)
  }
}

/** Puts right what somebody else changed; what they added besides stays. */
function mend(env: Environment, key: string, found: Obj, content: Obj): void {
  const missing = Object.entries(content.metadata.annotations ?? {}).filter(
    ([name]) => !found.metadata.annotations?.[name],
  )
  if (equal(found.data, content.data) && missing.length === 0) return
  const next = { ...clone(found), data: content.data }
  if (missing.length > 0) next.metadata.annotations = { ...next.metadata.annotations, ...Object.fromEntries(missing) }
  const resource = env.registry.byStorageKey(key)
  const writer = { manager: MANAGER, now: timestamp(env.nowMs()), subresource: '' }
  if (resource !== undefined) trackUpdate(resource, found, next, undefined, writer)
  env.store.put(key, next)
}

/** Whether an object is one of those that every namespace has. */
export function isContentOfNamespace({ apiVersion, kind, metadata: { name } }: Obj): boolean {
  if (apiVersion !== 'v1') return false
  return (kind === 'ConfigMap' && name === 'kube-root-ca.crt') || (kind === 'ServiceAccount' && name === 'default')
}

/** What a new namespace is given: the account `default`, and the certificate authority. */
function namespaceContents(namespace: Obj, caPem: string): { key: string; object: Obj }[] {
  const name = namespace.metadata.name
  return [
    {
      key: '/serviceaccounts',
      object: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } },
    },
    {
      key: '/configmaps',
      object: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: {
          name: 'kube-root-ca.crt',
          namespace: name,
          annotations: {
            'kubernetes.io/description':
              'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.',
          },
        },
        data: { 'ca.crt': caPem },
      },
    },
  ]
}
