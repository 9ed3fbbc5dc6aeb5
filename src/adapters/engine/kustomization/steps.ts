import type { KustomizationChange, KustomizationSeen } from '../../../controllers/kustomization.ts'
import type { Attempt, StepFailure } from '../../../controllers/kustomization.ts'
import { renderDuration } from '../../../kinds/duration.ts'
import { FINALIZER } from '../../../kinds/flux-object.ts'
import type { InventoryEntry, Kustomization } from '../../../kinds/kustomization.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { describeRef, type ObjectRef, refOf } from '../../../lib/kube/object.ts'
import { inventoryEntry, parseInventoryEntry, staleEntries, unite } from '../../../pipeline/apply/inventory.ts'
import { compareForApply } from '../../../pipeline/apply/order.ts'
import { writeFinalizers } from '../status-writer.ts'
import { applyObjects, type ObjectChange } from './apply.ts'
import { buildManifests } from './build.ts'
import { holdInventory } from './hold-inventory.ts'
import { workloadsOf } from './workloads.ts'
import { tellEvent } from './tell.ts'
import { watchHealth } from './live-health.ts'
import { STATUS_MANAGER, type KustomizationTools, type Memory } from './memory.ts'
import { pruneObjects, type Pruned } from './prune.ts'

const TERMINATION_POLL_MS = 500

/** Does one step that `decide` asked for; what goes wrong becomes the attempt's failure, which the next `decide` turns into a status. */
export async function carryOut(
  tools: KustomizationTools,
  change: KustomizationChange,
  seen: KustomizationSeen,
  key: string,
): Promise<void> {
  const memory = tools.memoryOf(key)
  const { kustomization } = seen
  switch (change) {
    case 'add finalizer':
      return setFinalizers(tools, key, [...kustomization.finalizers, FINALIZER])
    case 'finalize':
      return finalize(tools, kustomization, key)
    case 'begin':
      return begin(tools, memory, seen)
    case 'build':
      return build(tools, memory, kustomization, key)
    case 'apply':
      return apply(tools, memory, kustomization, key)
    case 'prune':
      return prune(tools, memory, kustomization)
    case 'begin health check':
      return beginHealthCheck(tools, memory, kustomization, key)
  }
}

async function setFinalizers(
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

function begin({ context }: KustomizationTools, memory: Memory, { kustomization, source }: KustomizationSeen): void {
  if (source.kind !== 'ready') return
  memory.healthWatch?.close()
  memory.healthWatch = undefined
  memory.objects = []
  memory.handledGeneration = kustomization.generation
  memory.handledRequest = kustomization.requestedAt
  memory.handledRevision = source.revision
  memory.handledDigest = source.digest
  memory.attempt = {
    revision: source.revision,
    digest: source.digest,
    generation: kustomization.generation,
    requestedAt: kustomization.requestedAt,
    startedMs: context.clock.nowMs(),
    wasHealthy: kustomization.conditions.some(({ type, status }) => type === 'Healthy' && status === 'True'),
  }
}

async function build(
  tools: KustomizationTools,
  memory: Memory,
  kustomization: Kustomization,
  key: string,
): Promise<void> {
  const { context } = tools
  const { attempt } = memory
  if (!attempt) return
  const result = await buildManifests(context, memory.build, kustomization)
  const isOk = !('failure' in result)
  if (isOk) {
    memory.build = result
    memory.objects = result.objects
    memory.attempt = { ...attempt, build: { digest: result.digest } }
  } else memory.attempt = { ...attempt, failure: result.failure }
  context.report({
    kind: 'build',
    kustomization: key,
    revision: attempt.revision,
    ok: isOk,
    ...(isOk ? {} : { cause: result.failure.message }),
    workloads: isOk ? workloadsOf(result.objects) : [],
  })
}

async function apply(
  tools: KustomizationTools,
  memory: Memory,
  kustomization: Kustomization,
  key: string,
): Promise<void> {
  const { context } = tools
  const { attempt, objects } = memory
  if (!attempt) return
  const changes: ObjectChange[] = []
  const planned = new Set<ObjectRef>()
  const { live, holds } = tools
  const onPlan = async (plan: readonly ObjectChange[]): Promise<void> => {
    plan.forEach(({ ref }) => planned.add(ref))
    await holdInventory(tools, key, objects)
    await context.report({ ...applyFact(key, kustomization, attempt, plan), intended: true })
  }
  const isAsked = attempt.requestedAt !== kustomization.lastHandledReconcileAt
  const failure = await applyObjects(context, { live, holds, isAsked, onPlan }, kustomization, objects, (change) =>
    changes.push(change),
  ).then(
    () => undefined,
    (error: unknown) => failureOf(error),
  )
  memory.skipped = new Set(
    changes.filter(({ action }) => action === 'skipped').map(({ ref }) => inventoryEntry(ref).id),
  )
  const refs = failure ? changes.map(({ ref }) => ref) : objects.map(refOf).sort(compareForApply)
  const entries = refs.map(inventoryEntry)
  memory.attempt = failure
    ? {
        ...attempt,
        failure,
        ...(context.traps === 'safe' ? { inventory: unite(kustomization.inventory, entries) } : {}),
      }
    : {
        ...attempt,
        inventory: entries,
        hasChanged: changes.some(({ action }) => action === 'created' || action === 'configured'),
      }
  const done = changes.filter(({ action }) => action === 'created' || action === 'configured')
  tellChanges(tools, kustomization, attempt, 'Progressing', done)
  // what was planned and turned out to be no change is named, too: the record must not take it for done
  const told = changes.filter((change) => done.includes(change) || planned.has(change.ref))
  const fact = applyFact(key, kustomization, attempt, told)
  void context.report(failure ? { ...fact, ok: false, cause: failure.message.trim() } : fact)
}

/** What Git did not ask for anew is drift; with a new revision, nobody can tell whose change it was. */
function applyFact(key: string, kustomization: Kustomization, { revision }: Attempt, plan: readonly ObjectChange[]) {
  const isSameRevision = kustomization.lastAppliedRevision === revision
  const changes = plan.map(({ ref, action, isDrift }) => ({
    object: describeRef(ref),
    action,
    ...(isDrift && isSameRevision ? { drift: true } : {}),
  }))
  return { kind: 'apply', kustomization: key, revision, ok: true, changes } as const
}

function failureOf(error: unknown): StepFailure {
  const message = error instanceof Error ? error.message : String(error)
  if (!(error instanceof SluiceError)) throw error
  return { phase: 'Detecting drift', reason: 'ReconciliationFailed', message }
}

async function prune(tools: KustomizationTools, memory: Memory, kustomization: Kustomization): Promise<void> {
  const { attempt } = memory
  if (!attempt?.inventory) return
  const stale = staleEntries(kustomization.inventory, attempt.inventory)
  if (!kustomization.prune || stale.length === 0) {
    memory.attempt = { ...attempt, isPruned: true }
    return
  }
  const { pruned, failures } = await pruneObjects(tools.context, tools.live, kustomization, stale)
  tellChanges(tools, kustomization, attempt, 'Progressing', pruned)
  const [first] = failures
  if (!first) {
    memory.attempt = { ...attempt, isPruned: true }
    return
  }
  const failure: StepFailure = { phase: 'Detecting drift', reason: 'PruneFailed', message: first.message }
  memory.attempt = {
    ...attempt,
    inventory: unite(
      attempt.inventory,
      failures.map(({ entry }) => entry),
    ),
    failure,
  }
}

async function beginHealthCheck(
  tools: KustomizationTools,
  memory: Memory,
  kustomization: Kustomization,
  key: string,
): Promise<void> {
  const { attempt } = memory
  if (!attempt?.inventory) return
  const { context, live, wakeKey } = tools
  memory.healthWatch = await watchHealth(context, live, kustomization, attempt.inventory, memory.skipped, () =>
    wakeKey(key),
  )
  memory.attempt = { ...attempt, healthStartedMs: context.clock.nowMs() }
}

/** Deletes what the Kustomization applied, if its policy says so, and lets it go. */
async function finalize(tools: KustomizationTools, kustomization: Kustomization, key: string): Promise<void> {
  const { context, live } = tools
  const memory = tools.memoryOf(key)
  const { deletionPolicy, isSuspended, inventory } = kustomization
  const isPruning = !isSuspended && deletionPolicy !== 'Orphan' && (kustomization.prune || deletionPolicy === 'Delete')
  const revision = kustomization.lastAppliedRevision || kustomization.lastAttemptedRevision
  const startedMs = context.clock.nowMs()
  if (isPruning && !memory.isPruned && inventory.length > 0) {
    const { pruned, failures } = await pruneObjects(context, live, kustomization, inventory)
    tellChanges(tools, kustomization, { revision }, 'ReconciliationSucceeded', pruned)
    const [first] = failures
    if (first) throw new SluiceError('APPLY_FAILED', first.message, { retry: 'backoff' })
    memory.isPruned = true
  }
  if (isPruning && deletionPolicy === 'WaitForTermination' && (await isTerminating(tools, inventory))) {
    memory.terminationLookMs = context.clock.nowMs() + TERMINATION_POLL_MS
    return
  }
  if (!isSuspended) {
    const took = renderDuration(Math.max(context.clock.nowMs() - startedMs, 1) + 0.1 + 0.8 * context.random())
    const message = `Reconciliation finished in ${took}, next run in ${renderDuration(kustomization.intervalMs)}`
    tellEvent(context, kustomization, {
      severity: 'info',
      reason: 'ReconciliationSucceeded',
      message,
      revision,
      isCommitStatus: true,
    })
  }
  memory.healthWatch?.close()
  await setFinalizers(
    tools,
    key,
    kustomization.finalizers.filter((name) => name !== FINALIZER),
  )
}

async function isTerminating({ context }: KustomizationTools, inventory: readonly InventoryEntry[]): Promise<boolean> {
  for (const entry of inventory) {
    const ref = parseInventoryEntry(entry)
    if (!ref || !(await context.client.resource(ref.apiVersion, ref.kind))) continue
    const object = await context.client.get(ref)
    if (object?.metadata.deletionTimestamp !== undefined) return true
  }
  return false
}

function tellChanges(
  { context }: KustomizationTools,
  kustomization: Kustomization,
  { revision }: Pick<Attempt, 'revision'>,
  reason: string,
  changes: readonly (Pick<ObjectChange, 'ref' | 'action'> | Pruned)[],
): void {
  if (changes.length === 0) return
  const message = changes.map(({ ref, action }) => `${describeRef(ref)} ${action}`).join('\n')
  tellEvent(context, kustomization, { severity: 'info', reason, message, revision })
}
