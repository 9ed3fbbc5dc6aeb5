import type { KubeObject } from '../../lib/kube/object.ts'
import { isSuspended } from '../../kinds/flux-object.ts'
import { conditionOf } from '../../lib/kube/read.ts'
import { nextStep } from './next-step.ts'

/** An object of Flux's kinds that does nothing now, because somebody suspended it or because it cannot. */
export type Halt = {
  readonly object: string
  readonly isSuspended: boolean
  readonly cause: string
  /** What to do about it, where that can be told. */
  readonly next: string | undefined
}

/**
 * What does nothing now, whatever is pushed: no delivery tells of a source that cannot be fetched or of a Kustomization that was
 * suspended and forgotten, for none comes of them. Pure.
 */
export function haltsOf(objects: readonly KubeObject[]): readonly Halt[] {
  return objects.flatMap((object) => {
    const cause = haltOf(object)
    const { namespace = '', name } = object.metadata
    if (cause === undefined) return []
    const isHeld = isSuspended(object)
    const next = isHeld ? undefined : nextStep(object, cause)
    return [{ object: `${object.kind} ${namespace}/${name}`, isSuspended: isHeld, cause, next }]
  })
}

/** Why an object does nothing now; `undefined` when it works, or has not said so yet. */
export function haltOf(object: KubeObject): string | undefined {
  if (isSuspended(object)) return `is suspended (${resumeCommand(object.kind, object.metadata)})`
  const ready = conditionOf(object, 'Ready')
  return ready?.status === 'False' ? `is not ready: ${ready.message.trim()}` : undefined
}

type Named = { readonly namespace?: string; readonly name: string }

/** What resumes an object; every hint says it in the same words. */
export function resumeCommand(kind: string, { namespace = '', name }: Named): string {
  return `sluice resume ${kind.toLowerCase()} ${name} -n ${namespace}`
}
