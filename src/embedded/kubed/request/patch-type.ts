import { Fault } from '../fault.ts'
import type { Resource } from '../resources/resource.ts'

const CUSTOM = ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml']
const BUILT_IN = [...CUSTOM, 'application/strategic-merge-patch+json']

/** Refuses a patch that the kind does not have, whether there is such an object or not. @throws Fault 415 */
export function checkPatchType(resource: Resource, contentType: string): void {
  if ((resource.custom === undefined ? BUILT_IN : CUSTOM).includes(contentType)) return
  throw unsupportedPatch(resource)
}

/** 415 for a patch of another kind. */
export function unsupportedPatch({ custom }: Resource): Fault {
  if (custom === undefined) return new Fault(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {})
  const message = `the body of the request was in an unknown format - accepted media types include: ${CUSTOM.join(', ')}`
  return new Fault(415, 'UnsupportedMediaType', message)
}
