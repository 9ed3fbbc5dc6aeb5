import type { FieldType } from '../../kube-schema/schema.ts'
import { attach, emptySet, type PathSet } from './path-set.ts'

/** Sets that are as their type has it, with the type; most are, and are asked again at every write. */
const checked = new WeakMap<PathSet, FieldType>()

/**
 * Owned paths after their schema has changed: who owned parts of what is a whole now owns the whole.
 *
 * @see https://github.com/kubernetes-sigs/structured-merge-diff typed/reconcile_schema.go
 */
export function reconcile(set: PathSet, type: FieldType): PathSet {
  if (set.children.size === 0 || type.kind === 'any' || checked.get(set) === type) return set
  if (type.isAtomic) return emptySet(true)
  let out: PathSet | undefined
  for (const [element, child] of set.children) {
    const below = element.startsWith('f:') ? type.child(element.slice(2)) : type.element
    const next = below === undefined ? child : reconcile(child, below)
    if (next === child) continue
    out ??= { isMember: set.isMember, children: new Map(set.children) }
    attach(out, element, next)
  }
  if (out === undefined) checked.set(set, type)
  return out ?? set
}
