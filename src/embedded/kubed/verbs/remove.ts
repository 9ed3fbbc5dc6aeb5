import {
  clone,
  isObject,
  type Json,
  type JsonObject,
  listOf,
  numberOf,
  objectOf,
  stringOf,
} from '../../../lib/kube/json.ts'
import { admitNamespaceDelete } from '../admission/namespace.ts'
import { validateByPolicies } from '../admission/policies/validating.ts'
import type { Call } from '../call.ts'
import { type Environment, timestamp } from '../environment.ts'
import { badRequest, conflict, invalid } from '../fault.ts'
import { finalizersOf, type Obj, specOf } from '../object.ts'
import { toVersion } from '../resources/convert.ts'
import { afterWrite, end, isFinished } from './write.ts'

/** What a DELETE asks for, from its body and query. */
export type Removal = {
  readonly propagation: 'Background' | 'Foreground' | 'Orphan' | undefined
  readonly graceSeconds: number | undefined
  readonly uid: string | undefined
  readonly resourceVersion: string | undefined
  readonly dryRun: boolean
}

const LEAVES_PODS =
  'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning'

/** Reads DeleteOptions. */
export function removalOf(call: Call, body: Json): Removal {
  const options = isObject(body) ? body : {}
  const query = (name: string): string | undefined => call.query.get(name) ?? undefined
  const propagation = stringOf(options.propagationPolicy) || query('propagationPolicy')
  const orphan =
    options.orphanDependents ??
    (query('orphanDependents') === undefined ? undefined : query('orphanDependents') === 'true')
  const grace =
    numberOf(options.gracePeriodSeconds) ??
    (query('gracePeriodSeconds') === undefined ? undefined : Number(query('gracePeriodSeconds')))
  checkOptions(call, options, propagation, orphan)
  if (call.resource.storageKey === 'batch/jobs' && !propagation && orphan === undefined) call.warnings.push(LEAVES_PODS)
  const preconditions = objectOf(options.preconditions)
  return {
    propagation: policyOf(propagation, orphan),
    graceSeconds: grace,
    uid: stringOf(preconditions.uid) || undefined,
    resourceVersion: stringOf(preconditions.resourceVersion) || undefined,
    dryRun: call.dryRun || listOf(options.dryRun).includes('All'),
  }
}

function checkOptions(call: Call, options: JsonObject, policy: string | undefined, orphan: Json | undefined): void {
  const { kind, apiVersion } = options
  if (typeof kind === 'string' && kind !== '' && kind !== 'DeleteOptions')
    throw badRequest(
      `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(stringOf(apiVersion) || call.resource.version)} in scheme "pkg/runtime/scheme.go:111"`,
    )
  if (orphan !== undefined && policy !== undefined && policy !== '')
    throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', [
      {
        field: 'propagationPolicy',
        type: 'Invalid',
        message: `Invalid value: ${JSON.stringify(policy)}: orphanDependents and deletionPropagation cannot be both set`,
      },
    ])
}

function policyOf(policy: string | undefined, orphan: Json | undefined): Removal['propagation'] {
  if (policy === 'Background' || policy === 'Foreground' || policy === 'Orphan') return policy
  if (policy !== undefined && policy !== '')
    throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', [
      {
        field: 'propagationPolicy',
        type: 'NotSupported',
        message: `Unsupported value: ${JSON.stringify(policy)}: supported values: "Foreground", "Background", "Orphan", "nil"`,
      },
    ])
  return orphan === undefined ? undefined : orphan === true ? 'Orphan' : 'Background'
}

/** Deletes an object, or marks it as being deleted while finalizers or a grace period hold it. */
export function remove(env: Environment, call: Call, stored: Obj, removal: Removal): { object: Obj; gone: boolean } {
  const { resource } = call
  admitNamespaceDelete(resource, stored.metadata.name)
  checkPreconditions(call, stored, removal)
  validateByPolicies(env, { call, operation: 'DELETE', object: undefined, before: toVersion(resource, stored) })
  const marked = clone(stored)
  const grace = graceOf(stored, removal)
  const finalizers = withPropagation(finalizersOf(stored), removal, resource.storageKey)
  if (finalizers.length > 0) marked.metadata.finalizers = finalizers
  else delete marked.metadata.finalizers
  const isDeleting = stored.metadata.deletionTimestamp !== undefined
  const holds = finalizers.length > 0 || grace > 0 || isNamespaceHeld(stored)
  if (!holds) {
    const isPod = stored.kind === 'Pod' && stored.apiVersion === 'v1'
    if (isPod) markEnded(env, marked, isDeleting)
    if (removal.dryRun) return { object: toVersion(resource, marked), gone: true }
    if (isPod) {
      const ended = env.store.put(resource.storageKey, marked)
      return { object: lastOf(env, call, ended, clone(ended)), gone: true }
    }
    return { object: lastOf(env, call, stored, marked), gone: true }
  }
  if (!isDeleting) {
    marked.metadata.deletionTimestamp = timestamp(env.nowMs() + grace * 1000)
    if (stored.kind !== 'Namespace') marked.metadata.deletionGracePeriodSeconds = grace
    if (typeof marked.metadata.generation === 'number') marked.metadata.generation++
  } else shorten(env, marked, grace)
  if (stored.kind === 'Namespace') marked.status = { ...objectOf(marked.status), phase: 'Terminating' }
  if (removal.dryRun) return { object: toVersion(resource, marked), gone: false }
  if (isDeleting && isFinished(marked)) return { object: lastOf(env, call, stored, marked), gone: true }
  if (isDeleting && JSON.stringify(marked) === JSON.stringify(stored))
    return { object: toVersion(resource, stored), gone: false }
  const kept = env.store.put(resource.storageKey, marked)
  afterWrite(env, kept, stored)
  return { object: toVersion(resource, kept), gone: false }
}

/** The object that is gone now, with the version of its end. */
function lastOf(env: Environment, call: Call, stored: Obj, last: Obj): Obj {
  const resourceVersion = end(env, call, stored, last)
  const shown = toVersion(call.resource, last)
  return { ...shown, metadata: { ...shown.metadata, resourceVersion } }
}

function checkPreconditions({ resource }: Call, stored: Obj, { uid, resourceVersion }: Removal): void {
  const naming = { ...resource, plural: resource.kind }
  const { name, uid: own = '', resourceVersion: ownVersion = '' } = stored.metadata
  if (uid !== undefined && uid !== own)
    throw conflict(
      naming,
      name,
      `the UID in the precondition (${uid}) does not match the UID in record (${own}). The object might have been deleted and then recreated`,
    )
  if (resourceVersion !== undefined && resourceVersion !== ownVersion)
    throw conflict(
      naming,
      name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${ownVersion}). The object might have been modified`,
    )
}

/** Pods end gracefully when they are on a node; everything else at once. */
function graceOf(stored: Obj, { graceSeconds }: Removal): number {
  if (stored.kind !== 'Pod' || stored.apiVersion !== 'v1') return 0
  const spec: JsonObject = specOf(stored)
  if (stringOf(spec.nodeName) === '') return 0
  const phase = stringOf(objectOf(stored.status).phase)
  if (phase === 'Succeeded' || phase === 'Failed') return 0
  const grace = graceSeconds ?? numberOf(spec.terminationGracePeriodSeconds) ?? 30
  return grace < 0 ? 1 : grace
}

/** Also a pod that goes at once has ended when it is shown. */
function markEnded(env: Environment, { metadata }: Obj, isDeleting: boolean): void {
  metadata.deletionTimestamp = timestamp(env.nowMs())
  metadata.deletionGracePeriodSeconds = 0
  if (!isDeleting && typeof metadata.generation === 'number') metadata.generation++
}

function shorten(env: Environment, marked: Obj, grace: number): void {
  const { metadata } = marked
  if (marked.kind !== 'Pod' || grace >= (metadata.deletionGracePeriodSeconds ?? 0)) return
  metadata.deletionGracePeriodSeconds = grace
  metadata.deletionTimestamp = timestamp(env.nowMs() + grace * 1000)
}

function isNamespaceHeld(stored: Obj): boolean {
  return stored.kind === 'Namespace' && stored.apiVersion === 'v1' && listOf(specOf(stored).finalizers).length > 0
}

/** Kinds whose dependents stay unless it is said otherwise, as they did when nobody collected them. */
const ORPHANING = new Set(['batch/jobs', '/replicationcontrollers'])

function withPropagation(finalizers: readonly string[], { propagation }: Removal, storageKey: string): string[] {
  if (propagation === undefined) {
    const isSaid = finalizers.some((each) => each === 'orphan' || each === 'foregroundDeletion')
    return ORPHANING.has(storageKey) && !isSaid ? [...finalizers, 'orphan'] : [...finalizers]
  }
  const out = finalizers.filter((each) => each !== 'orphan' && each !== 'foregroundDeletion')
  if (propagation === 'Orphan') out.push('orphan')
  if (propagation === 'Foreground') out.push('foregroundDeletion')
  return out
}
