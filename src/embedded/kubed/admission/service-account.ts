import { type JsonObject, listOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import { type Fault, forbidden, type Naming } from '../fault.ts'
import { namespaceOf, type Obj, specOf, toldName } from '../object.ts'
import type { Store } from '../storage/store.ts'

const ACCOUNTS = '/serviceaccounts'
const PREFIX = 'kube-api-access-'
const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
/** By this number the server knows that the node asks, and gives a token that programs which never read it again can live with. */
const TOKEN_SECONDS = 3607

/**
 * Gives a new pod its service account, and a way to the API: a volume with a token, the authority and the namespace, in every container.
 *
 * @param random five letters for the name of the volume
 * @throws Fault 403 when there is no such account
 * @see k8s.io/kubernetes/plugin/pkg/admission/serviceaccount
 */
export function admitAccount(
  { store }: { readonly store: Pick<Store, 'get'> },
  resource: Naming,
  pod: Obj,
  random: () => string,
): void {
  const spec = specOf(pod)
  const refuse = (why: string): Fault => forbidden(resource, toldName(pod), why)
  if (pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) return checkMirror(spec, refuse)
  const name = stringOf(spec.serviceAccountName) || 'default'
  const namespace = namespaceOf(pod)
  spec.serviceAccountName = name
  spec.serviceAccount = name
  const account = store.get(ACCOUNTS, namespace, name)
  if (account === undefined)
    throw refuse(
      `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`,
    )
  if (isMounted(account, spec)) mountAccess(spec, random)
  const pullSecrets = listOf(account.imagePullSecrets)
  if (listOf(spec.imagePullSecrets).length === 0 && pullSecrets.length > 0)
    spec.imagePullSecrets = objectsOf(pullSecrets).map(({ name: secret }) => ({ name: stringOf(secret) }))
}

/** The pod has the last word. */
function isMounted(account: Obj, spec: JsonObject): boolean {
  return (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) === true
}

function mountAccess(spec: JsonObject, random: () => string): void {
  const volumes = listOf(spec.volumes)
  const known = objectsOf(volumes).find(({ name }) => stringOf(name).startsWith(PREFIX))
  const volume = known === undefined ? `${PREFIX}${random()}` : stringOf(known.name)
  const without = objectsOf([...listOf(spec.initContainers), ...listOf(spec.containers)]).filter(
    ({ volumeMounts }) => !objectsOf(volumeMounts).some(({ mountPath }) => mountPath === MOUNT_PATH),
  )
  for (const container of without)
    container.volumeMounts = [
      ...listOf(container.volumeMounts),
      { name: volume, readOnly: true, mountPath: MOUNT_PATH },
    ]
  if (known === undefined && without.length > 0) spec.volumes = [...volumes, { name: volume, projected: access() }]
}

const access = (): JsonObject => ({
  sources: [
    { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
    { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    {
      downwardAPI: {
        items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
      },
    },
  ],
  defaultMode: 0o644,
})

/** A pod that a node shows of its own making has no way to the API. */
function checkMirror(spec: JsonObject, refuse: (why: string) => Fault): void {
  if (stringOf(spec.serviceAccountName) !== '') throw refuse('a mirror pod may not reference service accounts')
  const projections = objectsOf(spec.volumes).flatMap(({ projected }) => objectsOf(projected && [projected]))
  if (objectsOf(spec.volumes).some(({ secret }) => secret !== undefined))
    throw refuse('a mirror pod may not reference secrets')
  const hasToken = projections.some(({ sources }) =>
    objectsOf(sources).some(({ serviceAccountToken }) => serviceAccountToken !== undefined),
  )
  if (hasToken) throw refuse('a mirror pod may not use ServiceAccountToken volume projections')
}
