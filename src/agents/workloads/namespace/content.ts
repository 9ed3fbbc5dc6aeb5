import { ApiError } from '../../../adapters/kube/api-error.ts'
import type { HttpKubeClient } from '../../../adapters/kube/client.ts'
import type { KubeResource } from '../../../adapters/kube/types.ts'
import { refOf, type KubeObject } from '../../../lib/kube/object.ts'
import type { Leftovers } from './decide.ts'

const AT_ONCE = 8

/**
 * Deletes everything in a namespace, kind by kind, and counts what finalizers or grace periods still hold.
 *
 * Pods go first: what guards them (network policies and the like) stays until the last one has gone.
 */
export async function deleteContent(client: HttpKubeClient, namespace: string): Promise<Leftovers> {
  const kinds = deletable(await client.resources())
  const left = { resources: {} as Record<string, number>, finalizers: {} as Record<string, number> }
  const pods = kinds.find((kind) => nameOf(kind) === 'pods.')
  if (pods) count(left, pods, await deleteKind(client, pods, namespace))
  if (Object.keys(left.resources).length > 0) return left
  const waiting = kinds.filter((kind) => kind !== pods)
  const work = async (): Promise<void> => {
    for (let kind = waiting.pop(); kind; kind = waiting.pop())
      count(left, kind, await deleteKind(client, kind, namespace))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return left
}

/** Takes Kubernetes' own finalizer off, which lets the namespace go. */
export async function finalizeNamespace(client: HttpKubeClient, namespace: KubeObject): Promise<void> {
  const { name } = namespace.metadata
  const present = (namespace['spec'] as { finalizers?: readonly string[] } | undefined)?.finalizers ?? []
  if (!present.includes('kubernetes')) return
  const spec = { finalizers: present.filter((finalizer) => finalizer !== 'kubernetes') }
  const path = `/api/v1/namespaces/${encodeURIComponent(name)}/finalize`
  const { resourceVersion: _any, ...metadata } = namespace.metadata
  const { status, text } = await client.raw('PUT', path, { ...namespace, metadata, spec })
  if (status >= 400 && status !== 404) throw new ApiError(status, status === 409 ? 'Conflict' : '', text)
}

async function deleteKind(
  client: HttpKubeClient,
  kind: KubeResource,
  namespace: string,
): Promise<readonly KubeObject[]> {
  const selection = { apiVersion: kind.apiVersion, kind: kind.kind, namespace, metadataOnly: true }
  try {
    const { items } = await client.list(selection)
    const present = items.filter((item) => item.metadata.deletionTimestamp === undefined)
    await Promise.all(present.map((item) => client.remove(refOf(item), { propagationPolicy: 'Background' })))
    return items.length === 0 ? [] : (await client.list(selection)).items
  } catch (error) {
    // The kind has gone since it was listed, or cannot be listed: nothing of it can hold the namespace.
    if (error instanceof ApiError && (error.status === 404 || error.status === 405)) return []
    throw error
  }
}

function count(
  left: { resources: Record<string, number>; finalizers: Record<string, number> },
  kind: KubeResource,
  items: readonly KubeObject[],
): void {
  if (items.length > 0) left.resources[nameOf(kind)] = items.length
  for (const finalizer of items.flatMap((item) => item.metadata.finalizers ?? []))
    left.finalizers[finalizer] = (left.finalizers[finalizer] ?? 0) + 1
}

function deletable(kinds: readonly KubeResource[]): KubeResource[] {
  const groups = new Set<string>()
  return kinds.filter((kind) => {
    const isFirst = !groups.has(nameOf(kind))
    const can = kind.namespaced && kind.verbs.includes('delete') && kind.verbs.includes('list')
    if (can) groups.add(nameOf(kind))
    return can && isFirst
  })
}

function nameOf({ plural, apiVersion }: KubeResource): string {
  const slash = apiVersion.indexOf('/')
  return slash < 0 ? `${plural}.` : `${plural}.${apiVersion.slice(0, slash)}`
}
