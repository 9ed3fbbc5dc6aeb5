import { refOf, type KubeObject } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { matchesSelector } from '../meta.ts'
import { isActivePod, isReadyPod } from '../pods.ts'
import { milli } from '../scheduler/resources.ts'
import { as, type LabelSelector, type Pod } from '../shapes.ts'
import type { Autoscaler, AutoscalerSeen, Measurement, MetricSpec } from './shapes.ts'

/** The size of a target, where its scale is, and whose pods are measured. */
export type Target = {
  readonly path: string
  readonly body: KubeObject
  readonly replicas: number
  readonly current: number
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
    status?: { replicas?: number; selector?: string }
  }
  const { replicas = 0 } = body.spec ?? {}
  return { path, body, replicas, current: body.status?.replicas ?? 0, selector: body.status?.selector ?? '' }
}

/** Measures the target's pods for one metric, or says truly why it cannot. */
async function measure(bench: Bench, namespace: string, target: Target, spec: MetricSpec): Promise<Measurement> {
  const name = spec.resource?.name
  if (spec.type !== 'Resource' || !name)
    return { error: `metrics of type ${spec.type} are not supported, only Resource is` }
  const subject = spec.resource?.target.type === 'Utilization' ? `${name} utilization` : `${name} resource metric value`
  const prefix = `failed to get ${subject}: unable to get metrics for resource ${name}: unable to fetch metrics from resource metrics API: `
  const path = `${METRICS}/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(target.selector)}`
  const { status, text } = await bench.client.raw('GET', path)
  if (status >= 400)
    return { error: `${prefix}${status === 404 ? NO_SUCH : messageIn(text)} (get pods.metrics.k8s.io)` }
  const usage = usageByPod(text, name)
  const selector = parseSelector(target.selector)
  const pods = bench
    .cache('v1', 'Pod')
    .list(namespace)
    .map((pod) => as<Pod>(pod))
    .filter((pod) => matchesSelector(selector, pod.metadata.labels) && isActivePod(pod))
  return {
    pods: pods.map((pod) => ({
      usage: usage.get(pod.metadata.name),
      request: pod.spec.containers.reduce((sum, { resources }) => sum + milli(resources?.requests?.[name] ?? 0), 0),
      isReady: isReadyPod(pod),
    })),
  }
}

/** Everything that a decision needs, but for the histories that the controller keeps. */
export async function observeAutoscaler(
  bench: Bench,
  autoscaler: Autoscaler,
): Promise<{ readonly target: Target | undefined; readonly seen: Pick<AutoscalerSeen, 'scale' | 'measured'> }> {
  const target = await readTarget(bench, autoscaler)
  if ('error' in target) return { target: undefined, seen: { scale: target, measured: [] } }
  const { namespace = '' } = autoscaler.metadata
  const measured = await Promise.all(
    (autoscaler.spec.metrics ?? []).map((spec) => measure(bench, namespace, target, spec)),
  )
  return { target, seen: { scale: target, measured } }
}

function usageByPod(text: string, resource: string): Map<string, number> {
  const { items = [] } = JSON.parse(text) as {
    items?: { metadata: { name: string }; containers?: { usage?: Record<string, string> }[] }[]
  }
  return new Map(
    items.map(({ metadata, containers = [] }) => [
      metadata.name,
      containers.reduce((sum, { usage }) => sum + milli(usage?.[resource] ?? 0), 0),
    ]),
  )
}

/** Reads the textual selector of a scale: `a=b,c!=d,e in (f,g)`. */
function parseSelector(text: string): LabelSelector {
  const parts = text.split(/,(?![^(]*\))/).filter((part) => part !== '')
  const matchExpressions = parts.map((part) => {
    const set = /^(\S+) (in|notin) \((.*)\)$/.exec(part)
    if (set) return { key: set[1] ?? '', operator: set[2] === 'in' ? 'In' : 'NotIn', values: (set[3] ?? '').split(',') }
    const pair = /^([^!=]+)(=|==|!=)(.*)$/.exec(part)
    if (pair) return { key: pair[1] ?? '', operator: pair[2] === '!=' ? 'NotIn' : 'In', values: [pair[3] ?? ''] }
    return { key: part.replace(/^!/, ''), operator: part.startsWith('!') ? 'DoesNotExist' : 'Exists' }
  })
  return { matchExpressions }
}

function messageIn(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? NO_SUCH
  } catch {
    return NO_SUCH
  }
}
