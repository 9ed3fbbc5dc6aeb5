import { isObject, listOf } from '../../../lib/kube/json.ts'
import type { Obj } from '../object.ts'

/** A new namespace is held by its finalizer, labelled by its name, and active. In place. */
export function startNamespace(namespace: Obj): void {
  const spec = isObject(namespace.spec) ? namespace.spec : {}
  const finalizers = listOf(spec.finalizers)
  if (!finalizers.includes('kubernetes')) spec.finalizers = [...finalizers, 'kubernetes']
  namespace.spec = spec
  const { metadata } = namespace
  metadata.labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name }
  namespace.status = { phase: 'Active' }
}
