import { clone, type Json, type JsonObject, listOf, numberOf, objectOf, stringOf } from '../../../lib/kube/json.ts'
import { admitNamespaceDelete } from '../admission/namespace.ts'
import { validateByPolicies } from '../admission/policies/validating.ts'
import type { Call } from '../request/call.ts'
import { type Environment, timestamp } from '../environment.ts'
import { dryRunFaults } from '../request/write-options.ts'
import { booleanIn, numberIn } from '../request/query.ts'
import { readDeleteOptions } from '../decoding/body.ts'
import { conflict, Fault, type FieldError, invalid } from '../fault.ts'
import { finalizersOf, type Obj, specOf } from '../object.ts'
import { toVersion } from '../conversion/convert.ts'
import { afterWrite } from '../upkeep/after-write.ts'
import { end, isFinished, placeOf } from './write.ts'

/** What a DELETE asks for, from its body and query. */
export type Removal = {
  readonly propagation: 'Background' | 'Foreground' | 'Orphan' | undefined
  readonly graceSeconds: number | undefined
  readonly uid: string | undefined
  readonly resourceVersion: string | undefined
  readonly dryRun: boolean
  /** Asks to remove it even if it cannot be read. */
  readonly isUnsafe: boolean
}

const LEAVES_PODS =
  'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning'

const DELETE_OPTIONS = { group: 'meta.k8s.io', kind: 'DeleteOptions' }
const POLICIES = ['Foreground', 'Background', 'Orphan'] as const

/** DeleteOptions as they were said: what is not said is undefined. */
type Options = {
  readonly grace: number | undefined
  readonly policy: string | undefined
  readonly orphan: boolean | undefined
  readonly dryRun: readonly string[]
  readonly isUnsafe: boolean
  readonly uid: string | undefined
  readonly resourceVersion: string | undefined
}

/**
 * Reads DeleteOptions, which are in the body or, without one, in the query.
 *
 * @throws Fault 400, 415, 422
 */
export function removalOf(call: Call): Removal {
  return removalBy(call, call.body.length > 0 ? optionsOf(readDeleteOptions(call)) : optionsIn(call.query))
}

/** The same for options that are a part of something else. @throws Fault 422 */
export function removalWith(call: Call, options: JsonObject): Removal {
  const { dryRun, ...removal } = removalBy(call, optionsOf(options))
  return { ...removal, dryRun: dryRun || call.dryRun }
}

function removalBy(call: Call, options: Options): Removal {
  const { policy, orphan, grace } = options
  const faults = faultsOf(options)
  if (faults.length > 0) throw invalid(DELETE_OPTIONS, '', faults)
  if (options.isUnsafe && call.name === '') throw invalid(DELETE_OPTIONS, '', [UNSAFE_FOR_MANY])
  if (call.resource.storageKey === 'batch/jobs' && policy === undefined && orphan === undefined)
    call.warnings.push(LEAVES_PODS)
  return {
    propagation: POLICIES.find((each) => each === policy) ?? ofOrphan(orphan),
    graceSeconds: grace,
    uid: options.uid,
    resourceVersion: options.resourceVersion,
    dryRun: options.dryRun.length > 0,
    isUnsafe: options.isUnsafe,
  }
}

const ofOrphan = (orphan: boolean | undefined): Removal['propagation'] =>
  orphan === undefined ? undefined : orphan ? 'Orphan' : 'Background'

function optionsOf(body: JsonObject): Options {
  const preconditions = objectOf(body.preconditions)
  const textOf = (value: Json | undefined): string | undefined => (typeof value === 'string' ? value : undefined)
  return {
    grace: numberOf(body.gracePeriodSeconds),
    policy: textOf(body.propagationPolicy),
    orphan: typeof body.orphanDependents === 'boolean' ? body.orphanDependents : undefined,
    dryRun: listOf(body.dryRun).map(stringOf),
    isUnsafe: body[UNSAFE] === true,
    uid: textOf(preconditions.uid),
    resourceVersion: textOf(preconditions.resourceVersion),
  }
}

function optionsIn(query: URLSearchParams): Options {
  return {
    grace: numberIn(query, 'gracePeriodSeconds'),
    policy: query.get('propagationPolicy') ?? undefined,
    orphan: booleanIn(query, 'orphanDependents'),
    dryRun: query.getAll('dryRun'),
    isUnsafe: booleanIn(query, UNSAFE) === true,
    uid: query.get('uid') || undefined,
    resourceVersion: query.get('resourceVersion') || undefined,
  }
}

const UNSAFE = 'ignoreStoreReadErrorWithClusterBreakingPotential'

/** @see k8s.io/apimachinery/pkg/apis/meta/v1/validation ValidateDeleteOptions */
function faultsOf({ grace, policy, orphan, dryRun, isUnsafe, uid, resourceVersion }: Options): FieldError[] {
  const faults: FieldError[] = []
  const field = 'propagationPolicy'
  const quoted = JSON.stringify(policy)
  if (orphan !== undefined && policy !== undefined)
    faults.push({
      field,
      type: 'Invalid',
      message: `Invalid value: ${quoted}: orphanDependents and deletionPropagation cannot be both set`,
    })
  if (policy !== undefined && !POLICIES.some((each) => each === policy))
    faults.push({
      field,
      type: 'NotSupported',
      message: `Unsupported value: ${quoted}: supported values: "Foreground", "Background", "Orphan", "nil"`,
    })
  faults.push(...dryRunFaults(dryRun))
  if (!isUnsafe) return faults
  const others = {
    propagationPolicy: policy,
    orphanDependents: orphan,
    gracePeriodSeconds: grace,
    preconditions: uid ?? resourceVersion,
  }
  for (const [name, value] of Object.entries(others))
    if (value !== undefined)
      faults.push({
        field: UNSAFE,
        type: 'Invalid',
        message: `Invalid value: true: cannot be set together with .${name}`,
      })
  return faults
}

/** Kinds of which the real server cannot delete what it cannot read. */
const UNGUARDED = new Set([
  '/namespaces',
  ...['clusterroles', 'clusterrolebindings', 'roles', 'rolebindings'].map(
    (each) => `rbac.authorization.k8s.io/${each}`,
  ),
])

const UNSAFE_FOR_MANY: FieldError = {
  field: UNSAFE,
  type: 'Invalid',
  message: 'Invalid value: true: is not allowed with DELETECOLLECTION, try again after removing the option',
}

/** Everything that is kept here can be read. */
function refuseUnsafe(call: Call): void {
  const { name, resource } = call
  if (UNGUARDED.has(resource.storageKey))
    throw new Fault(
      500,
      'InternalError',
      `Internal error occurred: no unsafe deleter provided, can not honor ${UNSAFE}`,
      { causes: [{ message: `no unsafe deleter provided, can not honor ${UNSAFE}` }] },
    )
  const key = `/registry${placeOf(call)}`
  const why = 'unsafe deletion is not allowed because the object is decodable from storage'
  throw conflict(
    resource,
    name,
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`,
  )
}

/** Deletes an object, or marks it as being deleted while finalizers or a grace period hold it. */
export function remove(env: Environment, call: Call, stored: Obj, removal: Removal): { object: Obj; gone: boolean } {
  const { resource } = call
  if (removal.isUnsafe) refuseUnsafe(call)
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
  if (resource.storageKey === '/namespaces') {
    if (uid !== undefined && uid !== own) throw conflict(resource, name, unmet('UID', uid, own))
    if (resourceVersion !== undefined && resourceVersion !== ownVersion)
      throw conflict(resource, name, unmet('ResourceVersion', resourceVersion, ownVersion))
  }
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

const unmet = (what: string, wanted: string, own: string): string =>
  `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${own}`

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
