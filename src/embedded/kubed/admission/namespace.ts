import type { Environment } from '../environment.ts'
import { Fault, forbidden, notFound } from '../fault.ts'
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
