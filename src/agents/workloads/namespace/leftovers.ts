import { timeText } from '../meta.ts'
import type { Condition } from '../shapes.ts'

/** What remains of one kind after a round of deletion. */
export type Remaining = {
  readonly apiVersion: string
  readonly plural: string
  readonly count: number
  /** How many instances each finalizer holds. */
  readonly finalizers: Readonly<Record<string, number>>
  /** Why the kind could not be deleted. */
  readonly failure?: string
}

/** What is left in a namespace that ends. As long as there are pods, nobody has looked at the others. */
export type Leftovers = { readonly pods: readonly Remaining[]; readonly others: readonly Remaining[] }

type Fact = { readonly isTrue: boolean; readonly reason: string; readonly message: string }

/**
 * Pure. The conditions of a namespace that ends, told in the original's words.
 *
 * Pods that remain are not told of while they may take their time: of what remains is told when all kinds have been looked at.
 * @param isPatient whether the grace periods of the pods may still be running
 * @see k8s.io/kubernetes/pkg/controller/namespace/deletion
 */
export function endingConditions(
  namespace: string,
  left: Leftovers,
  isPatient: boolean,
  before: readonly Condition[],
  nowMs: number,
): readonly Condition[] {
  const facts: Readonly<Record<string, Fact>> = {
    NamespaceDeletionDiscoveryFailure: no('ResourcesDiscovered', 'All resources successfully discovered'),
    NamespaceDeletionGroupVersionParsingFailure: no('ParsedGroupVersions', 'All legacy kube types successfully parsed'),
    NamespaceDeletionContentFailure: failureOf(namespace, left, isPatient),
    NamespaceContentRemaining: contentOf(left.others),
    NamespaceFinalizersRemaining: finalizersOf(left.others),
  }
  const told = new Map(before.map((condition) => [condition.type, condition]))
  for (const [type, { isTrue, reason, message }] of Object.entries(facts)) {
    const status = isTrue ? 'True' : 'False'
    const old = told.get(type)
    const lastTransitionTime = old?.status === status ? old.lastTransitionTime : timeText(nowMs)
    told.set(type, { type, status, ...(lastTransitionTime !== undefined && { lastTransitionTime }), reason, message })
  }
  return [...told.values()]
}

const no = (reason: string, message: string): Fact => ({ isTrue: false, reason, message })

function failureOf(namespace: string, { pods, others }: Leftovers, isPatient: boolean): Fact {
  const whys = [
    ...pods.flatMap((each) => whyLeft(namespace, each, isPatient)),
    ...others.flatMap((each) => whyLeft(namespace, each, false)),
  ]
  if (whys.length === 0) return no('ContentDeleted', 'All content successfully deleted, may be waiting on finalization')
  const message = `Failed to delete all resource types, ${whys.length} remaining: ${whys.sort().join(', ')}`
  return { isTrue: true, reason: 'ContentDeletionFailed', message }
}

/** What stays without a finalizer or a grace period ought to have gone. */
function whyLeft(namespace: string, each: Remaining, isPatient: boolean): string[] {
  if (each.failure !== undefined) return [each.failure]
  if (isPatient || Object.keys(each.finalizers).length > 0) return []
  const [version = '', group = ''] = each.apiVersion.split('/').reverse()
  const kind = `${group}/${version}, Resource=${each.plural}`
  return [`unexpected items still remain in namespace: ${namespace} for gvr: ${kind}`]
}

function contentOf(others: readonly Remaining[]): Fact {
  const counted = others.filter(({ count }) => count > 0)
  if (counted.length === 0) return no('ContentRemoved', 'All content successfully removed')
  const names = counted.map(({ apiVersion, plural, count }) => {
    const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
    return `${plural}.${group} has ${count} resource instances`
  })
  const message = `Some resources are remaining: ${names.sort().join(', ')}`
  return { isTrue: true, reason: 'SomeResourcesRemain', message }
}

function finalizersOf(others: readonly Remaining[]): Fact {
  const counts = new Map<string, number>()
  for (const [name, count] of others.flatMap(({ finalizers }) => Object.entries(finalizers)))
    counts.set(name, (counts.get(name) ?? 0) + count)
  if (counts.size === 0) return no('ContentHasNoFinalizers', 'All content-preserving finalizers finished')
  const held = [...counts].map(([name, count]) => `${name} in ${count} resource instances`)
  const message = `Some content in the namespace has finalizers remaining: ${held.sort().join(', ')}`
  return { isTrue: true, reason: 'SomeFinalizersRemain', message }
}
