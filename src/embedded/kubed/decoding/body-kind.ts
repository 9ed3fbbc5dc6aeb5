import { schemaFor } from '../../../lib/kube-schema/builtin.ts'
import type { Call } from '../request/call.ts'
import type { Environment } from '../environment.ts'
import { otherNamespace } from '../fault.ts'
import type { Obj } from '../object.ts'
import { readObject } from './body.ts'
import { decodeObject } from './object.ts'
import { apiVersionOf, type Resource } from '../resources/resource.ts'

/** The kind that a subresource takes, which is not the kind of the resource itself: `Scale`, `Eviction`, `TokenRequest`. */
export function bodyKindOf({ resource, subresource }: Call): Resource {
  const { group, version, kind } = resource.subresources.get(subresource) ?? resource
  const type = schemaFor(apiVersionOf({ group, version }), kind) ?? resource.type
  return { ...resource, group, version, kind, plural: kind, type, custom: undefined }
}

/** Reads the body of a POST or PUT to such a subresource. @throws Fault 400, 415 */
export function decodeBodyKind(env: Environment, call: Call): Obj {
  const ofKind = { ...call, resource: bodyKindOf(call) }
  const object = decodeObject(env, ofKind, readObject(ofKind))
  const { namespace = '' } = object.metadata
  if (namespace !== '' && namespace !== call.namespace) throw otherNamespace()
  return object
}
