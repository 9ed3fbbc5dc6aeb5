import type { InventoryEntry, Kustomization } from '../../../../kinds/kustomization.ts'
import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import { describeRef, type KubeObject, type ObjectRef } from '../../../../lib/kube/object.ts'
import { isNeverPruned } from '../../../../pipeline/apply/flux-itself.ts'
import { parseInventoryEntry } from '../../../../pipeline/apply/inventory.ts'
import { compareForApply } from '../../../../pipeline/apply/order.ts'
import { ownerOf, rulesOf } from '../../../../pipeline/apply/rules.ts'
import { ApiError } from '../../../kube/api-error.ts'
import type { KubeClient } from '../../../kube/types.ts'
import { isPassing } from './refused.ts'
import type { Target } from './target.ts'

/** So often an object that somebody keeps writing is looked at anew before it is deleted as the last look showed it. */
const MOST_LOOKS = 5

/** What a prune did to one object. */
export type Pruned = { readonly ref: ObjectRef; readonly action: 'deleted' | 'skipped' }

/** An object that could not be deleted; `passes` when that may go well soon. */
export type PruneFailure = { readonly entry: InventoryEntry; readonly message: string; readonly passes: boolean }

/** A prune: what it did, and what could not be deleted (it stays in the inventory). */
export type PruneResult = {
  readonly pruned: readonly Pruned[]
  readonly failures: readonly PruneFailure[]
}

/**
 * Deletes what left Git, in the reverse order of applying. Only objects that still carry this Kustomization's labels and do not ask to stay;
 * what is gone already counts as deleted. Safe, the namespace that the Kustomization lives in stays: with it would go its sources, and all else.
 */
export async function pruneObjects(
  { context, live }: Target,
  kustomization: Kustomization,
  entries: readonly InventoryEntry[],
): Promise<PruneResult> {
  const { client } = context
  const { namespace, name } = kustomization
  const pruned: Pruned[] = []
  const failures: PruneFailure[] = []
  const named = entries.flatMap((entry) => {
    const ref = parseInventoryEntry(entry)
    return ref ? [{ entry, ref }] : []
  })
  named.sort((a, b) => compareForApply(b.ref, a.ref))
  for (const { entry, ref } of named)
    try {
      pruned.push({ ref, action: await pruneOne(ref) })
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      const passes = isPassing(error instanceof Error ? error.cause : undefined)
      failures.push({ entry, message: `${describeRef(ref)} ${why}`, passes })
    }
  return { pruned, failures }

  async function pruneOne(ref: ObjectRef): Promise<Pruned['action']> {
    if (isNeverPruned(context, kustomization, ref)) return 'skipped'
    const resource = await client.resource(ref.apiVersion, ref.kind)
    if (!resource) return 'deleted'
    for (let tries = 1; ; tries++) {
      const existing = await doing('query', client.get(ref))
      live.forget(ref)
      if (!existing) return 'deleted'
      if (rulesOf(existing).isKept || ownerOf(existing) !== `${namespace}/${name}`) return 'skipped'
      if (await deleteSeen(client, ref, existing, tries < MOST_LOOKS)) return 'deleted'
    }
  }
}

/** Deletes an object as it was seen; false when it is another by now: it may have moved to another Kustomization, which has just applied it. */
async function deleteSeen(
  client: KubeClient,
  ref: ObjectRef,
  { metadata: { uid, resourceVersion } }: KubeObject,
  isExact: boolean,
): Promise<boolean> {
  const seen = {
    ...(uid === undefined ? {} : { uid }),
    ...(isExact && resourceVersion !== undefined ? { resourceVersion } : {}),
  }
  try {
    await client.delete(ref, { propagationPolicy: 'Background', ...seen })
  } catch (error) {
    if (error instanceof ApiError && error.status === 409 && isExact) return false
    if (!(error instanceof ApiError && error.status === 404)) throw failedTo('delete', error)
  }
  return true
}

/** What went wrong with a prune, in Flux's words. */
export function pruneFault({ failures }: PruneResult): string | undefined {
  if (failures.length === 0) return undefined
  return `delete failed, errors: ${failures.map(({ message }) => `${message};`).join('')}`
}

async function doing<T>(what: string, call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    throw failedTo(what, error)
  }
}

function failedTo(what: string, cause: unknown): SluiceError {
  const message = `${what} failed: ${cause instanceof Error ? cause.message : String(cause)}`
  return new SluiceError('APPLY_FAILED', message, { cause, retry: 'backoff' })
}
