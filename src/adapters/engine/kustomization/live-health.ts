import type { Kustomization, InventoryEntry } from '../../../kinds/kustomization.ts'
import { groupOf, type ObjectRef } from '../../../lib/kube/object.ts'
import { parseInventoryEntry } from '../../../pipeline/apply/inventory.ts'
import { judge } from '../../../pipeline/health/kstatus.ts'
import type { Checked } from '../../../pipeline/health/summarize.ts'
import type { WatchCache } from '../../kube/types.ts'
import type { EngineContext } from '../context.ts'
import type { LiveObjects } from './live-objects.ts'

/** The objects whose health a Kustomization waits for, each seen through a watch. */
export type HealthWatch = { readonly check: () => readonly Checked[]; readonly close: () => void }

type Look = { readonly ref: ObjectRef; readonly cache: WatchCache | undefined | 'no kind' }

/**
 * Opens a look at every object that counts: all that was applied (`wait`), or the listed ones. Owned objects are seen by the watches of their kind;
 * others get a watch of their own while it is needed. `onChange` is called when one of those others changes.
 */
export async function watchHealth(
  context: EngineContext,
  live: LiveObjects,
  kustomization: Kustomization,
  inventory: readonly InventoryEntry[],
  skipped: ReadonlySet<string>,
  onChange: () => void,
): Promise<HealthWatch> {
  const refs = kustomization.wait
    ? inventory.filter(({ id }) => !skipped.has(id)).flatMap((entry) => parseInventoryEntry(entry) ?? [])
    : kustomization.healthChecks
  const others = refs.filter((ref) => !isSelf(kustomization, ref))
  const looks = await Promise.all(others.map((ref) => openLook(context, live, ref, onChange)))
  return {
    check: () => looks.map((look) => ({ ref: look.ref, judgement: judgeLook(look, live, context.clock.nowMs()) })),
    close() {
      for (const { cache } of looks) if (typeof cache === 'object') cache.close()
    },
  }
}

async function openLook(
  { client, caches }: EngineContext,
  live: LiveObjects,
  { apiVersion, kind, namespace, name }: ObjectRef,
  onChange: () => void,
): Promise<Look> {
  const ref = { apiVersion, kind, namespace, name }
  if (!(await client.resource(apiVersion, kind))) return { ref, cache: 'no kind' }
  if ((await live.ensure(apiVersion, kind)) && live.get(ref)) return { ref, cache: undefined }
  const cache = caches.open({
    apiVersion,
    kind,
    ...(namespace === '' ? {} : { namespace }),
    fieldSelector: `metadata.name=${name}`,
  })
  cache.onChange(onChange)
  await cache.ready
  return { ref, cache }
}

function judgeLook({ ref, cache }: Look, live: LiveObjects, nowMs: number): Checked['judgement'] {
  if (cache === 'no kind')
    return { health: 'Unknown', why: `no matches for kind "${ref.kind}" in group "${groupOf(ref.apiVersion)}"` }
  return judge(live.get(ref) ?? cache?.get(ref.namespace, ref.name), nowMs)
}

function isSelf({ namespace, name }: Kustomization, ref: ObjectRef): boolean {
  return (
    ref.kind === 'Kustomization' &&
    groupOf(ref.apiVersion) === 'kustomize.toolkit.fluxcd.io' &&
    ref.namespace === namespace &&
    ref.name === name
  )
}
