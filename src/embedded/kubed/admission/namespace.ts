import type { Environment } from '../environment.ts'
import { Fault, forbidden, notFound } from '../fault.ts'
import type { Obj } from '../object.ts'
import type { Resource } from '../resources/resource.ts'

const NAMESPACES = '/namespaces'

/** Refuses new objects where there is no namespace, or one that ends. */
export function admitToNamespace(env: Environment, resource: Resource, namespace: string, name: string): void {
  if (!resource.isNamespaced) return
  const found = env.store.get(NAMESPACES, '', namespace)
  if (found === undefined) throw notFound({ group: '', kind: 'Namespace', plural: 'namespaces' }, namespace)
  if (found.metadata.deletionTimestamp === undefined || isReview(resource)) return
  throw forbidden(
    resource,
    name,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
    [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ],
  )
}

const isReview = ({ group }: Resource): boolean => group === 'authorization.k8s.io'

/** Refuses to delete the namespaces that the server itself needs. */
export function admitNamespaceDelete(resource: Resource, name: string): void {
  if (resource.storageKey !== NAMESPACES) return
  if (['default', 'kube-system', 'kube-public'].includes(name))
    throw new Fault(
      403,
      'Forbidden',
      `namespaces ${JSON.stringify(name)} is forbidden: this namespace may not be deleted`,
      { name, kind: 'namespaces' },
    )
}

/** Whether an object is one of those that every namespace has. */
export function isContentOfNamespace({ apiVersion, kind, metadata: { name } }: Obj): boolean {
  if (apiVersion !== 'v1') return false
  return (kind === 'ConfigMap' && name === 'kube-root-ca.crt') || (kind === 'ServiceAccount' && name === 'default')
}

/** What a new namespace is given: the account `default`, and the certificate authority. */
export function namespaceContents(namespace: Obj, caPem: string): { key: string; object: Obj }[] {
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
