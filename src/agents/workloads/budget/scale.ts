import type { OwnerReference } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { controllerOf } from '../meta.ts'
import { as, type ReplicaSet } from '../shapes.ts'

/** How many pods a controller asks for: of the Deployment where a ReplicaSet belongs to one. */
export type Scale = { readonly uid: string; readonly replicas: number }

/**
 * Reads what a pod's controller asks for, whatever kind it is, by its `scale`.
 *
 * @returns undefined when the controller is not there any more; why, when its kind has no scale
 * @see k8s.io/kubernetes/pkg/controller/disruption `getExpectedScale`
 */
export async function scaleOf(
  bench: Bench,
  owner: OwnerReference,
  namespace: string,
): Promise<Scale | { readonly why: string } | undefined> {
  const isReplicaSet = owner.kind === 'ReplicaSet' && owner.apiVersion.startsWith('apps/')
  return (isReplicaSet ? ofReplicaSet(bench, owner, namespace) : undefined) ?? askScale(bench, owner, namespace)
}

function ofReplicaSet(bench: Bench, owner: OwnerReference, namespace: string): Scale | undefined {
  const set = bench.cache('apps/v1', 'ReplicaSet').get(namespace, owner.name)
  if (set?.metadata.uid !== owner.uid) return undefined
  const above = controllerOf(set)
  if (above?.kind !== 'Deployment') return scale(owner.uid, as<ReplicaSet>(set).spec.replicas)
  const deployment = bench.cache('apps/v1', 'Deployment').get(namespace, above.name)
  if (deployment?.metadata.uid !== above.uid) return undefined
  return scale(above.uid, as<ReplicaSet>(deployment).spec.replicas)
}

async function askScale(
  { client }: Bench,
  { apiVersion, kind, name, uid }: OwnerReference,
  namespace: string,
): Promise<Scale | { readonly why: string } | undefined> {
  const resource = await client.resource(apiVersion, kind)
  if (!resource) return { why: `no matches for kind "${kind}" in version "${apiVersion}"` }
  const { plural } = resource
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
  const root = group === '' ? `/api/${version}` : `/apis/${apiVersion}`
  const { status, text } = await client.raw(
    'GET',
    `${root}/namespaces/${namespace}/${plural}/${encodeURIComponent(name)}/scale`,
  )
  const body: { metadata?: { uid?: string }; spec?: { replicas?: number }; message?: string } = JSON.parse(text)
  if (status < 300) return body.metadata?.uid === uid ? scale(uid, body.spec?.replicas ?? 0) : undefined
  if (status !== 404) return { why: body.message ?? `the server answers ${status}` }
  const served: { resources?: { name: string }[] } = JSON.parse((await client.raw('GET', root)).text)
  if (served.resources?.some((each) => each.name === `${plural}/scale`)) return undefined
  return { why: `${plural}${group === '' ? '' : `.${group}`} does not implement the scale subresource` }
}

const scale = (uid: string, replicas = 1): Scale => ({ uid, replicas })
