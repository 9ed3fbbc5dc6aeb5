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
  const { call, operation } = attempt
  const { resource, subresource, namespace, user, dryRun } = call
  return {
    kind: { group: matched.group, version: matched.version, kind: matched.kind },
    resource: { group: matched.group, version: matched.version, resource: matched.plural },
    subResource: subresource,
    requestKind: { group: resource.group, version: resource.version, kind: resource.kind },
    requestResource: { group: resource.group, version: resource.version, resource: resource.plural },
    requestSubResource: subresource,
    name: nameOf(attempt),
    namespace,
    operation,
    userInfo: { username: user.name, uid: user.uid ?? '', ...userInfo(user) },
    dryRun,
    options: {},
  }
}
