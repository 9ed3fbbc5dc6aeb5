import { internalForm } from '../../../lib/kube-schema/go-types.ts'
import {
  asJson,
  isObject,
  type Json,
  type JsonObject,
  objectOf,
  objectsOf,
  stringOf,
  withoutNulls,
} from '../../../lib/kube/json.ts'
import { DEFAULT_CPU_PERCENT } from '../defaulting/table.ts'
import type { Meta, Obj } from '../object.ts'

/** What version 1 has no field for lies in annotations of this prefix. */
const PREFIX = 'autoscaling.alpha.kubernetes.io/'

const isCpuShare = ({ type, resource }: JsonObject): boolean =>
  type === 'Resource' &&
  objectOf(resource).name === 'cpu' &&
  objectOf(objectOf(resource).target).averageUtilization !== undefined

/** An autoscaler of version 2 in version 1. @see k8s.io/kubernetes/pkg/apis/autoscaling/v1/conversion.go */
export function autoscalerToV1(object: Obj): Obj {
  const { metrics, behavior, ...spec } = objectOf(object.spec)
  const { currentMetrics, conditions, ...status } = objectOf(object.status)
  const share = objectsOf(metrics).find(isCpuShare)
  const current = objectsOf(currentMetrics).find(({ resource }) => objectOf(resource).name === 'cpu')
  const annotations: JsonObject = { ...object.metadata.annotations }
  const keep = (name: string, value: Json | undefined): void => {
    if (value !== undefined && !(Array.isArray(value) && value.length === 0))
      annotations[PREFIX + name] = JSON.stringify(value)
  }
  keep(
    'metrics',
    objectsOf(metrics)
      .filter((metric) => !isCpuShare(metric))
      .map((each) => flat(each, 'target')),
  )
  keep(
    'current-metrics',
    objectsOf(currentMetrics).map((each) => flat(each, 'current')),
  )
  if (isObject(behavior)) keep('behavior', internalForm('autoscaling/HorizontalPodAutoscalerBehavior', behavior))
  keep('conditions', conditions)
  return {
    ...object,
    apiVersion: 'autoscaling/v1',
    metadata: withAnnotations(object.metadata, annotations),
    spec: {
      ...spec,
      targetCPUUtilizationPercentage: objectOf(objectOf(share?.resource).target).averageUtilization,
    },
    status: {
      ...status,
      currentCPUUtilizationPercentage: objectOf(objectOf(current?.resource).current).averageUtilization,
    },
  }
}

/** The other way. */
export function autoscalerToV2(object: Obj): Obj {
  const { targetCPUUtilizationPercentage: percent, ...spec } = objectOf(object.spec)
  const { currentCPUUtilizationPercentage: currentPercent, ...status } = objectOf(object.status)
  const annotations: JsonObject = {}
  const kept: JsonObject = {}
  for (const [name, value] of Object.entries(object.metadata.annotations ?? {}))
    if (name.startsWith(PREFIX) && typeof value === 'string') kept[name.slice(PREFIX.length)] = parse(value)
    else annotations[name] = value
  const metrics: Json[] = objectsOf(kept.metrics).map((each) => deep(each, 'target'))
  if (percent !== undefined || metrics.length === 0)
    metrics.push(cpu('target', { type: 'Utilization', averageUtilization: percent ?? DEFAULT_CPU_PERCENT }))
  const currentMetrics: Json[] = objectsOf(kept['current-metrics']).map((each) => deep(each, 'current'))
  if (currentMetrics.length === 0 && currentPercent !== undefined)
    currentMetrics.push(cpu('current', { averageUtilization: currentPercent, averageValue: '0' }))
  return {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata: withAnnotations(object.metadata, annotations),
    spec: {
      ...spec,
      metrics,
      behavior: kept.behavior === undefined ? undefined : withoutNulls(lowered(kept.behavior)),
    },
    status: {
      ...status,
      conditions: kept.conditions,
      currentMetrics: currentMetrics.length > 0 ? currentMetrics : undefined,
    },
  }
}

const cpu = (field: string, value: JsonObject): JsonObject => ({
  type: 'Resource',
  resource: { name: 'cpu', [field]: value },
})

const withAnnotations = (metadata: Meta, annotations: JsonObject): Meta => {
  const { annotations: _old, ...rest } = metadata
  return Object.keys(annotations).length === 0
    ? { ...rest, name: metadata.name }
    : { ...rest, name: metadata.name, annotations }
}

type Side = 'target' | 'current'

const SOURCES = ['object', 'pods', 'resource', 'containerResource', 'external']

/** A metric of version 2 as version 1 had it: without structs for the metric and the value. */
function flat(metric: JsonObject, side: Side): JsonObject {
  const out: JsonObject = { type: metric.type }
  for (const source of SOURCES) {
    const found = metric[source]
    if (!isObject(found)) continue
    const { name, selector } = objectOf(found.metric)
    const { value, averageValue, averageUtilization } = objectOf(found[side])
    const of = (field: string): string => `${side}${field}`
    if (source === 'object')
      out[source] = {
        target: found.describedObject,
        metricName: name,
        [of('Value')]: value ?? '0',
        selector,
        averageValue,
      }
    else if (source === 'pods') out[source] = { metricName: name, [of('AverageValue')]: averageValue, selector }
    else if (source === 'external')
      out[source] = {
        metricName: name,
        metricSelector: selector,
        [of('Value')]: value,
        [of('AverageValue')]: averageValue,
      }
    else
      out[source] = {
        name: found.name,
        [of('AverageUtilization')]: averageUtilization,
        [of('AverageValue')]: averageValue,
        container: found.container,
      }
  }
  return out
}

function deep(metric: JsonObject, side: Side): JsonObject {
  const out: JsonObject = { type: metric.type }
  for (const source of SOURCES) {
    const found = metric[source]
    if (!isObject(found)) continue
    const [value, averageValue, averageUtilization] = ['Value', 'AverageValue', 'AverageUtilization'].map(
      (field) => found[`${side}${field}`],
    )
    const selector = found.selector ?? found.metricSelector
    const named = { name: found.metricName, ...(selector === undefined ? {} : { selector }) }
    if (source === 'object') {
      const isShared = found.averageValue !== undefined
      const amount = isShared ? { averageValue: found.averageValue } : { value }
      out[source] = {
        describedObject: found.target,
        metric: named,
        [side]: typed(side, isShared ? 'AverageValue' : 'Value', amount),
      }
    } else if (source === 'pods') out[source] = { metric: named, [side]: typed(side, 'AverageValue', { averageValue }) }
    else if (source === 'external') {
      const isShared = averageValue !== undefined
      out[source] = {
        metric: named,
        [side]: typed(side, isShared ? 'AverageValue' : 'Value', isShared ? { averageValue } : { value }),
      }
    } else {
      const isPercent = averageUtilization !== undefined
      const amount = {
        ...(isPercent ? { averageUtilization } : {}),
        ...(averageValue === undefined ? {} : { averageValue }),
      }
      const container = found.container === undefined ? {} : { container: found.container }
      out[source] = {
        name: found.name,
        ...container,
        [side]: typed(side, isPercent ? 'Utilization' : 'AverageValue', amount),
      }
    }
  }
  return out
}

const typed = (side: Side, type: string, amount: JsonObject): JsonObject =>
  side === 'target' ? { type, ...amount } : amount

/** Go's names of fields as JSON has them. */
function lowered(value: Json): Json {
  if (Array.isArray(value)) return value.map(lowered)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name.slice(0, 1).toLowerCase() + name.slice(1),
      lowered(field ?? null),
    ]),
  )
}

function parse(text: string): Json | undefined {
  try {
    return asJson(JSON.parse(stringOf(text)))
  } catch {
    return undefined
  }
}
