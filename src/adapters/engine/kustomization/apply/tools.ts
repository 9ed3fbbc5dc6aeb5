import type { InventoryEntry } from '../../../../kinds/kustomization.ts'
import type { ObjectRef } from '../../../../lib/kube/object.ts'
import type { Target } from './target.ts'

/** The field manager of everything that a Kustomization applies. */
export const APPLY_MANAGER = 'kustomize-controller'

/** What happened to one object. */
export type ObjectChange = {
  readonly ref: ObjectRef
  readonly action: 'created' | 'configured' | 'unchanged' | 'skipped'
  /** It had been changed behind Git's back. */
  readonly isDrift: boolean
}

/** What an apply needs besides the context. */
export type ApplyTools = {
  readonly target: Target
  /** The Kustomization of that key, if it has the object in its inventory. */
  readonly holds: (owner: string, entry: InventoryEntry) => boolean
  /** Says to the Kustomization that has an object that another one wants it, too. */
  readonly tellOwner: (owner: string, ref: ObjectRef) => void
  /** Waited for before the first of these changes is made; called once a stage that has something to do. */
  readonly onPlan: (changes: readonly ObjectChange[]) => Promise<void>
  /** Somebody asked for this reconcile: every object is looked at afresh, the watch may be a moment behind. */
  readonly isAsked: boolean
}
