import {
  asJson,
  goJson,
  isObject,
  type Json,
  type JsonObject,
  objectOf,
  sorted,
  stringOf,
} from '../../../lib/kube/json.ts'
import type { OwnershipConflict } from '../../../lib/kube-typed/merge/owners.ts'
import { difference, isEmpty, type PathSet } from '../../../lib/kube-typed/merge/path-set.ts'
import { typeFaults } from '../../../lib/kube-typed/merge/type-faults.ts'
import { compare, fieldSetOf, MergeError } from '../../../lib/kube-typed/merge/typed-value.ts'
import type { Obj } from '../object.ts'
import { apiVersionOf, type Resource } from '../resources/resource.ts'

/** Where kubectl keeps what it applied. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
/** Keys and values of all annotations of an object together. */
const MAX_ANNOTATIONS_BYTES = 256 * 1024

type Conflicts = OwnershipConflict['conflicts']

/**
 * What is left of conflicts of kubectl: it may take over what its own annotation says that it applied before from the client's side.
 *
 * Only as long as the object still has the value: what another has changed since then is the other's.
 *
 * @returns the conflicts themselves when the annotation cannot be read as an object of this version
 * @see k8s.io/apimachinery/pkg/util/managedfields/internal lastAppliedManager.allowedConflictsFromLastApplied
 */
export function unexplained(resource: Resource, live: JsonObject, conflicts: Conflicts): Conflicts {
  const allowed = stillApplied(resource, live)
  if (allowed === undefined) return conflicts
  const left = [...conflicts].map(([manager, set]) => [manager, difference(set, allowed)] as const)
  return new Map(left.filter(([, set]) => !isEmpty(set)))
}

function stillApplied(resource: Resource, live: JsonObject): PathSet | undefined {
  const { type } = resource
  const last = parse(stringOf(objectOf(objectOf(live.metadata).annotations)[LAST_APPLIED]))
  if (last === undefined || last.apiVersion !== apiVersionOf(resource)) return undefined
  if (typeFaults(type, last).length > 0) return undefined
  try {
    const { added, modified, removed } = compare(type, last, live)
    return [added, modified, removed].reduce(difference, fieldSetOf(type, last))
  } catch (error) {
    if (error instanceof MergeError) return undefined
    throw error
  }
}

function parse(text: string): JsonObject | undefined {
  try {
    const value = asJson(JSON.parse(text))
    return isObject(value) && stringOf(value.kind) !== '' ? value : undefined
  } catch {
    return undefined
  }
}

/** The annotation of what kubectl applies, as Go writes JSON. */
export function lastAppliedText(body: JsonObject): string {
  const { metadata } = body
  return `${goJson(sorted(isObject(metadata) ? { ...body, metadata: withoutOwn(metadata) } : body))}\n`
}

function withoutOwn({ annotations, ...metadata }: JsonObject): JsonObject {
  if (!isObject(annotations)) return metadata
  const { [LAST_APPLIED]: _own, ...others } = annotations
  return { ...metadata, annotations: others }
}

/** Keeps what kubectl applies in the annotation, where the object has it and there is room. */
export function keepLastApplied(object: Obj, text: string): void {
  const { annotations } = object.metadata
  if (annotations === undefined || stringOf(annotations[LAST_APPLIED]) === '') return
  annotations[LAST_APPLIED] = text
  if (sizeOf(annotations) > MAX_ANNOTATIONS_BYTES) delete annotations[LAST_APPLIED]
}

const sizeOf = (annotations: Readonly<Record<string, Json | undefined>>): number =>
  Object.entries(annotations).reduce(
    (size, [key, value]) => size + Buffer.byteLength(key) + Buffer.byteLength(stringOf(value)),
    0,
  )
