import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'

/** What makes a tenant: namespaces, and an account in each that reconciles with the rights of a role. */
export type TenantWish = {
  readonly name: string
  readonly namespaces: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly clusterRole: string
  readonly account: string
  readonly skipsNamespaces: boolean
}

const RBAC = 'rbac.authorization.k8s.io'

/**
 * The objects of a tenant, as `flux create tenant` makes them: namespace by namespace.
 *
 * @throws SluiceError USAGE without a namespace
 */
export function tenantObjects(wish: TenantWish): readonly KubeObject[] {
  if (wish.namespaces.length === 0) throw new SluiceError('USAGE', 'with-namespace is required')
  return wish.namespaces.flatMap((namespace) => objectsIn(wish, namespace))
}

function objectsIn(
  { name, labels, clusterRole, account, skipsNamespaces }: TenantWish,
  namespace: string,
): readonly KubeObject[] {
  const marked = { ...labels, 'toolkit.fluxcd.io/tenant': name }
  const home: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { labels: marked, name: namespace } }
  return [
    ...(skipsNamespaces ? [] : [home]),
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { labels: marked, name: account, namespace } },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'RoleBinding',
      metadata: { labels: marked, name: `${name}-reconciler`, namespace },
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: clusterRole },
      subjects: [
        { apiGroup: RBAC, kind: 'User', name: `gotk:${namespace}:reconciler` },
        { kind: 'ServiceAccount', name: account, namespace },
      ],
    },
  ]
}
