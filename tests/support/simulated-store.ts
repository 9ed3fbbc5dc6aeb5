import { isDeepStrictEqual } from 'node:util'
import { ApiError } from '../../src/adapters/kube/api-error.ts'
import type { DeleteOptions, PatchType, Selection, WatchEvent, WriteOptions } from '../../src/adapters/kube/types.ts'
import { schemaFor } from '../../src/lib/kube-schema/builtin.ts'
import { strategicPatch } from '../../src/lib/kube-typed/strategic/patch.ts'
import { asJson, type JsonObject, objectOf } from '../../src/lib/kube/json.ts'
import { mergePatch } from '../../src/lib/kube/merge-patch.ts'
import { type KubeObject, type ObjectRef, refOf } from '../../src/lib/kube/object.ts'

/** A change as a watch tells it, at its version. */
export type LoggedEvent = { readonly version: number; readonly event: WatchEvent }

/** Objects as an API server keeps them: it gives names, uids and versions, refuses what is out of date, and keeps what finalizers and grace periods hold. */
export type SimulatedStore = {
  readonly of: <T extends KubeObject>(kind: string, namespace?: string) => T[]
  readonly get: <T extends KubeObject>(kind: string, namespace: string, name: string) => T | undefined
  /** Puts an object there as it is, whatever was there before. */
  readonly put: (object: KubeObject) => KubeObject
  readonly create: (object: KubeObject, options?: Partial<WriteOptions>) => KubeObject
  readonly replace: (object: KubeObject, options?: Partial<WriteOptions>) => KubeObject
  readonly patch: (ref: ObjectRef, type: PatchType, body: unknown, options?: Partial<WriteOptions>) => KubeObject
  /** What is left for now; undefined when it has gone. */
  readonly remove: (ref: ObjectRef, options?: DeleteOptions) => KubeObject | undefined
  readonly list: (selection: Selection) => { readonly items: KubeObject[]; readonly resourceVersion: string }
  readonly log: readonly LoggedEvent[]
}

const ORPHAN = 'orphan'
const FOREGROUND = 'foregroundDeletion'

/**
 * An empty store; times of objects are the clock's.
 *
 * @param hasNamespaces whether nothing can be made where no Namespace is
 */
export function simulatedStore(nowMs: () => number, hasNamespaces: boolean): SimulatedStore {
  const objects = new Map<string, KubeObject>()
  const log: LoggedEvent[] = []
  let uids = 0
  const keyOf = ({ kind, namespace, name }: Pick<ObjectRef, 'kind' | 'namespace' | 'name'>): string =>
    `${kind}/${namespace}/${name}`
  const now = (): string => `${new Date(nowMs()).toISOString().slice(0, 19)}Z`
  const found = (ref: ObjectRef): KubeObject => {
    const object = objects.get(keyOf(ref))
    if (object === undefined) throw new ApiError(404, 'NotFound', `${ref.kind} "${ref.name}" not found`)
    return object
  }
  const save = (given: KubeObject): KubeObject => {
    const key = keyOf(refOf(given))
    const before = objects.get(key)
    const object = withGeneration(given, before)
    if (before !== undefined && isSameButVersion(before, object)) return before
    const version = log.length + 1
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: `${version}` } }
    const isGone = hasGone(stored)
    if (isGone) objects.delete(key)
    else objects.set(key, stored)
    const type = isGone ? 'DELETED' : before === undefined ? 'ADDED' : 'MODIFIED'
    if (!isGone || before !== undefined) log.push({ version, event: { type, object: stored } })
    return stored
  }
  /** What a write makes of an object: what is the server's own, and what the subresource does not reach, stays. */
  const update = (before: KubeObject, after: KubeObject, { subresource }: Partial<WriteOptions>): KubeObject => {
    const { resourceVersion, uid, finalizers, ownerReferences, labels, annotations } = after.metadata
    if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion)
      throw conflict('the object has been modified')
    if (uid !== undefined && uid !== before.metadata.uid) throw conflict('Precondition failed: UID in precondition')
    if (subresource === 'status') {
      const { metadata } = before
      return save({ ...before, metadata: { ...metadata, ...defined({ annotations }) }, status: after['status'] })
    }
    if (subresource === 'approval') {
      const { conditions } = objectOf(asJson(after['status']))
      return save({ ...before, status: { ...objectOf(asJson(before['status'])), conditions } })
    }
    if (subresource === 'finalize') return save({ ...before, spec: after['spec'] })
    const { metadata } = before
    const kept = { ...without(metadata), ...defined({ finalizers, ownerReferences, labels, annotations }) }
    const status = 'status' in before ? { status: before['status'] } : {}
    return save({ ...after, metadata: kept, ...status })
  }
  const store: SimulatedStore = {
    log,
    of: (kind, namespace) =>
      [...objects.values()]
        .filter((object) => object.kind === kind && [undefined, object.metadata.namespace].includes(namespace))
        .map((object) => object as never),
    get: (kind, namespace, name) => objects.get(keyOf({ kind, namespace, name })) as never,
    put(object) {
      const uid = object.metadata.uid ?? `uid-${++uids}`
      const creationTimestamp = object.metadata.creationTimestamp ?? now()
      return save({ ...object, metadata: { ...object.metadata, uid, creationTimestamp } })
    },
    create(object, { subresource }: Partial<WriteOptions> = {}) {
      const { name, namespace = '', uid } = object.metadata
      if (subresource === 'binding') return bind(store, { apiVersion: 'v1', kind: 'Pod', namespace, name }, uid, object)
      const place = objects.get(keyOf({ kind: 'Namespace', namespace: '', name: namespace }))
      if (hasNamespaces && namespace !== '') refuseHomeless(place, object)
      const { generateName = '' } = object.metadata
      const named = { ...object, metadata: { ...object.metadata, name: name || `${generateName}${++uids}` } }
      if (objects.has(keyOf(refOf(named))))
        throw new ApiError(409, 'AlreadyExists', `${object.kind} "${name}" already exists`)
      return store.put(named)
    },
    replace: (object, options = {}) => update(found(refOf(object)), object, options),
    patch(ref, type, body, options = {}) {
      const before = found(ref)
      const { resourceVersion: _version, ...metadata } = before.metadata
      const target = objectOf(asJson({ ...before, metadata }))
      const patch = asJson(body)
      const after =
        type === 'strategic'
          ? strategicPatch(schemaFor(ref.apiVersion, ref.kind), target, objectOf(patch))
          : mergePatch(target, patch)
      return update(before, after as unknown as KubeObject, options)
    },
    remove(ref, options = {}) {
      const before = found(ref)
      const { uid, resourceVersion } = options
      if (uid !== undefined && uid !== before.metadata.uid) throw conflict('Precondition failed: UID in precondition')
      if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion)
        throw conflict('Precondition failed: ResourceVersion in precondition')
      const after = save({ ...before, metadata: { ...before.metadata, ...leaving(before, options, now()) } })
      return hasGone(after) ? undefined : after
    },
    list: (selection) => ({
      items: [...objects.values()].flatMap((object) => (isSelected(selection, object) ? shown(selection, object) : [])),
      resourceVersion: `${log.length}`,
    }),
  }
  return store
}

const conflict = (message: string): ApiError => new ApiError(409, 'Conflict', message)

/** As a selection shows an object: whole, or its metadata alone. */
export function shown({ metadataOnly }: Selection, object: KubeObject): KubeObject {
  const { apiVersion, kind, metadata } = object
  return metadataOnly ? { apiVersion, kind, metadata } : object
}

/** Whether the selection asks for the object; of fields it knows the name, the namespace and what a Secret is for. */
export function isSelected({ apiVersion, kind, namespace, fieldSelector }: Selection, object: KubeObject): boolean {
  if (object.apiVersion !== apiVersion || object.kind !== kind) return false
  if (namespace !== undefined && namespace !== object.metadata.namespace) return false
  const [field = '', value] = fieldSelector?.split('=') ?? []
  const fields: Readonly<Record<string, unknown>> = {
    type: object['type'],
    'metadata.name': object.metadata.name,
    'metadata.namespace': object.metadata.namespace,
  }
  return fieldSelector === undefined || fields[field] === value
}

/** Counts what was wanted of an object. */
function withGeneration(object: KubeObject, before: KubeObject | undefined): KubeObject {
  if (object['spec'] === undefined) return object
  const { generation = 1 } = (before ?? object).metadata
  const hasChanged = before !== undefined && !isDeepStrictEqual(before['spec'], object['spec'])
  return { ...object, metadata: { ...object.metadata, generation: generation + (hasChanged ? 1 : 0) } }
}

function isSameButVersion(before: KubeObject, after: KubeObject): boolean {
  const { resourceVersion } = before.metadata
  return isDeepStrictEqual(before, { ...after, metadata: { ...after.metadata, resourceVersion } })
}

function hasGone({ kind, metadata, ...object }: KubeObject): boolean {
  if (metadata.deletionTimestamp === undefined || (metadata.finalizers ?? []).length > 0) return false
  if (kind === 'Namespace') return [objectOf(asJson(object['spec'])).finalizers ?? []].flat().length === 0
  return (metadata.deletionGracePeriodSeconds ?? 0) === 0
}

function without({
  labels: _1,
  annotations: _2,
  finalizers: _3,
  ownerReferences: _4,
  ...rest
}: KubeObject['metadata']) {
  return rest
}

function defined<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>
}

/** What a deletion adds to the metadata: the finalizer of its policy, and for a pod on a node the time to end. */
function leaving(object: KubeObject, options: DeleteOptions, now: string): Partial<KubeObject['metadata']> {
  const { finalizers = [], deletionTimestamp = now, deletionGracePeriodSeconds: before = Infinity } = object.metadata
  const { propagationPolicy, gracePeriodSeconds } = options
  const spec: JsonObject = objectOf(asJson(object['spec']))
  const { phase } = objectOf(asJson(object['status'] ?? {}))
  const isRunning = object.kind === 'Pod' && spec.nodeName !== undefined && phase !== 'Succeeded' && phase !== 'Failed'
  const asked = gracePeriodSeconds ?? Number(spec.terminationGracePeriodSeconds ?? 30)
  const others = finalizers.filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND)
  const own = { Background: [], Foreground: [FOREGROUND], Orphan: [ORPHAN] }
  return {
    finalizers: propagationPolicy === undefined ? finalizers : [...others, ...own[propagationPolicy]],
    deletionTimestamp,
    deletionGracePeriodSeconds: isRunning ? Math.min(asked, before) : 0,
  }
}

function refuseHomeless(namespace: KubeObject | undefined, { kind, metadata }: KubeObject): void {
  if (namespace === undefined) throw new ApiError(404, 'NotFound', `namespaces "${metadata.namespace}" not found`)
  if (namespace.metadata.deletionTimestamp === undefined) return
  const why = `unable to create new content in namespace ${metadata.namespace} because it is being terminated`
  throw new ApiError(403, 'Forbidden', `${kind} is forbidden: ${why}`)
}

function bind(store: SimulatedStore, ref: ObjectRef, uid: string | undefined, binding: KubeObject): KubeObject {
  const pod = store.get('Pod', ref.namespace, ref.name)
  if (pod === undefined) throw new ApiError(404, 'NotFound', `pods "${ref.name}" not found`)
  const spec = objectOf(asJson(pod['spec']))
  const isOther = uid !== undefined && uid !== pod.metadata.uid
  if (isOther || pod.metadata.deletionTimestamp !== undefined || spec.nodeName !== undefined)
    throw conflict(`pod ${ref.name} is being deleted, cannot be assigned to a host`)
  const nodeName = objectOf(asJson(binding['target'])).name
  store.put({ ...pod, spec: { ...spec, nodeName } })
  return { apiVersion: 'v1', kind: 'Status', metadata: { name: '' } }
}
