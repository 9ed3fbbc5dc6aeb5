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

/** The `AdmissionRequest` that expressions call `request`. */
export function requestOf({ call, operation, object, before }: Attempt, matched: Resource): JsonObject {
  const { resource, subresource, namespace, user, dryRun } = call
  return {
    kind: { group: matched.group, version: matched.version, kind: matched.kind },
    resource: { group: matched.group, version: matched.version, resource: matched.plural },
    subResource: subresource,
    requestKind: { group: resource.group, version: resource.version, kind: resource.kind },
    requestResource: { group: resource.group, version: resource.version, resource: resource.plural },
    requestSubResource: subresource,
    name: (object ?? before)?.metadata.name ?? call.name,
    namespace,
    operation,
    userInfo: { username: user.name, uid: user.uid ?? '', ...userInfo(user) },
    dryRun,
    options: {},
  }
}
