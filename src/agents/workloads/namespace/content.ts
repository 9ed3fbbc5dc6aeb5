import { ApiError } from '../../../adapters/kube/api-error.ts'
import type { HttpKubeClient } from '../../../adapters/kube/client.ts'
import type { KubeResource } from '../../../adapters/kube/types.ts'
import { refOf, type KubeObject } from '../../../lib/kube/object.ts'
import type { Leftovers, Remaining } from './leftovers.ts'

const AT_ONCE = 8

/**
 * Deletes everything in a namespace, kind by kind, and looks what finalizers or grace periods still hold.
 *
 * Pods go first: what guards them (network policies and the like) stays until the last one has gone.
 */
export async function deleteContent(client: HttpKubeClient, namespace: string): Promise<Leftovers> {
  const kinds = deletable(await client.resources())
  const pods = kinds.find((kind) => kind.apiVersion === 'v1' && kind.plural === 'pods')
  const first = pods ? await deleteKind(client, pods, namespace) : []
  if (first.length > 0) return { pods: first, others: [] }
  const waiting = kinds.filter((kind) => kind !== pods)
  const others: Remaining[] = []
  const work = async (): Promise<void> => {
    for (let kind = waiting.pop(); kind; kind = waiting.pop())
      others.push(...(await deleteKind(client, kind, namespace)))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return { pods: [], others }
}

/** What remains of a kind: nothing, or one entry. */
async function deleteKind(client: HttpKubeClient, kind: KubeResource, namespace: string): Promise<Remaining[]> {
  const { apiVersion, plural } = kind
  const selection = { apiVersion, kind: kind.kind, namespace, metadataOnly: true }
  try {
    const { items } = await client.list(selection)
    const present = items.filter((item) => item.metadata.deletionTimestamp === undefined)
    await Promise.all(present.map((item) => client.remove(refOf(item), { propagationPolicy: 'Background' })))
    const left = items.length === 0 ? [] : (await client.list(selection)).items
    return left.length === 0 ? [] : [{ apiVersion, plural, count: left.length, finalizers: finalizersOf(left) }]
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    // The kind has gone since it was listed, or cannot be listed: nothing of it can hold the namespace.
    if (error.status === 404 || error.status === 405) return []
    return [{ apiVersion, plural, count: 0, finalizers: {}, failure: error.message }]
  }
}

function finalizersOf(items: readonly KubeObject[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const finalizer of items.flatMap((item) => item.metadata.finalizers ?? []))
    counts[finalizer] = (counts[finalizer] ?? 0) + 1
  return counts
}

function deletable(kinds: readonly KubeResource[]): KubeResource[] {
  const seen = new Set<string>()
  return kinds.filter(({ apiVersion, plural, namespaced, verbs }) => {
    const name = `${plural}.${apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''}`
    const isWanted = namespaced && verbs.includes('delete') && verbs.includes('list') && !seen.has(name)
    if (isWanted) seen.add(name)
    return isWanted
  })
}
