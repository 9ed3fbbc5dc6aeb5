import { describeRef, refOf, type KubeObject, type ObjectRef } from '../../lib/kube/object.ts'
import { compareFields, type FieldChange } from './compare-fields.ts'
import { maskSecret } from './mask-secret.ts'
import { renderChanges } from './render-changes.ts'
import { ownerOf, rulesOf } from './rules.ts'

/** One built object beside the cluster. */
export type Rehearsed = {
  readonly ref: ObjectRef
  /** As Git describes it. */
  readonly wanted: KubeObject
  /** As it is in the cluster; absent when it is not there. */
  readonly live: KubeObject | undefined
  /** As it would be after the apply: what the server answered to a dry run; absent when the run was not needed. */
  readonly after: KubeObject | undefined
}

/** What an apply would do to one object. Those that it would leave alone are not told. */
export type ObjectDiff =
  | { readonly kind: 'created' | 'deleted'; readonly ref: ObjectRef }
  | { readonly kind: 'drifted'; readonly ref: ObjectRef; readonly changes: readonly FieldChange[] }

/** Says what applying built objects would create and change, by the rules of the apply itself: what is ignored or only ever created stays as it is. */
export function planDiff(objects: readonly Rehearsed[]): readonly ObjectDiff[] {
  return objects.flatMap((object): readonly ObjectDiff[] => {
    const { ref, wanted, live, after } = object
    const rules = rulesOf(wanted, live)
    if (rules.isIgnored) return []
    if (live === undefined) return [{ kind: 'created', ref }]
    if (rules.isCreateOnly || after === undefined) return []
    const masked = maskSecret({ before: live, after })
    const changes = compareFields(shown(masked.before), shown(masked.after))
    return changes.length === 0 ? [] : [{ kind: 'drifted', ref, changes }]
  })
}

/** Says which of the objects that left Git a prune would delete: those that still say they belong to `owner`, and do not ask to stay. */
export function planDeletions(left: readonly KubeObject[], owner: string): readonly ObjectDiff[] {
  return left
    .filter((object) => !rulesOf(object).isKept && ownerOf(object) === owner)
    .map((object) => ({ kind: 'deleted', ref: refOf(object) }))
}

/** Renders the differences as `flux diff kustomization` prints them; empty when there are none. */
export function renderDiff(diffs: readonly ObjectDiff[]): string {
  return diffs
    .map((diff) => {
      const line = `► ${describeRef(diff.ref)} ${diff.kind}\n`
      return diff.kind === 'drifted' ? `${line}\n${renderChanges(diff.changes)}` : line
    })
    .join('')
}

/** What people compare: neither what the server keeps for itself nor the status. */
function shown(object: KubeObject): unknown {
  const { metadata, status: _status, apiVersion: _version, ...rest } = object
  const { labels, annotations } = metadata
  return {
    ...rest,
    metadata: { ...(labels === undefined ? {} : { labels }), ...(annotations === undefined ? {} : { annotations }) },
  }
}
