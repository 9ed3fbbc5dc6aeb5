import type { KustomizationChange, KustomizationSeen } from '../../../controllers/kustomization.ts'
import type { Attempt, StepFailure } from '../../../controllers/kustomization.ts'
import { renderDuration } from '../../../kinds/duration.ts'
import { FINALIZER, isRequested } from '../../../kinds/flux-object.ts'
import type { Kustomization } from '../../../kinds/kustomization.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { describeRef, refOf, type KubeObject, type ObjectRef } from '../../../lib/kube/object.ts'
import { isLeftAlone } from '../../../pipeline/apply/flux-itself.ts'
import { inventoryEntry, parseInventoryEntry, staleEntries, unite } from '../../../pipeline/apply/inventory.ts'
import { compareForApply } from '../../../pipeline/apply/order.ts'
import { placeRefusal } from '../../../pipeline/apply/place-refusal.ts'
import { shortBuildCause } from '../../../pipeline/build/short-cause.ts'
import { vanishingJobs } from '../../../pipeline/health/vanishing-jobs.ts'
import { applyObjects } from './apply/apply.ts'
import type { ObjectChange } from './apply/tools.ts'
import { buildManifests, buildTrees, findFolder, shown, type BuildMemory } from './build/build.ts'
import { finalize, setFinalizers } from './finalize.ts'
import { holdInventory } from './hold-inventory.ts'
import { watchHealth } from './apply/live-health.ts'
import type { KustomizationTools, Memory } from './memory.ts'
import { pruneFault, pruneObjects } from './apply/prune.ts'
import { withoutStrayNamespaces } from './apply/stray-namespace.ts'
import { targetFailure, unreachableAsFlux } from './apply/target.ts'
import { tellChanges, tellEvent } from './tell.ts'
import { workloadsOf } from './apply/workloads.ts'

/** Lets a build of nothing prune everything. */
const PRUNE_ALL = 'sluice.dev/prune-all'
const MOST_NAMED = 5

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
      return prune(tools, memory, kustomization, key)
    case 'begin health check':
      return beginHealthCheck(tools, memory, kustomization, key)
  }
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
    ...(source.originRevision === undefined ? {} : { originRevision: source.originRevision }),
    digest: source.digest,
    generation: kustomization.generation,
    requestedAt: kustomization.requestedAt,
    startedMs: context.clock.monotonicMs(),
    wasHealthy: kustomization.conditions.some(({ type, status }) => type === 'Healthy' && status === 'True'),
  }
}

/** Finds the files, the cluster, and builds: in Flux's order, because the first fault is the one that is told. */
async function build(
  tools: KustomizationTools,
  memory: Memory,
  kustomization: Kustomization,
  key: string,
): Promise<void> {
  const { context } = tools
  const { attempt } = memory
  if (!attempt) return
  const result = await prepareBuild(tools, memory, kustomization, key)
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
    ...(isOk ? {} : { cause: result.failure.cause ?? shortBuildCause(result.failure.message) }),
    workloads: isOk ? workloadsOf(result.objects.filter((one) => !isLeftAlone(context, kustomization, one))) : [],
  })
}

async function prepareBuild(
  { context, targets }: KustomizationTools,
  memory: Memory,
  kustomization: Kustomization,
  key: string,
): Promise<BuildMemory | { readonly failure: StepFailure }> {
  const folder = findFolder(context, kustomization)
  if ('failure' in folder) return folder
  try {
    memory.target = await targets.of(key, kustomization)
  } catch (error) {
    return { failure: targetFailure(error) }
  }
  return buildManifests(context, memory.build, kustomization, folder)
}

async function apply(
  tools: KustomizationTools,
  memory: Memory,
  kustomization: Kustomization,
  key: string,
): Promise<void> {
  const { context } = tools
  const { attempt, target } = memory
  if (!attempt || !target) return
  const objects = (memory.objects = await withoutStrayNamespaces(target.context, memory.objects))
  const changes: ObjectChange[] = []
  const planned = new Set<ObjectRef>()
  const { holds } = tools
  const onPlan = async (plan: readonly ObjectChange[]): Promise<void> => {
    plan.forEach(({ ref }) => planned.add(ref))
    await holdInventory(tools, key, objects)
    await context.report({ ...applyFact(key, kustomization, attempt, plan), intended: true })
  }
  tellLeftAlone(tools, memory, kustomization)
  const { lastHandledReconcileAt } = kustomization
  const isAsked = isRequested({ requestedAt: attempt.requestedAt, lastHandledReconcileAt })
  const guarded = context.traps === 'safe' ? emptyBuild(kustomization, objects) : undefined
  const tellOwner = (owner: string, ref: ObjectRef): void => tellRival(tools, owner, key, ref)
  const applying = { target, holds, tellOwner, isAsked, onPlan }
  let finished = 0
  const watch = { onChange: (change: ObjectChange) => changes.push(change), onStage: () => (finished = changes.length) }
  const refusal =
    guarded ??
    (await applyObjects(applying, kustomization, objects, watch).then(
      () => undefined,
      (error: unknown) => failureOf(context.traps === 'flux' ? unreachableAsFlux(error, objects, target) : error),
    ))
  const done = changedOf(changes)
  // Flux does not tell what it applied of a stage that failed.
  const logged = context.traps === 'flux' ? changedOf(changes.slice(0, finished)) : done
  const failure = refusal && withLog(await placed(context, kustomization, memory, refusal), logged)
  if (done.length > 0) memory.changedMs = context.clock.monotonicMs()
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
        hasChanged: done.length > 0,
        changedMs: memory.changedMs,
      }
  if (!failure) tellChanges(context, kustomization, attempt, 'Progressing', done)
  // what was planned and turned out to be no change is named, too: the record must not take it for done
  const told = changes.filter((change) => done.includes(change) || planned.has(change.ref))
  const fact = applyFact(key, kustomization, attempt, told)
  void context.report(failure ? { ...fact, ok: false, cause: failure.cause ?? failure.message.trim() } : fact)
}

function changedOf(changes: readonly ObjectChange[]): readonly ObjectChange[] {
  return changes.filter(({ action }) => action === 'created' || action === 'configured')
}

/** Said once, as long as the engine runs and Git asks for the same. */
function tellLeftAlone({ context }: KustomizationTools, memory: Memory, kustomization: Kustomization): void {
  const left = memory.objects
    .filter((object) => isLeftAlone(context, kustomization, object))
    .map(refOf)
    .map(describeRef)
  const told = left.join(', ')
  if (told === memory.toldLeftAlone) return
  memory.toldLeftAlone = told
  if (left.length === 0) return
  const more = left.length > MOST_NAMED ? ` and ${left.length - MOST_NAMED} more` : ''
  const named = `${left.slice(0, MOST_NAMED).join(', ')}${more}`
  const message = `left as they are in the cluster, since this engine does the work of Flux's controllers: ${named}`
  context.log(`Kustomization ${kustomization.namespace}/${kustomization.name}: ${message}`)
  const revision = memory.attempt?.revision ?? ''
  tellEvent(context, kustomization, { severity: 'trace', reason: 'LeftAlone', message, revision })
}

/** Said once an object, as long as the engine runs: the one that wants it says it in its status. */
function tellRival(
  { context, find, memoryOf }: KustomizationTools,
  owner: string,
  rival: string,
  ref: ObjectRef,
): void {
  const kustomization = find(owner)
  const { toldRivals } = memoryOf(owner)
  const object = describeRef(ref)
  if (!kustomization || toldRivals.has(`${rival} ${object}`)) return
  toldRivals.add(`${rival} ${object}`)
  const message = `${object} is wanted by Kustomization/${rival}, too, and stays with this one; take it out of one of the two`
  const { lastAppliedRevision: revision } = kustomization
  tellEvent(context, kustomization, { severity: 'error', reason: 'SecondOwner', message, revision })
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
  const passes = error.retry === 'backoff' ? { passes: true } : {}
  return { phase: 'Detecting drift', reason: 'ReconciliationFailed', message, ...passes }
}

/** What was refused with the place in Git that it is about and what to do: on lines of their own in the status, around the text in the record. */
async function placed(
  context: KustomizationTools['context'],
  kustomization: Kustomization,
  { objects, attempt }: Memory,
  failure: StepFailure,
): Promise<StepFailure> {
  if (context.traps === 'flux' || failure.reason !== 'ReconciliationFailed') return failure
  const { message } = failure
  const refused = objects.map(refOf).find((ref) => message.startsWith(`${describeRef(ref)} `))
  const folder = refused && findFolder(context, kustomization)
  if (!folder || 'failure' in folder || folder.snapshot.revision !== attempt?.revision) return failure
  const place = placeRefusal(await buildTrees(context, kustomization, folder), refused, message)
  if (place === undefined) return failure
  const where = shown(context, place.where)
  const [advice, line] = place.hint === undefined ? ['', ''] : [` (${place.hint})`, `hint: ${place.hint}\n`]
  const text = message.trimEnd()
  return { ...failure, message: `${text}\nwhere: ${where}\n${line}`, cause: `${where}: ${text}${advice}` }
}

/** A step that stopped half way says what it had done before. */
function withLog(failure: StepFailure, done: readonly ObjectChange[]): StepFailure {
  if (done.length === 0) return failure
  const log = done.map(({ ref, action }) => `${describeRef(ref)} ${action}\n`).join('')
  return { ...failure, message: `${failure.message.trimEnd()}\n${log}` }
}

/** A build of nothing would prune everything: a folder that was moved or emptied by mistake looks the same as one that was meant to go. */
function emptyBuild(
  { prune, inventory, path, annotations }: Kustomization,
  objects: readonly KubeObject[],
): StepFailure | undefined {
  if (!prune || objects.length > 0 || inventory.length === 0) return undefined
  if (annotations[PRUNE_ALL]?.toLowerCase() === 'enabled') return undefined
  const held = inventory.flatMap((entry) => parseInventoryEntry(entry) ?? []).map(describeRef)
  const named = `${held.slice(0, MOST_NAMED).join(', ')}${held.length > MOST_NAMED ? ', …' : ''}`
  return {
    phase: 'Detecting drift',
    reason: 'PruneFailed',
    message: `the build of "${path || './'}" is empty and would prune all ${held.length} objects (${named}); nothing was deleted. Delete the Kustomization to remove them, or annotate it with ${PRUNE_ALL}: enabled`,
  }
}

async function prune(
  tools: KustomizationTools,
  memory: Memory,
  kustomization: Kustomization,
  key: string,
): Promise<void> {
  const { attempt, target } = memory
  if (!attempt?.inventory || !target) return
  const stale = staleEntries(kustomization.inventory, attempt.inventory)
  if (!kustomization.prune || stale.length === 0) {
    memory.attempt = { ...attempt, isPruned: true }
    return
  }
  const result = await pruneObjects(target, kustomization, stale)
  const { pruned, failures } = result
  const fault = pruneFault(result)
  // Flux tells of no deletion when one of them failed.
  if (fault === undefined || tools.context.traps === 'safe')
    tellChanges(tools.context, kustomization, attempt, 'Progressing', pruned)
  if (fault === undefined) {
    memory.attempt = { ...attempt, isPruned: true }
    return
  }
  const passes = failures.some((one) => one.passes) ? { passes: true } : {}
  const failure: StepFailure = { phase: 'Detecting drift', reason: 'PruneFailed', message: fault, ...passes }
  memory.attempt = {
    ...attempt,
    inventory: unite(
      attempt.inventory,
      failures.map(({ entry }) => entry),
    ),
    failure,
  }
  void tools.context.report({ ...applyFact(key, kustomization, attempt, []), ok: false, cause: fault })
}

async function beginHealthCheck(
  tools: KustomizationTools,
  memory: Memory,
  kustomization: Kustomization,
  key: string,
): Promise<void> {
  const { attempt, target } = memory
  if (!attempt?.inventory || !target) return
  const { context, wakeKey } = tools
  const { objects, skipped } = memory
  const applied = { inventory: attempt.inventory, skipped, vanishing: vanishingJobs(objects) }
  memory.healthWatch = await watchHealth(target, kustomization, applied, () => wakeKey(key))
  const { fault } = memory.healthWatch
  memory.attempt =
    fault === undefined
      ? { ...attempt, healthStartedMs: context.clock.monotonicMs() }
      : { ...attempt, failure: unwatchable(context, fault) }
}

function unwatchable({ random }: KustomizationTools['context'], fault: string): StepFailure {
  const message = `health check failed after ${renderDuration(1 + random())}: ${fault}`
  return { phase: 'Running health checks', reason: 'HealthCheckFailed', message, unhealthy: fault }
}
