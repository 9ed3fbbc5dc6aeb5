import { clone, isObject } from '../../../lib/kube/json.ts'
import { schemaFor } from '../../../lib/kube-schema/builtin.ts'
import type { FieldType } from '../../../lib/kube-schema/schema.ts'
import { BARE, pruneCustom } from '../decoding/custom.ts'
import { shapeLikeGo } from '../decoding/go-shape.ts'
import { defaultCustom } from '../defaulting/structural.ts'
import type { Obj } from '../object.ts'
import { autoscalerToV1, autoscalerToV2 } from './autoscaler.ts'
import { apiVersionOf, type Resource } from '../resources/resource.ts'

/** The object in the version of `resource`, as its definition has it now; the same object when nothing changes. Never changes its argument. */
export function toVersion(resource: Resource, object: Obj): Obj {
  const wanted = apiVersionOf(resource)
  const isOther = object.apiVersion !== wanted
  if (resource.custom === undefined) return isOther ? convert(object, wanted) : object
  if (!isOther && (!resource.custom.isFitted || converted.has(object))) return object
  // Its definition may have got defaults, or lost fields, since it was written.
  const own = keptType(resource.custom, object.apiVersion, resource.storedVersion)
  const fitted = clone(object)
  pruneCustom(own, fitted, [])
  defaultCustom(own, fitted)
  if (!isOther) return fitted
  fitInto(resource.type, fitted, wanted)
  converted.add(fitted)
  return fitted
}

/** The fields of a version. One that is gone has those in which objects are kept now: what it held is not lost with it. */
function keptType({ versions }: NonNullable<Resource['custom']>, apiVersion: string, storedVersion: string): FieldType {
  return versions.get(apiVersion) ?? versions.get(storedVersion) ?? BARE
}

/** Custom resources that came from another version: of this one they get no defaults. */
const converted = new WeakSet<Obj>()

/** The object in the version in which it is kept. */
export function toStored(resource: Resource, object: Obj): Obj {
  if (object.apiVersion === resource.storedVersion) return object
  if (resource.custom === undefined) return convert(object, resource.storedVersion)
  return fitInto(resource.custom.versions.get(resource.storedVersion) ?? BARE, clone(object), resource.storedVersion)
}

/** The object as the version of `resource` shows it once it was kept: without what the kept version does not have. */
export function asKept(resource: Resource, object: Obj): Obj {
  const isOther = resource.custom !== undefined && object.apiVersion !== resource.storedVersion
  return isOther ? toVersion(resource, toStored(resource, object)) : object
}

/** Custom resources change their apiVersion (conversion None), and lose what the other version does not have. In place. */
function fitInto(type: FieldType, object: Obj, apiVersion: string): Obj {
  object.apiVersion = apiVersion
  pruneCustom(type, object, [])
  return object
}

/** Built-in kinds with two versions change their fields. */
function convert(object: Obj, apiVersion: string): Obj {
  if (object.kind === 'HorizontalPodAutoscaler' && object.apiVersion.startsWith('autoscaling/'))
    return inGoShape(apiVersion === 'autoscaling/v1' ? autoscalerToV1(clone(object)) : autoscalerToV2(clone(object)))
  if (object.kind === 'Event' && object.apiVersion === 'v1') return eventToNew(object)
  if (object.kind === 'Event' && object.apiVersion === 'events.k8s.io/v1') return eventToCore(object)
  return { ...object, apiVersion }
}

/** What one version leaves out when it is zero another always has. In place. */
function inGoShape(object: Obj): Obj {
  const type = schemaFor(object.apiVersion, object.kind)
  if (type !== undefined) shapeLikeGo(type, object)
  return object
}

function eventToNew(object: Obj): Obj {
  const { involvedObject, message, source, firstTimestamp, lastTimestamp, count, ...others } = object
  const { reportingComponent, reportingInstance, ...rest } = others
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
    reportingController: reportingComponent === '' ? undefined : reportingComponent,
    reportingInstance: reportingInstance === '' ? undefined : reportingInstance,
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
