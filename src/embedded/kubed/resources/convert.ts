import { clone, isObject, type JsonObject, listOf, objectOf, objectsOf } from '../../../lib/kube/json.ts'
import { defaultCustom } from '../decoding/typed.ts'
import type { Obj } from '../object.ts'
import { apiVersionOf, type Resource } from './resource.ts'

/** The object in the version of `resource`, with the defaults of its definition; the same object when nothing changes. Never changes its argument. */
export function toVersion(resource: Resource, object: Obj): Obj {
  const wanted = apiVersionOf(resource)
  const converted = object.apiVersion === wanted ? object : convert(object, wanted)
  if (resource.custom?.hasDefaults !== true) return converted
  // its definition may have got defaults since it was written
  const defaulted = clone(converted)
  defaultCustom(resource.type, defaulted)
  return defaulted
}

/** The object in the version in which it is kept. */
export function toStored(resource: Resource, object: Obj): Obj {
  return object.apiVersion === resource.storedVersion ? object : convert(object, resource.storedVersion)
}

/** Custom resources change their apiVersion only (conversion None); built-in kinds with two versions their fields. */
function convert(object: Obj, apiVersion: string): Obj {
  if (object.kind === 'HorizontalPodAutoscaler' && object.apiVersion.startsWith('autoscaling/'))
    return apiVersion === 'autoscaling/v1' ? autoscalerToV1(object) : autoscalerToV2(object)
  if (object.kind === 'Event' && object.apiVersion === 'v1') return eventToNew(object)
  if (object.kind === 'Event' && object.apiVersion === 'events.k8s.io/v1') return eventToCore(object)
  return { ...object, apiVersion }
}

const CPU_ANNOTATION = 'autoscaling.alpha.kubernetes.io/'

function autoscalerToV1(object: Obj): Obj {
  const { metrics, behavior, ...spec } = objectOf(object.spec)
  const { currentMetrics, conditions, ...status } = objectOf(object.status)
  const isCpu = (metric: JsonObject): boolean => objectOf(metric.resource).name === 'cpu'
  const target = objectOf(objectOf(objectsOf(metrics).find(isCpu)?.resource).target)
  const current = objectOf(objectOf(objectsOf(currentMetrics).find(isCpu)?.resource).current)
  const others = objectsOf(metrics).filter(
    (metric) => !isCpu(metric) || objectOf(objectOf(metric.resource).target).averageUtilization === undefined,
  )
  const annotations: JsonObject = { ...object.metadata.annotations }
  const keep = (name: string, value: unknown): void => {
    if (value !== undefined && !(Array.isArray(value) && value.length === 0))
      annotations[CPU_ANNOTATION + name] = JSON.stringify(value)
  }
  keep('metrics', others)
  keep('behavior', behavior)
  keep('conditions', conditions)
  keep('current-metrics', listOf(currentMetrics))
  return {
    ...object,
    apiVersion: 'autoscaling/v1',
    metadata: {
      ...object.metadata,
      annotations: Object.keys(annotations).length > 0 ? annotations : undefined,
    } as Obj['metadata'],
    spec: { ...spec, targetCPUUtilizationPercentage: target.averageUtilization },
    status: { ...status, currentCPUUtilizationPercentage: current.averageUtilization },
  }
}

function autoscalerToV2(object: Obj): Obj {
  const { targetCPUUtilizationPercentage: percent, ...spec } = objectOf(object.spec)
  const { currentCPUUtilizationPercentage: currentPercent, ...status } = objectOf(object.status)
  const annotations: JsonObject = {}
  const kept: JsonObject = {}
  for (const [name, value] of Object.entries(object.metadata.annotations ?? {}))
    if (name.startsWith(CPU_ANNOTATION) && typeof value === 'string')
      kept[name.slice(CPU_ANNOTATION.length)] = parse(value)
    else annotations[name] = value
  const cpu = {
    type: 'Resource',
    resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: percent } },
  }
  const metrics = [...(percent === undefined ? [] : [cpu]), ...listOf(kept.metrics)]
  const currentMetrics = listOf(kept['current-metrics'])
  if (currentMetrics.length === 0 && currentPercent !== undefined)
    currentMetrics.push({
      type: 'Resource',
      resource: { name: 'cpu', current: { averageUtilization: currentPercent, averageValue: '0' } },
    })
  return {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata: {
      ...object.metadata,
      annotations: Object.keys(annotations).length > 0 ? annotations : undefined,
    } as Obj['metadata'],
    spec: { ...spec, metrics: metrics.length > 0 ? metrics : undefined, behavior: kept.behavior },
    status: {
      ...status,
      conditions: kept.conditions,
      currentMetrics: currentMetrics.length > 0 ? currentMetrics : undefined,
    },
  }
}

function parse(text: string): JsonObject[string] {
  try {
    return JSON.parse(text) as JsonObject[string]
  } catch {
    return undefined
  }
}

function eventToNew(object: Obj): Obj {
  const { involvedObject, message, source, firstTimestamp, lastTimestamp, count, reportingComponent, ...rest } = object
  return {
    ...rest,
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: object.metadata,
    regarding: involvedObject,
    note: message,
    deprecatedSource: source,
    deprecatedFirstTimestamp: firstTimestamp,
    deprecatedLastTimestamp: lastTimestamp,
    deprecatedCount: count,
    reportingController: reportingComponent,
  }
}

function eventToCore(object: Obj): Obj {
  const {
    regarding,
    note,
    deprecatedSource,
    deprecatedFirstTimestamp,
    deprecatedLastTimestamp,
    deprecatedCount,
    reportingController,
    ...rest
  } = object
  return {
    ...rest,
    apiVersion: 'v1',
    kind: 'Event',
    metadata: object.metadata,
    involvedObject: isObject(regarding) ? regarding : {},
    message: note,
    source: isObject(deprecatedSource) ? deprecatedSource : {},
    firstTimestamp: deprecatedFirstTimestamp ?? null,
    lastTimestamp: deprecatedLastTimestamp ?? null,
    count: deprecatedCount,
    reportingComponent: reportingController ?? '',
  }
}
