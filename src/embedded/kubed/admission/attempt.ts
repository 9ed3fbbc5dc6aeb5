import type { JsonObject } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import { userInfo } from '../request/user.ts'
import type { Obj } from '../object.ts'
import type { Resource } from '../resources/resource.ts'

/** A request before it is carried out, as admission sees it. */
export type Attempt = {
  readonly call: Call
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE'
  /** What is to be written; `undefined` for a delete. */
  readonly object: Obj | undefined
  /** What is there now. */
  readonly before: Obj | undefined
  /** The options of the request, as they were said. */
  readonly options: JsonObject
}

/** A write of an object, as plugins see it. */
export type Write = Attempt & { readonly object: Obj }

/**
 * The name that a request is about. What is created may name itself, as soon as it has a name; many deletes at once are about none.
 *
 * @see k8s.io/apiserver/pkg/endpoints/handlers/create.go
 */
export function nameOf({ call, operation, object }: Attempt): string {
  if (call.name !== '' || operation !== 'CREATE') return call.name
  return object?.metadata.name ?? ''
}

/** The `AdmissionRequest` that expressions call `request`. */
export function requestOf(attempt: Attempt, matched: Resource): JsonObject {
  const { call, operation, options } = attempt
  const { resource, subresource, namespace, user, dryRun } = call
  const name = nameOf(attempt)
  return {
    kind: kindOf(matched, subresource),
    resource: { group: matched.group, version: matched.version, resource: matched.plural },
    requestKind: kindOf(resource, subresource),
    requestResource: { group: resource.group, version: resource.version, resource: resource.plural },
    // Go leaves out what is empty, and expressions find no such field then.
    ...(subresource !== '' && { subResource: subresource, requestSubResource: subresource }),
    ...(name !== '' && { name }),
    ...(namespace !== '' && { namespace }),
    operation,
    userInfo: userInfo(user),
    dryRun,
    options: { kind: OPTIONS[operation], apiVersion: 'meta.k8s.io/v1', ...options },
  }
}

const OPTIONS = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' } as const

/** A subresource may be of another kind than its resource: `Scale`. */
function kindOf(resource: Resource, subresource: string): JsonObject {
  const { group, version, kind } = resource.subresources.get(subresource) ?? resource
  return { group, version, kind }
}
