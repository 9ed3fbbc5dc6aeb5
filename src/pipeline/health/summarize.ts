import { describeRef, type ObjectRef } from '../../lib/kube/object.ts'
import type { Judgement } from './kstatus.ts'

/** An object whose health counts, and how it is. */
export type Checked = { readonly ref: ObjectRef; readonly judgement: Judgement }

/** All judgements in one: `open` are those that are not Current, `objects` lists them as Flux writes them. */
export type Verdict =
  | { readonly kind: 'healthy' }
  | { readonly kind: 'waiting' | 'stalled'; readonly open: readonly ObjectRef[]; readonly objects: string }

/** Sums judgements up. When all that is left has failed, waiting longer is no use: Flux ends early, too. */
export function summarize(checked: readonly Checked[]): Verdict {
  const open = checked.filter(({ judgement }) => judgement.health !== 'Current')
  if (open.length === 0) return { kind: 'healthy' }
  const objects = open.map(describeChecked).join(', ')
  const isStalled = open.every(({ judgement }) => judgement.health === 'Failed')
  return { kind: isStalled ? 'stalled' : 'waiting', open: open.map(({ ref }) => ref), objects }
}

function describeChecked({ ref, judgement }: Checked): string {
  const why = judgement.health === 'Unknown' ? `: ${judgement.why}` : ''
  return `${describeRef(ref)} status: '${judgement.health}'${why}`
}
