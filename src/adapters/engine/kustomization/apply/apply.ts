import { isDeepStrictEqual } from 'node:util'
import type { InventoryEntry, Kustomization } from '../../../../kinds/kustomization.ts'
import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import { describeRef, refOf, type KubeObject, type ObjectRef } from '../../../../lib/kube/object.ts'
import { compileIgnore, planYielding, withoutPaths, yieldFields } from '../../../../pipeline/apply/ignore.ts'
import { inventoryEntry } from '../../../../pipeline/apply/inventory.ts'
import { comparable } from '../../../../pipeline/apply/normalize.ts'
import { STAGES, stageOf } from '../../../../pipeline/apply/order.ts'
import { isImmutableError, ownerOf, planTakeover, rulesOf } from '../../../../pipeline/apply/rules.ts'
import { type Refusal, refusalToTell } from '../../../../pipeline/apply/refusal.ts'
import { judge } from '../../../../pipeline/health/kstatus.ts'
import { ApiError } from '../../../kube/api-error.ts'
import type { KubeClient } from '../../../kube/types.ts'
import type { EngineContext } from '../../context.ts'
import { eachLimited } from '../../each-limited.ts'
import { desiredObjects, type Desired } from './desired.ts'
import { hashJson, type LiveObjects } from './live-objects.ts'
import type { Target } from './target.ts'

/** The field manager of everything that a Kustomization applies. */
export const APPLY_MANAGER = 'kustomize-controller'

/** What happened to one object. */
export type ObjectChange = {
  readonly ref: ObjectRef
  readonly action: 'created' | 'configured' | 'unchanged' | 'skipped'
  /** It had been changed behind Git's back. */
  readonly isDrift: boolean
}

/** What an apply needs besides the context. */
export type ApplyTools = {
  readonly target: Target
  /** The Kustomization of that key, if it has the object in its inventory. */
  readonly holds: (owner: string, entry: InventoryEntry) => boolean
  /** Says to the Kustomization that has an object that another one wants it, too. */
  readonly tellOwner: (owner: string, ref: ObjectRef) => void
  /** Waited for before the first of these changes is made; called once a stage that has something to do. */
  readonly onPlan: (changes: readonly ObjectChange[]) => Promise<void>
  /** Somebody asked for this reconcile: every object is looked at afresh, the watch may be a moment behind. */
  readonly isAsked: boolean
}

/** `ignored` are JSON pointers of fields that are left to others. */
type Wanted = {
  readonly ref: ObjectRef
  readonly object: KubeObject
  readonly hash: string
  readonly ignored: readonly string[]
}
type Prepared = Wanted & {
  /** `create`: nothing of that name is known; the server is asked to make it only if there is none. */
  readonly do: 'create' | 'apply' | 'recreate' | 'nothing'
  readonly change: ObjectChange
  /** A dry run has passed; without it the apply itself is what the server is asked first. */
  readonly isRehearsed?: boolean
  /** Fields that kubectl owned were taken over. */
  readonly isTaken?: boolean
}

const DRY_RUNS_AT_ONCE = 4
const STAGE_TIMEOUT_MS = 60_000
const POLL_MS = 100
const MOST_TAKEOVERS = 5
/** No object has this version: an apply that asks for it makes what is absent, and is a conflict where something is. */
const ABSENT = '1'

/**
 * Applies built objects in Flux's stages and order. Nothing of a stage is applied when one of its objects is refused, but for the first apply of a
 * Kustomization (docs/adr/0079); what has not changed in Git nor in the cluster costs no request.
 *
 * @throws SluiceError APPLY_FAILED with Flux's text, naming the first object that was refused; `changes` made before it are told to `onChange`
 */
export async function applyObjects(
  tools: ApplyTools,
  kustomization: Kustomization,
  built: readonly KubeObject[],
  onChange: (change: ObjectChange) => void,
): Promise<void> {
  const { context } = tools.target
  const desired = desiredObjects(built, kustomization, context)
  for (const stage of STAGES) {
    const objects = desired.filter(({ ref }) => stageOf(ref, context.stageKinds) === stage)
    if (objects.length === 0) continue
    const applied = await applyStage(tools, kustomization, objects, onChange)
    if (stage !== 'rest') await waitUntilCurrent(context, applied)
  }
}

async function applyStage(
  tools: ApplyTools,
  kustomization: Kustomization,
  desired: readonly Desired[],
  onChange: (change: ObjectChange) => void,
): Promise<readonly ObjectRef[]> {
  const { context, live, account } = tools.target
  const known = new Set<string>()
  for (const { ref } of desired) {
    const kind = `${ref.apiVersion}/${ref.kind}`
    if (!known.has(kind)) await needKind(context, live, ref)
    known.add(kind)
    await needNamespace(context, ref)
  }
  // Rules that were taken back make a field Git's again, and other rights may not suffice, though neither Git nor the cluster changed.
  const { ignore } = kustomization
  const rules = ignore.length === 0 && account === '' ? '' : hashJson([ignore, account])
  const ruled = rules === '' ? desired : desired.map((one) => ({ ...one, hash: `${one.hash} ${rules}` }))
  const changed = tools.isAsked ? ruled : ruled.filter(({ ref, hash }) => !live.isUnchanged(ref, hash))
  const ignored = compileIgnore(ignore)
  const open = changed.map(({ ref, hash, whole }) => {
    const object = whole()
    return { ref, hash, object, ignored: ignored(object) }
  })
  // One object is all or nothing by itself (Flux rehearses it, too, and tells which of the two was refused), and where nothing was applied yet nothing can be torn apart.
  const isFresh = context.traps === 'safe' && kustomization.inventory.length === 0
  const isWhole = (open.length === 1 && context.traps === 'safe') || isFresh
  const prepared = await eachLimited(open, DRY_RUNS_AT_ONCE, async (one) =>
    isWhole && !tools.isAsked && looksNew(live, one) ? creation(one) : prepare(tools, kustomization, one, open.length),
  )
  const refusals = prepared.filter((one) => 'error' in one)
  const early = context.traps === 'flux' ? desired[Math.min(DRY_RUNS_AT_ONCE, desired.length) - 1]?.ref : undefined
  const refusal = refusalToTell(refusals, early)
  if (refusal) throw refusal
  const byHash = new Map(prepared.flatMap((one) => ('error' in one ? [] : [[one.ref, one] as const])))
  const planned = [...byHash.values()].filter((one) => one.do !== 'nothing')
  if (planned.length > 0) await tools.onPlan(planned.map(({ change }) => change))
  const applied: ObjectRef[] = []
  for (const { ref } of desired) {
    const one = byHash.get(ref)
    if (one === undefined) {
      onChange({ ref, action: 'unchanged', isDrift: false })
      continue
    }
    onChange(one.do === 'nothing' ? one.change : await carryOut(tools, kustomization, one))
    if (one.do !== 'nothing') applied.push(ref)
  }
  return applied
}

function creation(wanted: Wanted): Prepared {
  return { ...wanted, do: 'create', change: { ref: wanted.ref, action: 'created', isDrift: false } }
}

/** Looks at the live object, takes over what kubectl owns, and rehearses the apply. A refusal is answered, not thrown: which of several counts is for all of them to say. */
async function prepare(
  tools: ApplyTools,
  kustomization: Kustomization,
  wanted: Wanted,
  openCount: number,
): Promise<Prepared | Refusal> {
  const { context, live } = tools.target
  const { client } = context
  const { ref, object, hash, ignored } = wanted
  const isUntouched = !tools.isAsked && ignored.length === 0 && live.isUntouched(ref)
  try {
    if ((openCount > 1 || context.traps === 'flux') && !tools.isAsked && looksNew(live, wanted)) {
      const made = await rehearse(context, kustomization, wanted, false)
      if (made !== 'recreate' && !made.metadata.resourceVersion)
        return { ...wanted, do: 'apply', change: { ref, action: 'created', isDrift: false }, isRehearsed: true }
    }
    const skipped: Prepared = { ...wanted, do: 'nothing', change: { ref, action: 'skipped', isDrift: false } }
    if (rulesOf(object).isIgnored) return skipped
    let existing = isUntouched ? live.get(ref) : await getAllowed(client, ref)
    const rules = rulesOf(object, existing)
    if (rules.isIgnored || (rules.isCreateOnly && existing)) return skipped
    refuseSecondOwner(tools, kustomization, ref, existing)
    const taken = existing && !isUntouched && !rules.isMerged ? await takeOver(context, existing) : undefined
    existing = taken ?? existing
    const action = existing ? 'configured' : 'created'
    const change: ObjectChange = { ref, action, isDrift: existing !== undefined && !isUntouched }
    if (context.traps === 'safe' && openCount === 1 && (isUntouched || !existing))
      return { ...wanted, do: 'apply', change }
    const rehearsed = await rehearse(context, kustomization, wanted, rules.isForced)
    if (rehearsed === 'recreate') return { ...wanted, do: 'recreate', change: { ...change, action: 'created' } }
    if (!existing || taken || hasDrifted(existing, rehearsed, ignored))
      return {
        ...wanted,
        object: yielded(object, existing, rehearsed, ignored),
        do: 'apply',
        change,
        isRehearsed: true,
        isTaken: taken !== undefined,
      }
    live.remember(ref, hash, existing)
    return { ...wanted, do: 'nothing', change: { ref, action: 'unchanged', isDrift: false } }
  } catch (error) {
    return { ref, error: applyError(ref, error, 'dry-run failed') }
  }
}

function hasDrifted(existing: KubeObject, rehearsed: KubeObject, ignored: readonly string[]): boolean {
  const compared = (object: KubeObject): unknown =>
    comparable(ignored.length === 0 ? object : withoutPaths(object, ignored))
  return !isDeepStrictEqual(compared(existing), compared(rehearsed))
}

function yielded(
  object: KubeObject,
  existing: KubeObject | undefined,
  rehearsed: KubeObject,
  ignored: readonly string[],
): KubeObject {
  if (!existing || ignored.length === 0) return object
  return yieldFields(object, planYielding(existing, rehearsed, ignored, APPLY_MANAGER))
}

/** Nothing of that name is owned by a Kustomization, and Git asks for nothing special: a rehearsal alone tells whether it exists (it has a version then). */
function looksNew(live: LiveObjects, { ref, object }: Wanted): boolean {
  const { isIgnored, isCreateOnly } = rulesOf(object)
  return live.get(ref) === undefined && !isIgnored && !isCreateOnly
}

/** Who may not look may still be allowed to apply; if not, the rehearsal says so. */
async function getAllowed(client: KubeClient, ref: ObjectRef): Promise<KubeObject | undefined> {
  try {
    return await client.get(ref)
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return undefined
    throw error
  }
}

/** Takes what kubectl owns; an object that is written meanwhile is looked at again. `undefined`: there was nothing to take. */
async function takeOver({ client, flags }: EngineContext, found: KubeObject): Promise<KubeObject | undefined> {
  let existing = found
  for (let tries = 0; ; tries++) {
    const steps = planTakeover(existing, APPLY_MANAGER, flags.overrideManagers)
    if (!steps) return undefined
    try {
      return await client.patch(refOf(existing), 'json', steps, { fieldManager: APPLY_MANAGER })
    } catch (error) {
      const again = await client.get(refOf(existing))
      if (!(error instanceof ApiError) || error.status !== 409 || tries >= MOST_TAKEOVERS || !again) throw error
      existing = again
    }
  }
}

async function rehearse(
  { client, traps }: EngineContext,
  { force }: Kustomization,
  { ref, object }: Wanted,
  isForced: boolean,
): Promise<KubeObject | 'recreate'> {
  try {
    return await client.patch(ref, 'apply', object, { fieldManager: APPLY_MANAGER, force: true, dryRun: true })
  } catch (error) {
    if (!(error instanceof ApiError) || !(force || isForced)) throw error
    if (!isImmutableError(error.status, error.message, traps)) throw error
    return 'recreate'
  }
}

async function carryOut(tools: ApplyTools, kustomization: Kustomization, one: Prepared): Promise<ObjectChange> {
  const { context, live } = tools.target
  const { ref, object, change } = one
  if (one.do === 'create') return create(tools, kustomization, one)
  const isForced = kustomization.force || rulesOf(object).isForced
  try {
    if (one.do === 'recreate') await deleteAndWait(context, ref)
    return await applyOne(context, live, one)
  } catch (error) {
    const isRefused = error instanceof ApiError && isImmutableError(error.status, error.message, context.traps)
    if (one.do === 'recreate' || !isForced || !isRefused)
      throw applyError(ref, error, one.isRehearsed ? 'apply failed' : 'dry-run failed')
  }
  try {
    await deleteAndWait(context, ref)
    await applyOne(context, live, one)
  } catch (error) {
    throw applyError(ref, error, 'dry-run failed')
  }
  return { ...change, action: 'created' }
}

/** Makes what is absent in one request; what turns out to be there is looked at as everything else. */
async function create(tools: ApplyTools, kustomization: Kustomization, one: Prepared): Promise<ObjectChange> {
  const { context, live } = tools.target
  const { ref, object } = one
  const absent = { ...object, metadata: { ...object.metadata, resourceVersion: ABSENT } }
  try {
    return await applyOne(context, live, { ...one, object: absent })
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 409) throw applyError(ref, error, 'dry-run failed')
  }
  const found = await prepare(tools, kustomization, one, 1)
  if ('error' in found) throw found.error
  return found.do === 'nothing' ? found.change : carryOut(tools, kustomization, found)
}

async function applyOne({ client }: EngineContext, live: LiveObjects, one: Prepared): Promise<ObjectChange> {
  const { ref, object, hash, change } = one
  const before = live.get(ref)?.metadata.resourceVersion
  const applied = await client.patch(ref, 'apply', object, { fieldManager: APPLY_MANAGER, force: true })
  live.remember(ref, hash, applied)
  const isSame =
    one.do === 'apply' && !one.isTaken && change.action === 'configured' && before === applied.metadata.resourceVersion
  return isSame ? { ...change, action: 'unchanged' } : change
}

async function deleteAndWait({ client, clock }: EngineContext, ref: ObjectRef): Promise<void> {
  await client.delete(ref, { propagationPolicy: 'Background' })
  const deadlineMs = clock.nowMs() + STAGE_TIMEOUT_MS
  while (await client.get(ref)) {
    if (clock.nowMs() > deadlineMs)
      throw new SluiceError('APPLY_FAILED', 'the object is still terminating after 60 s', { retry: 'backoff' })
    await new Promise<void>((resolve) => clock.after(POLL_MS, resolve))
  }
}

/** A stage of definitions is over when the server serves them. */
async function waitUntilCurrent({ client, clock }: EngineContext, refs: readonly ObjectRef[]): Promise<void> {
  const deadlineMs = clock.nowMs() + STAGE_TIMEOUT_MS
  for (const ref of refs)
    for (;;) {
      const { health, why } = judge(await client.get(ref), clock.nowMs())
      if (health === 'Current') break
      if (clock.nowMs() > deadlineMs)
        throw new SluiceError('APPLY_FAILED', `timeout waiting for: [${describeRef(ref)} status: '${health}': ${why}]`)
      await new Promise<void>((resolve) => clock.after(POLL_MS, resolve))
    }
}

async function needKind(_context: EngineContext, live: LiveObjects, ref: ObjectRef): Promise<void> {
  if (await live.ensure(ref.apiVersion, ref.kind)) return
  const message = `no matches for kind "${ref.kind}" in version "${ref.apiVersion}"`
  throw new SluiceError('APPLY_FAILED', `${describeRef(ref)} dry-run failed: ${message}\n`)
}

async function needNamespace({ client, traps }: EngineContext, ref: ObjectRef): Promise<void> {
  if (ref.namespace !== '') return
  const resource = await client.resource(ref.apiVersion, ref.kind)
  if (!resource?.namespaced) return
  const wayOut =
    traps === 'safe'
      ? '; write metadata.namespace, or namespace: in a kustomization.yaml, or spec.targetNamespace of the Kustomization'
      : ''
  throw new SluiceError(
    'APPLY_FAILED',
    `${describeRef(ref)} namespace not specified: the server could not find the requested resource${wayOut}\n`,
  )
}

function refuseSecondOwner(
  { holds, tellOwner, target }: ApplyTools,
  { namespace, name }: Kustomization,
  ref: ObjectRef,
  existing: KubeObject | undefined,
): void {
  const owner = ownerOf(existing)
  if (target.context.traps === 'flux' || owner === undefined || owner === `${namespace}/${name}`) return
  if (!holds(owner, inventoryEntry(ref))) return
  tellOwner(owner, ref)
  throw new SluiceError(
    'APPLY_FAILED',
    `${describeRef(ref)} belongs to Kustomization/${owner} already; take it out of one of the two (or of its inventory) before Kustomization/${namespace}/${name} may apply it`,
  )
}

/** Says what was refused as Flux says it: object, step, reason, the server's text. */
function applyError(ref: ObjectRef, error: unknown, step: 'dry-run failed' | 'apply failed'): Error {
  if (!(error instanceof ApiError)) return error instanceof Error ? error : new Error(String(error))
  const { status, reason, message } = error
  // The server's own trouble passes; a refusal waits for another commit. A field of a wrong type is one, though the server calls it its own.
  const isTrouble = status >= 500 && !message.startsWith('failed to create typed patch object')
  const retry = status === 409 || status === 429 || isTrouble ? 'backoff' : 'spec'
  const failed = (what: string): SluiceError =>
    new SluiceError('APPLY_FAILED', `${describeRef(ref)} ${what}: ${message}\n`, { retry })
  if (step === 'apply failed') return failed(step)
  if (status === 404) return failed('not found')
  return failed(reason === '' || reason === 'Unknown' || reason === 'InternalError' ? step : `${step} (${reason})`)
}
