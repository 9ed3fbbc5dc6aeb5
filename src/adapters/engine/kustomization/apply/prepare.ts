import { isDeepStrictEqual } from 'node:util'
import type { Kustomization } from '../../../../kinds/kustomization.ts'
import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import { describeRef, refOf, type KubeObject, type ObjectRef } from '../../../../lib/kube/object.ts'
import { planYielding, withoutPaths, yieldFields } from '../../../../pipeline/apply/ignore.ts'
import { inventoryEntry } from '../../../../pipeline/apply/inventory.ts'
import { comparable } from '../../../../pipeline/apply/normalize.ts'
import { isImmutableError, ownerOf, planTakeover, rulesOf } from '../../../../pipeline/apply/rules.ts'
import type { Refusal } from '../../../../pipeline/apply/refusal.ts'
import { ApiError } from '../../../kube/api-error.ts'
import type { KubeClient } from '../../../kube/types.ts'
import type { EngineContext } from '../../context.ts'
import type { LiveObjects } from './live-objects.ts'
import { applyError } from './refused.ts'
import { APPLY_MANAGER, type ApplyTools, type ObjectChange } from './tools.ts'

/** `ignored` are JSON pointers of fields that are left to others. */
export type Wanted = {
  readonly ref: ObjectRef
  readonly object: KubeObject
  readonly hash: string
  readonly ignored: readonly string[]
}

/** What is to be done with an object. */
export type Prepared = Wanted & {
  /** `create`: nothing of that name is known; the server is asked to make it only if there is none. */
  readonly do: 'create' | 'apply' | 'recreate' | 'nothing'
  readonly change: ObjectChange
  /** A dry run has passed; without it the apply itself is what the server is asked first. */
  readonly isRehearsed?: boolean
  /** Fields that kubectl owned were taken over. */
  readonly isTaken?: boolean
}

const MOST_TAKEOVERS = 5

/** What is taken for new is made without a look. */
export function creation(wanted: Wanted): Prepared {
  return { ...wanted, do: 'create', change: { ref: wanted.ref, action: 'created', isDrift: false } }
}

/** Looks at the live object, takes over what kubectl owns, and rehearses the apply. A refusal is answered, not thrown: which of several counts is for all of them to say. */
export async function prepare(
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
export function looksNew(live: LiveObjects, { ref, object }: Wanted): boolean {
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
