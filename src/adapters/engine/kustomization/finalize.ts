import { renderDuration, renderInterval } from '../../../kinds/duration.ts'
import { suspendedStatus } from '../../../controllers/kustomization-status.ts'
import { FINALIZER, isReady } from '../../../kinds/flux-object.ts'
import type { InventoryEntry, Kustomization } from '../../../kinds/kustomization.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { describeRef } from '../../../lib/kube/object.ts'
import { readText } from '../../../lib/kube/read.ts'
import { parseInventoryEntry } from '../../../pipeline/apply/inventory.ts'
import type { EngineContext } from '../context.ts'
import { writeFinalizers, writeStatus } from '../status-writer.ts'
import { STATUS_MANAGER, type KustomizationTools } from './memory.ts'
import { pruneFault, pruneObjects } from './apply/prune.ts'
import { hasAccount, type Target } from './apply/target.ts'
import { tellChanges, tellEvent } from './tell.ts'

const TERMINATION_POLL_MS = 500

/** Deletes what the Kustomization applied, if its policy says so, and lets it go. */
export async function finalize(tools: KustomizationTools, kustomization: Kustomization, key: string): Promise<void> {
  const { context } = tools
  const startedMs = context.clock.monotonicMs()
  try {
    if (deletesObjects(kustomization) && !(await deleteObjects(tools, kustomization, key))) return
  } catch (error) {
    tellFinished(context, kustomization, startedMs)
    await showSeen(tools, kustomization, key)
    throw error
  }
  tellFinished(context, kustomization, startedMs)
  const { finalizers } = kustomization
  tools.memoryOf(key).healthWatch?.close()
  // no later start sees it any more
  await context.report({ kind: 'deletion', kustomization: key })
  await setFinalizers(
    tools,
    key,
    finalizers.filter((name) => name !== FINALIZER),
  )
}

/** A deletion ends as a reconcile does, with the word that the last one earned. */
function tellFinished(context: EngineContext, kustomization: Kustomization, startedMs: number): void {
  if (kustomization.isSuspended || !isReady(kustomization)) return
  const took = renderDuration(Math.max(context.clock.monotonicMs() - startedMs, 1) + 0.1 + 0.8 * context.random())
  const message = `Reconciliation finished in ${took}, next run in ${renderInterval(kustomization.intervalMs)}`
  tellEvent(context, kustomization, { ...said(kustomization, 'info', message), isCommitStatus: true })
}

async function showSeen(
  { context, view }: KustomizationTools,
  kustomization: Kustomization,
  key: string,
): Promise<void> {
  const object = view.get(key)
  if (!object) return
  const written = await writeStatus(context.client, object, suspendedStatus(kustomization), STATUS_MANAGER)
  if (written) view.put(key, written)
}

/** Writes the finalizers of a Kustomization; what the server answers is what is known from now on. */
export async function setFinalizers(
  { context, view }: KustomizationTools,
  key: string,
  finalizers: readonly string[],
): Promise<void> {
  const object = view.get(key)
  if (!object) return
  const written = await writeFinalizers(context.client, object, finalizers, STATUS_MANAGER)
  if (written) view.put(key, written)
  else view.drop(key)
}

function deletesObjects({ isSuspended, deletionPolicy, prune, inventory }: Kustomization): boolean {
  if (isSuspended || inventory.length === 0 || deletionPolicy === 'Orphan') return false
  return deletionPolicy !== 'MirrorPrune' || prune
}

/** Answers whether it is done: with WaitForTermination, when what was deleted is gone or took too long. */
async function deleteObjects(tools: KustomizationTools, kustomization: Kustomization, key: string): Promise<boolean> {
  const { context, targets } = tools
  const { inventory } = kustomization
  if (!(await hasAccount(context, kustomization))) {
    const objects = inventory.flatMap((entry) => parseInventoryEntry(entry) ?? []).map(describeRef)
    tellEvent(context, kustomization, said(kustomization, 'error', `unable to prune objects: \n${objects.join('\n')}`))
    return true
  }
  const memory = tools.memoryOf(key)
  const target = await targets.of(key, kustomization)
  if (!memory.isPruned) {
    const result = await pruneObjects(target, kustomization, inventory)
    const { pruned } = result
    const fault = pruneFault(result)
    if (fault !== undefined) {
      tellEvent(context, kustomization, said(kustomization, 'error', 'pruning for deleted resource failed'))
      throw new SluiceError('APPLY_FAILED', fault, { retry: 'backoff' })
    }
    const { reason, revision } = said(kustomization, 'info', '')
    tellChanges(context, kustomization, { revision }, reason, pruned)
    memory.isPruned = true
    memory.terminationEndMs = context.clock.monotonicMs() + kustomization.timeoutMs
  }
  if (kustomization.deletionPolicy !== 'WaitForTermination' || !(await isTerminating(target, inventory))) return true
  if (context.clock.monotonicMs() >= memory.terminationEndMs) {
    tellEvent(context, kustomization, said(kustomization, 'error', 'failed to wait for resources termination'))
    return true
  }
  memory.terminationLookMs = context.clock.monotonicMs() + TERMINATION_POLL_MS
  return false
}

async function isTerminating({ context: { client } }: Target, inventory: readonly InventoryEntry[]): Promise<boolean> {
  for (const entry of inventory) {
    const ref = parseInventoryEntry(entry)
    if (!ref || !(await client.resource(ref.apiVersion, ref.kind))) continue
    const object = await client.get(ref)
    if (object?.metadata.deletionTimestamp !== undefined) return true
  }
  return false
}

type Said = Parameters<typeof tellEvent>[2]

/** An event of a deletion; its reason is that of the last Ready, as in Flux. */
function said(kustomization: Kustomization, severity: 'info' | 'error', message: string): Said {
  const { conditions, lastAppliedRevision: revision, status } = kustomization
  const originRevision = readText(status, 'lastAppliedOriginRevision')
  const reason = conditions.find(({ type }) => type === 'Ready')?.reason ?? severity
  return {
    severity,
    reason,
    message,
    revision,
    ...(originRevision === '' ? {} : { originRevision }),
  }
}
