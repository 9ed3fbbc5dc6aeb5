import { pathSegmentError } from '../../../lib/kube/names.ts'
import { goQuote } from '../../../lib/value/go-quote.ts'
import type { Call } from '../request/call.ts'
import { unsignedOf } from '../request/query.ts'
import { badRequest, conflict, Fault, notFound, otherName, otherNamespace, unnamed } from '../fault.ts'
import type { Obj } from '../object.ts'
import { storedUnder } from '../strategies/storage-places.ts'

/** Gives an object the namespace of its request. @throws Fault 400 when it says another */
export function placeInNamespace(call: Call, { metadata }: Obj): void {
  if (!call.resource.isNamespaced) {
    delete metadata.namespace
    return
  }
  if (typeof metadata.namespace === 'string' && metadata.namespace !== '' && metadata.namespace !== call.namespace)
    throw otherNamespace()
  metadata.namespace = call.namespace
}

/** Refuses a name that no object can be kept under. @throws Fault 400 */
export function requireKey({ name }: Call): void {
  const why = pathSegmentError(name)
  if (why !== undefined) throw badRequest(`Name parameter invalid: ${goQuote(name)}: ${why}`)
}

/** Says that there is no such object. @throws Fault 400 for a name that none can have, 404 */
export function missing(call: Call): Fault {
  requireKey(call)
  return notFound(call.resource, call.name)
}

/** Refuses a written object that is not the one of its address. @throws Fault 400 */
export function requirePlace(call: Call, object: Obj): void {
  const { name, namespace = '' } = object.metadata
  if (call.resource.isNamespaced && namespace !== '' && namespace !== call.namespace) throw otherNamespace()
  requireName(object, call.name)
  if (name !== call.name) throw otherName(name, call.name)
}

/** Refuses a written object without a name. */
function requireName({ metadata }: Obj, name: string): void {
  if (metadata.name === '') throw unnamed(name)
}

/** Signs of a refused version that its message shows. */
const MOST_QUOTED = 1024

/** True for a text that is a version other than none. */
export const isVersion = (text: string): boolean => /^\d+$/.test(text) && (unsignedOf(text) ?? 0n) > 0n

/** Refuses a version that can be none. @throws Fault 500 */
export function requireNumber(version: string): void {
  if (version === '') return
  const isNumber = /^\d+$/.test(version)
  if (isNumber && unsignedOf(version) !== undefined) return
  const why = isNumber ? 'value out of range' : 'invalid syntax'
  throw new Fault(
    500,
    '',
    `strconv.ParseUint: parsing ${JSON.stringify(version.length > MOST_QUOTED ? `${version.slice(0, MOST_QUOTED)}…` : version)}: ${why}`,
  )
}

/** Takes a uid that is sent for a precondition. @throws Fault 409 */
export function checkUid(call: Call, before: Obj, object: Obj): void {
  const uid = object.metadata.uid
  if (typeof uid !== 'string' || uid === '' || uid === before.metadata.uid) return
  const { resource, name } = call
  const key = `${call.dryRun ? '' : '/registry'}${placeOf(call)}`
  throw conflict(
    resource,
    name,
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${before.metadata.uid ?? ''}`,
  )
}

/** Where etcd has an object under its root, which some messages show. */
export function placeOf({ resource, namespace, name }: Call): string {
  return `/${storedUnder(resource)}/${namespace === '' ? '' : `${namespace}/`}${name}`
}
