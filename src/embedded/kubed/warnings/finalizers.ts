import { isKnownFinalizer } from '../../../lib/kube/names.ts'
import { finalizersOf, type Obj } from '../object.ts'

/** Who adds a finalizer without a domain to a custom resource is told of it; a built-in kind refuses it. */
export function warningsOfFinalizers(object: Obj, before: Obj | undefined): string[] {
  const had = new Set(before === undefined ? [] : finalizersOf(before))
  const added = [...new Set(finalizersOf(object))].filter((name) => !had.has(name) && !isKnownFinalizer(name))
  return added.sort().map((name) => {
    const advice = `prefer a domain-qualified finalizer name${name.includes('.') ? ' including a path (/)' : ''}`
    return `metadata.finalizers: ${JSON.stringify(name)}: ${advice} to avoid accidental conflicts with other finalizer writers`
  })
}
