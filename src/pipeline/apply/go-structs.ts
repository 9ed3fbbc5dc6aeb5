import { groupOf, type KubeObject } from '../../lib/kube/object.ts'
import { schemaFor } from '../../lib/kube-schema/builtin.ts'
import type { FieldType } from '../../lib/kube-schema/schema.ts'
import { isRecord } from '../../lib/value/is-record.ts'

const OTHER_SCHEMES = new Set(['apiextensions.k8s.io', 'apiregistration.k8s.io'])

/** The type of an object that Flux passes through Go's types before it applies it; undefined for those that it applies as written. */
export function goTypeOfApplied({ apiVersion, kind }: KubeObject): FieldType | undefined {
  if (kind === 'Role' || kind === 'ClusterRole' || OTHER_SCHEMES.has(groupOf(apiVersion))) return undefined
  return schemaFor(apiVersion, kind)
}

/**
 * Adds the structs that Go writes though they hold nothing: `resources: {}` of a container, `metadata: {}` of a pod template. Works in place.
 *
 * What Flux applied it owns with them. An apply without `metadata: {}` would give that up and take the labels with it that the server
 * put there, and a Job that Flux left would be refused as immutable, or made and run once more.
 */
export function addEmptyStructs(object: KubeObject): void {
  const type = goTypeOfApplied(object)
  if (type) fill(object, type)
}

function fill(value: unknown, type: FieldType): void {
  if (Array.isArray(value)) {
    const { element } = type
    if (element) for (const item of value) fill(item, element)
    return
  }
  if (!isRecord(value)) return
  for (const name of type.schema['x-go']?.S ?? []) if (value[name] === undefined) Reflect.set(value, name, {})
  for (const [name, field] of Object.entries(value)) {
    const child = typeof field === 'object' ? type.child(name) : undefined
    if (child) fill(field, child)
  }
}
