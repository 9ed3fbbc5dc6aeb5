import { type Environment, timestamp } from '../environment.ts'
import type { Obj } from '../object.ts'
import { trackUpdate } from '../ownership/managed-fields.ts'

/** Writes an object of the server's own making. */
export function putOwn(env: Environment, key: string, object: Obj, manager = 'kube-apiserver'): void {
  const { namespace = '', name } = object.metadata
  if (env.store.get(key, namespace, name) !== undefined) return
  object.metadata.uid = env.uuid()
  object.metadata.creationTimestamp = timestamp(env.nowMs())
  const resource = env.registry.byStorageKey(key)
  if (resource !== undefined)
    trackUpdate(resource, undefined, object, undefined, {
      manager,
      now: timestamp(env.nowMs()),
      subresource: '',
    })
  env.store.put(key, object)
}
