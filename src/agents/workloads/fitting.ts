import { matchesExpression } from '../../lib/kube/label-selector.ts'
import type { Node, NodeSelectorTerm, PodSpec, Taint, Toleration } from './shapes.ts'

/** Whether a pod's selector and required affinity let it on the node. */
export function fitsLabels(spec: Pick<PodSpec, 'nodeSelector' | 'affinity'>, node: Node): boolean {
  const labels = node.metadata.labels ?? {}
  for (const [key, value] of Object.entries(spec.nodeSelector ?? {})) if (labels[key] !== value) return false
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  return terms === undefined || fitsTerms(terms, node)
}

/** Whether the node is one of those that any of the terms selects. */
export function fitsTerms(terms: readonly NodeSelectorTerm[], { metadata }: Node): boolean {
  return terms.some((term) => fitsTerm(term, metadata.labels ?? {}, metadata.name))
}

/** Whether the node has a taint of these effects that none of the tolerations covers. */
export function hasUntolerated(node: Node, tolerations: readonly Toleration[], effects: readonly string[]): boolean {
  const taints = (node.spec?.taints ?? []).filter(({ effect }) => effects.includes(effect))
  return taints.some((taint) => !isTolerated(taint, tolerations))
}

/** Whether one of the tolerations covers the taint. */
export function isTolerated(taint: Taint, tolerations: readonly Toleration[]): boolean {
  return tolerations.some((toleration) => tolerates(toleration, taint))
}

/** Whether the toleration covers the taint. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  const { key = '', operator = 'Equal', value = '', effect = '' } = toleration
  if (effect !== '' && effect !== taint.effect) return false
  if (key !== '' && key !== taint.key) return false
  if (operator === 'Exists') return true
  return key !== '' && value === (taint.value ?? '')
}

function fitsTerm(term: NodeSelectorTerm, labels: Readonly<Record<string, string>>, nodeName: string): boolean {
  const { matchExpressions = [], matchFields = [] } = term
  if (matchExpressions.length + matchFields.length === 0) return false
  return (
    matchExpressions.every((wish) => matchesExpression(wish, labels)) &&
    matchFields.every((wish) => matchesExpression(wish, { 'metadata.name': nodeName }))
  )
}
