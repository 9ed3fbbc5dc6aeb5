import type { LabelSelector } from '../../../lib/kube/label-selector.ts'
import type { MetricSpec } from './shapes.ts'

/** The API that serves a metric which is not one of resources. */
export function metricsApiOf({ type }: MetricSpec): string {
  return type === 'External' ? 'external.metrics.k8s.io' : 'custom.metrics.k8s.io'
}

/** Pure. Why a metric of Pods, of an object or from outside has no value where nobody serves its API, in the original's words. */
export function unofferedError({ pods, object, external }: MetricSpec, namespace: string): string {
  if (external) {
    const { name, selector } = external.metric
    const cause = `the server could not find the requested resource (get ${name}.external.metrics.k8s.io)`
    return `unable to get external metric ${namespace}/${name}/${goText(selector)}: unable to fetch metrics from external metrics API: ${cause}`
  }
  const { describedObject } = object ?? {}
  const on = describedObject ? ` on ${describedObject.kind} ${namespace}/${describedObject.name}` : ''
  const name = (object ?? pods)?.metric.name ?? ''
  return `unable to get metric ${name}${on}: unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered`
}

/** Pure. What goes before the error of such a metric where it is told among others. */
export function unofferedPrefix({ type, object, external }: MetricSpec): string {
  if (external) {
    const { metric, target } = external
    const what = target.averageValue === undefined ? `external metric ${metric.name}` : `${metric.name} external metric`
    return `failed to get ${metric.name} external metric value: failed to get ${what}: `
  }
  const inner = object?.target.averageValue === undefined ? '' : `failed to get ${object.metric.name} object metric: `
  return `failed to get ${type.toLowerCase()} metric value: ${inner}`
}

/** A selector as Go prints it. */
function goText(selector: LabelSelector | undefined): string {
  if (selector === undefined) return 'nil'
  const labels = Object.entries(selector.matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  )
  const pairs = labels.map(([key, value]) => `${key}: ${value},`).join('')
  return `&LabelSelector{MatchLabels:map[string]string{${pairs}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join('')}},}`
}
