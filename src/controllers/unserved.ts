import type { Decision } from '../engine/decision.ts'
import { FINALIZER, type FluxMeta } from '../kinds/flux-object.ts'

/** An object of a kind that is not served. */
export type UnservedSeen = {
  readonly object: Pick<FluxMeta, 'kind' | 'isDeleting' | 'finalizers' | 'conditions'>
  readonly knownForMs: number
  /** A HelmRepository of type `oci`: an address without a status, in Flux too. */
  readonly isStatic: boolean
  /** Whether the controller of Flux that serves the kind runs in the cluster; looked for when an object is to go. */
  readonly isServerRunning: boolean
}

/** Why such an object is not ready. */
export const NOT_SUPPORTED = 'NotSupported'

/** What is done to such an object: the finalizer of a controller that is gone is taken away. */
export type UnservedChange = 'let go'

/** A controller that serves the kind takes hold of a new object, or starts again, within this time. */
const GRACE_MS = 3_000
const LOOK_AGAIN_MS = 60_000

/**
 * Answers what is to be said about it; '' when there is nothing to say.
 *
 * An object that another controller holds is left to it: each controller of Flux puts its finalizer on an object before anything else, and what
 * holds none (Flux's distributions differ) has a status of its own.
 */
export function decideUnserved(seen: UnservedSeen): Decision<UnservedChange, string> {
  const { object, knownForMs, isStatic } = seen
  if (object.isDeleting) return decideLeaving(seen)
  if (isStatic || isServedByOther(object)) return { kind: 'done', status: '' }
  if (knownForMs < GRACE_MS) return { kind: 'wait', afterMs: GRACE_MS - knownForMs, status: '' }
  const status = `${object.kind} is not supported by this version of sluice: nothing is done for this object`
  return { kind: 'done', status }
}

/**
 * An object that its controller held, and that would never go once that controller is gone: source-controller only kept files for it, which
 * are gone with it; what a HelmRelease deployed is helm-controller's to take down.
 */
function decideLeaving({ object, knownForMs, isServerRunning }: UnservedSeen): Decision<UnservedChange, string> {
  if (!object.finalizers.includes(FINALIZER)) return { kind: 'done', status: '' }
  if (isServerRunning) return { kind: 'done', status: '', againAfterMs: LOOK_AGAIN_MS }
  if (knownForMs < GRACE_MS) return { kind: 'wait', afterMs: GRACE_MS - knownForMs, status: '' }
  if (object.kind !== 'HelmRelease') return { kind: 'act', changes: ['let go'] }
  const status =
    'is to go, but helm-controller does not run, and only that uninstalls what it deployed: start it, or take the finalizer away (what was deployed stays then)'
  return { kind: 'done', status }
}

function isServedByOther({ finalizers, conditions }: UnservedSeen['object']): boolean {
  if (finalizers.includes(FINALIZER)) return true
  return conditions.some(({ type, reason }) => type === 'Ready' && reason !== NOT_SUPPORTED)
}
