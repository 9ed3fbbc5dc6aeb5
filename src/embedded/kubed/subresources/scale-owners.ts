import { type Json, type JsonObject, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import {
  difference,
  emptySet,
  insert,
  isEmpty,
  parseFields,
  type PathSet,
  renderFields,
} from '../../../lib/kube-typed/merge/path-set.ts'
import { sortEntries } from '../ownership/managers.ts'

/** Where the size of an object is, and in which apiVersion of its kind. */
export type SizePlace = { readonly apiVersion: string; readonly path: readonly string[] }

const SCALE_VERSION = 'autoscaling/v1'
const IN_SCALE = setOf(['spec', 'replicas'])

/**
 * managedFields of an object as its Scale has them: whoever owns the size owns that of the Scale.
 *
 * @see k8s.io/apimachinery/pkg/util/managedfields ScaleHandler.ToSubresource
 */
export function ownersOfScale(entries: Json | undefined, place: SizePlace): Json[] {
  return known(entries, place)
    .filter((entry) => owns(entry, setOf(place.path)))
    .map((entry) => ({ ...entry, apiVersion: SCALE_VERSION, fieldsV1: renderFields(IN_SCALE) }))
}

/**
 * managedFields of an object after its Scale was written. An entry of an Update carries its apiVersion in its name, which differs in the Scale: its size
 * becomes an entry of its own, without a time.
 *
 * @see k8s.io/apimachinery/pkg/util/managedfields ScaleHandler.ToParent
 */
export function ownersAfterScale(entries: Json | undefined, scaleEntries: Json | undefined, place: SizePlace): Json[] {
  const size = setOf(place.path)
  const left = new Map(objectsOf(scaleEntries).map((entry) => [idOf(entry), entry]))
  const out: JsonObject[] = []
  for (const entry of known(entries, place)) {
    if (!owns(entry, size)) out.push(entry)
    else if (left.delete(idOf(entry))) out.push(entry)
    else {
      const rest = difference(parseFields(entry.fieldsV1), size)
      if (!isEmpty(rest)) out.push({ ...entry, fieldsV1: renderFields(rest) })
    }
  }
  for (const entry of left.values())
    if (owns(entry, IN_SCALE))
      out.push({ ...entry, apiVersion: place.apiVersion, time: undefined, fieldsV1: renderFields(size) })
  return sortEntries(out)
}

function setOf(path: readonly string[]): PathSet {
  const set = emptySet()
  insert(
    set,
    path.map((step) => `f:${step}`),
  )
  return set
}

const owns = (entry: JsonObject, path: PathSet): boolean => isEmpty(difference(path, parseFields(entry.fieldsV1)))

/** Entries of versions of the kind's own group; the last of each name. */
function known(entries: Json | undefined, { apiVersion }: SizePlace): JsonObject[] {
  const group = groupOf(apiVersion)
  const own = objectsOf(entries).filter((entry) => groupOf(stringOf(entry.apiVersion)) === group)
  return [...new Map(own.map((entry) => [idOf(entry), entry])).values()]
}

const groupOf = (apiVersion: string): string => apiVersion.slice(0, Math.max(0, apiVersion.indexOf('/')))

const idOf = ({ manager, operation, apiVersion, subresource }: JsonObject): string =>
  JSON.stringify([manager, operation, operation === 'Apply' ? '' : apiVersion, subresource])
