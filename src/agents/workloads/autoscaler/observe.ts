import { refOf, type KubeObject } from '../../../lib/kube/object.ts'
import { type LabelMatch, matchLabels, parseLabelSelector, SelectorError } from '../../../lib/kube/selector.ts'
import type { Bench } from '../bench.ts'
import { keyOf } from '../meta.ts'
import { as, type Pod } from '../shapes.ts'
import { metricsByPod, type PodMetricsList } from './samples.ts'
import type { Autoscaler, AutoscalerSeen, Measurement, MetricSpec, Selection } from './shapes.ts'
import { metricsApiOf, unofferedError } from './unoffered.ts'

/** The size of a target, where its scale is, and whose pods are measured. */
export type Target = {
  readonly path: string
  readonly body: KubeObject
  readonly replicas: number
  readonly selector: string
}

const METRICS = '/apis/metrics.k8s.io/v1beta1'
const NO_SUCH = 'the server could not find the requested resource'

/** Reads the `scale` of an autoscaler's target. */
async function readTarget(bench: Bench, autoscaler: Autoscaler): Promise<Target | { readonly error: string }> {
  const { apiVersion = 'v1', kind, name } = autoscaler.spec.scaleTargetRef
  const resource = await bench.client.resource(apiVersion, kind)
  if (!resource) return { error: `no matches for kind "${kind}" in group "${apiVersion.split('/')[0]}"` }
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const path = `${root}/namespaces/${refOf(autoscaler).namespace}/${resource.plural}/${encodeURIComponent(name)}/scale`
  const { status, text } = await bench.client.raw('GET', path)
  if (status >= 400) return { error: messageIn(text) }
  const body = JSON.parse(text) as KubeObject & {
    spec?: { replicas?: number }
    status?: { selector?: string }
  }
  return { path, body, replicas: body.spec?.replicas ?? 0, selector: body.status?.selector ?? '' }
}

/** Measures the target's pods for one metric, or says truly why it cannot. */
async function measure(
  bench: Bench,
  namespace: string,
  selector: string,
  pods: readonly Pod[],
  spec: MetricSpec,
): Promise<Measurement> {
  const { name, container } = spec.containerResource ?? { name: spec.resource?.name, container: undefined }
  if (name === undefined) {
    const api = metricsApiOf(spec)
    const { status } = await bench.client.raw('GET', `/apis/${api}`)
    return {
      error: status === 404 ? unofferedError(spec, namespace) : `metrics of ${api} are not read by this controller`,
    }
  }
  const path = `${METRICS}/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(selector)}`
  const { status, text } = await bench.client.raw('GET', path)
  const prefix = `unable to get metrics for resource ${name}: `
  if (status >= 400) {
    const cause = status === 404 ? NO_SUCH : messageIn(text)
    return { error: `${prefix}unable to fetch metrics from resource metrics API: ${cause} (get pods.metrics.k8s.io)` }
  }
  const { items = [] } = JSON.parse(text) as PodMetricsList
  if (items.length === 0) return { error: `${prefix}no metrics returned from resource metrics API` }
  return { pods, metrics: metricsByPod(items, name, container) }
}

/** The selectors of the autoscalers' targets as last seen, by `namespace/name` of the autoscaler. */
export type Selectors = Map<string, string>

/** Everything that a decision needs, but for the histories that the controller keeps. */
export async function observeAutoscaler(
  bench: Bench,
  autoscaler: Autoscaler,
  selectors: Selectors,
): Promise<{ readonly target: Target | undefined; readonly seen: Pick<AutoscalerSeen, 'scale' | 'measured'> }> {
  const target = await readTarget(bench, autoscaler)
  if ('error' in target) return { target: undefined, seen: { scale: target, measured: [] } }
  const { namespace = '' } = autoscaler.metadata
  const { replicas, selector } = target
  const choice = choose(bench, autoscaler, selector, selectors)
  if ('error' in choice) return { target, seen: { scale: { replicas, selection: choice }, measured: [] } }
  const measured = await Promise.all(
    (autoscaler.spec.metrics ?? []).map((spec) => measure(bench, namespace, selector, choice.pods, spec)),
  )
  return { target, seen: { scale: { replicas, selection: choice }, measured } }
}

/** The pods that a target's selector chooses, and the autoscalers that choose some of the same. */
function choose(
  bench: Bench,
  autoscaler: Autoscaler,
  selector: string,
  selectors: Selectors,
): Selection & ({ readonly error: string } | { readonly pods: readonly Pod[] }) {
  const { namespace = '' } = autoscaler.metadata
  const isSelected = matcherOf(selector)
  if (typeof isSelected === 'string') return { selector, error: isSelected }
  selectors.set(keyOf(autoscaler), selector)
  const pods = bench
    .cache('v1', 'Pod')
    .list(namespace)
    .filter(({ metadata }) => isSelected(metadata.labels))
  const rivals = [...selectors].filter(([key, text]) => {
    const matches = key.startsWith(`${namespace}/`) ? matcherOf(text) : 'elsewhere'
    return typeof matches !== 'string' && pods.some(({ metadata }) => matches(metadata.labels))
  })
  const names = rivals.map(([key]) => key.slice(namespace.length + 1)).sort()
  return { selector, rivals: names, pods: pods.map((pod) => as<Pod>(pod)) }
}

function matcherOf(selector: string): LabelMatch | string {
  try {
    return matchLabels(parseLabelSelector(selector))
  } catch (error) {
    if (error instanceof SelectorError) return error.message
    throw error
  }
}

/** What an answer of the API server says of its refusal. */
export function messageIn(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? NO_SUCH
  } catch {
    return NO_SUCH
  }
}
