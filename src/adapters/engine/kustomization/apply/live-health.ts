import type { Kustomization, InventoryEntry } from '../../../../kinds/kustomization.ts'
import { groupOf, type ObjectRef } from '../../../../lib/kube/object.ts'
import { inventoryEntry, parseInventoryEntry } from '../../../../pipeline/apply/inventory.ts'
import { isJudgedByPods, judgeByPods } from '../../../../pipeline/health/by-pods.ts'
import { judge } from '../../../../pipeline/health/kstatus.ts'
import type { Checked } from '../../../../pipeline/health/summarize.ts'
import { listingOf } from '../../../kube/listing-of.ts'
import type { Selection, WatchCache } from '../../../kube/types.ts'
import type { EngineContext } from '../../context.ts'
import { ApiError } from '../../../kube/api-error.ts'
import { expressionJudge } from '../refusal.ts'
import type { Target } from './target.ts'
import { own } from '../../../../lib/value/own.ts'

/** The objects whose health a Kustomization waits for, each seen through a watch. */
export type HealthWatch = {
  readonly check: () => readonly Checked[]
  /** Why nothing can be waited for. */
  readonly fault?: string
  readonly close: () => void
}

/** What was applied: `skipped` is not waited for, and what is `vanishing` was there when it is gone. */
export type Applied = {
  readonly inventory: readonly InventoryEntry[]
  readonly skipped: ReadonlySet<string>
  readonly vanishing: ReadonlySet<string>
}

/** `pods` are those of its namespace, of what may fail by its pods. */
type Look = {
  readonly ref: ObjectRef
  readonly cache: WatchCache | undefined
  readonly pods?: WatchCache
  readonly unseen?: string
  /** Of one that may not be listed. */
  readonly isListed?: () => boolean
}

/**
 * Opens a look at every object that counts: all that was applied (`wait`), or the listed ones. Owned objects are seen by the watches of their kind;
 * others get a watch of their own while it is needed. `onChange` is called when one of those others changes.
 */
export async function watchHealth(
  target: Target,
  kustomization: Kustomization,
  { inventory, skipped, vanishing }: Applied,
  onChange: () => void,
): Promise<HealthWatch> {
  const listed = kustomization.wait ? [] : await placeChecks(target, kustomization)
  const unplaced = listed.find((one) => typeof one === 'string')
  if (unplaced !== undefined) return { check: () => [], fault: unplaced, close: () => undefined }
  const refs = kustomization.wait
    ? inventory.filter(({ id }) => !skipped.has(id)).flatMap((entry) => parseInventoryEntry(entry) ?? [])
    : listed.filter((one) => typeof one !== 'string')
  const others = refs.filter((ref) => !isSelf(kustomization, ref))
  const { open, close } = watchesOf(target, onChange)
  const looks = await Promise.all(others.map((ref) => openLook(target, ref, open))).catch((error: unknown) => {
    // the next try opens watches of its own
    close()
    throw error
  })
  return {
    check: () => looks.map((look) => ({ ref: look.ref, judgement: judgeLook(look, target, kustomization, vanishing) })),
    close,
  }
}

type OpenWatch = (what: Selection) => WatchCache

/** Watches that are closed together, and what is opened after that at once. */
function watchesOf({ context: { caches } }: Target, onChange: () => void) {
  const opened: WatchCache[] = []
  let isClosed = false
  const open: OpenWatch = (what) => {
    const cache = caches.open(what)
    opened.push(cache)
    cache.onChange(onChange)
    if (isClosed) cache.close()
    return cache
  }
  const close = (): void => {
    isClosed = true
    for (const cache of opened) cache.close()
  }
  return { open, close }
}

/** The listed objects, each where it is; of one that has no place, Flux's words for that. Safe, it is looked for beside its Kustomization. */
function placeChecks(
  { context: { client, traps } }: Target,
  { healthChecks, namespace }: Kustomization,
): Promise<readonly (ObjectRef | string)[]> {
  return Promise.all(
    healthChecks.map(async (check) => {
      const resource = await client.resource(check.apiVersion, check.kind)
      if (resource?.namespaced === false) return { ...check, namespace: '' }
      if (check.namespace !== '' || resource === undefined) return check
      if (traps === 'safe') return { ...check, namespace }
      const group = groupOf(check.apiVersion)
      const kind = group === '' ? check.kind : `${check.kind}.${group}`
      return `resource ${kind} ${check.name} is namespace scoped, but namespace is not set`
    }),
  )
}

async function openLook(
  { context, live, account }: Target,
  { apiVersion, kind, namespace, name }: ObjectRef,
  open: OpenWatch,
): Promise<Look> {
  const { client } = context
  const ref = { apiVersion, kind, namespace, name }
  if (!(await client.resource(apiVersion, kind)))
    return { ref, cache: undefined, unseen: `no matches for kind "${kind}" in group "${groupOf(apiVersion)}"` }
  // The watches are the engine's own: whose rights are used must be allowed to see the object, too.
  const refusal = account !== '' ? await refusalToSee(context, ref) : undefined
  if (refusal !== undefined) return { ref, cache: undefined, unseen: refusal }
  // Not waited for: who may not see pods judges without them.
  const pods = isJudgedByPods(ref) ? { pods: open({ ...PODS, namespace }) } : {}
  if ((await live.ensure(apiVersion, kind)) && live.isFollowed(ref)) return { ref, cache: undefined, ...pods }
  const place = namespace === '' ? {} : { namespace }
  const one = { apiVersion, kind, ...place, fieldSelector: `metadata.name=${name}` }
  const cache = open(one)
  const isRefused = await Promise.race([cache.ready.then(() => false), cache.refused.then(() => true)])
  return { ref, cache, ...pods, ...(isRefused ? { isListed: listingOf(cache) } : {}) }
}

const REPLICA_SETS = { apiVersion: 'apps/v1', kind: 'ReplicaSet' }
const PODS = { apiVersion: 'v1', kind: 'Pod' }
/** What Flux lists besides, to judge a kind; who may not, waits in vain. */
const LISTED_BY_FLUX: Readonly<Record<string, readonly (typeof PODS)[]>> = {
  Deployment: [REPLICA_SETS],
  ReplicaSet: [PODS],
  StatefulSet: [PODS],
}

async function refusalToSee({ client, traps }: EngineContext, ref: ObjectRef): Promise<string | undefined> {
  const besides = traps === 'flux' && groupOf(ref.apiVersion) === 'apps' ? (own(LISTED_BY_FLUX, ref.kind) ?? []) : []
  try {
    await client.get(ref)
    for (const kind of besides) await client.list({ ...kind, namespace: ref.namespace })
    return undefined
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return error.message
    throw error
  }
}

function judgeLook(
  { ref, cache, pods, unseen, isListed }: Look,
  { context, live, account }: Target,
  kustomization: Kustomization,
  vanishing: ReadonlySet<string>,
): Checked['judgement'] {
  if (unseen !== undefined) return { health: 'Unknown', why: unseen }
  if (isListed?.() === false) return { health: 'Unknown', why: 'this may not be listed, so nothing is known of it' }
  // What was healthy before the apply says nothing about what is there now.
  if (live.isBehind(ref)) return { health: 'InProgress', why: 'the change has not been seen yet' }
  const object = live.get(ref) ?? cache?.get(ref.namespace, ref.name)
  if (object === undefined && vanishing.has(inventoryEntry(ref).id))
    return { health: 'Current', why: 'the Job finished and went' }
  const isByExpression = context.traps === 'safe' || !hasOwnRule(ref, kustomization, account)
  if (object && object.metadata.deletionTimestamp === undefined && isByExpression) {
    const judgement = expressionJudge(kustomization)(object)
    if (judgement) return judgement
  }
  const nowMs = context.clock.nowMs()
  const judgement = judge(object, nowMs)
  return object && pods ? judgeByPods(object, judgement, pods.list(), { nowMs, traps: context.traps }) : judgement
}

/** Of Jobs Flux asks its own rule before `healthCheckExprs`, but not where it applies with the rights of another, or elsewhere. */
export function hasOwnRule({ apiVersion, kind }: ObjectRef, { kubeConfig }: Kustomization, account: string): boolean {
  return kind === 'Job' && groupOf(apiVersion) === 'batch' && kubeConfig === undefined && account === ''
}

function isSelf({ namespace, name }: Kustomization, ref: ObjectRef): boolean {
  return (
    ref.kind === 'Kustomization' &&
    groupOf(ref.apiVersion) === 'kustomize.toolkit.fluxcd.io' &&
    ref.namespace === namespace &&
    ref.name === name
  )
}
