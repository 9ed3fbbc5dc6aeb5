import type { FieldType } from '../../../lib/kube-schema/schema.ts'
import { isObject, type Json, type JsonObject } from '../../../lib/kube/json.ts'

/**
 * Fields behind feature gates that are off in this version of Kubernetes: they are read and owned, and never kept.
 *
 * @see k8s.io/kubernetes/pkg/features/kube_features.go, and the dropDisabledFields of the kinds
 */
const GATED: Readonly<Record<string, readonly string[]>> = {
  'batch.v1.JobSpec': ['scheduling'],
  'coordination.v1.LeaseSpec': ['strategy', 'preferredHolder'],
  'core.v1.ConfigMapVolumeSource': ['defaultUser'],
  'core.v1.DownwardAPIVolumeFile': ['user'],
  'core.v1.DownwardAPIVolumeSource': ['defaultUser'],
  'core.v1.EmptyDirVolumeSource': ['mode'],
  'core.v1.GRPCAction': ['mode'],
  'core.v1.HTTPGetAction': ['protocol'],
  'core.v1.KeyToPath': ['user'],
  'core.v1.Lifecycle': ['stopSignal'],
  'core.v1.NodeSpec': ['configSource', 'podPreemptionPolicy'],
  'core.v1.NodeStatus': ['config'],
  'core.v1.PodSpec': ['schedulingGroup', 'evictionResponders'],
  'core.v1.ProjectedVolumeSource': ['defaultUser'],
  'core.v1.SecretVolumeSource': ['defaultUser'],
  'core.v1.ServiceAccountTokenProjection': ['user'],
  'core.v1.ClusterTrustBundleProjection': ['user'],
  'core.v1.PodCertificateProjection': ['user'],
  'core.v1.VolumeMount': ['bindMountOptions'],
  'resource.v1.DeviceAttribute': ['ints', 'bools', 'strings', 'versions'],
  'resource.v1.DeviceCounterConsumption': ['compatibilityGroups'],
  'resource.v1.Device': ['nodeAllocatableResources'],
  'resource.v1.DeviceRequestAllocationResult': ['skipNodeOperations'],
  'resource.v1.DeviceSubRequest': ['derivedAttributes'],
  'resource.v1.ExactDeviceRequest': ['derivedAttributes'],
  'resource.v1.ResourceSliceSpec': ['partitionTypeAttribute', 'skipNodeOperations'],
}

/** The fields of a type that are to be treated, and where below it there are more: where nothing is, nobody looks. */
type Plan = {
  readonly fields: readonly string[]
  readonly into: ReadonlyMap<string, Plan>
  /** Of a map or a list, all values. */
  readonly each: Plan | undefined
}

type Treat = (value: JsonObject, field: string) => void

/** Drops the fields whose gates are off from an object of a built-in kind. In place. */
export const dropGated = treatment(
  ({ shortName }) => GATED[shortName] ?? [],
  (value, field) => {
    if (value[field] !== undefined) delete value[field]
  },
)

/** What is stored forgets the difference between an empty list or map and none, where a field is always there. In place. */
export const forgetEmpty = treatment(
  (type) => (type.schema['x-go']?.V ?? []).filter((name) => isCollection(type.child(name))),
  (value, field) => {
    if (isBare(value[field])) value[field] = null
  },
)

function treatment(
  fieldsOf: (type: FieldType) => readonly string[],
  treat: Treat,
): (type: FieldType, object: JsonObject) => void {
  const plans = new WeakMap<FieldType['schema'], Plan | null>()
  return (type, object) => {
    const plan = planOf(type, fieldsOf, plans)
    if (plan !== null) follow(plan, object, treat)
  }
}

function follow(plan: Plan, value: Json, treat: Treat): void {
  if (Array.isArray(value)) {
    if (plan.each !== undefined) for (const item of value) follow(plan.each, item, treat)
    return
  }
  if (!isObject(value)) return
  for (const field of plan.fields) treat(value, field)
  for (const [name, below] of plan.into) {
    const field = value[name]
    if (field !== undefined && field !== null) follow(below, field, treat)
  }
  if (plan.each !== undefined)
    for (const name in value) {
      const field = value[name]
      if (field !== undefined) follow(plan.each, field, treat)
    }
}

function isBare(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.length === 0
  return isObject(value) && Object.keys(value).length === 0
}

/** Remembered before it is whole: a type may hold itself, and is looked into as far as its values go. */
function planOf(
  type: FieldType,
  fieldsOf: (type: FieldType) => readonly string[],
  plans: WeakMap<FieldType['schema'], Plan | null>,
): Plan | null {
  const known = plans.get(type.schema)
  if (known !== undefined) return known
  const into = new Map<string, Plan>()
  const plan: { -readonly [part in keyof Plan]: Plan[part] } = { fields: fieldsOf(type), into, each: undefined }
  plans.set(type.schema, plan)
  const whole = type.kind === 'list' ? type.element : type.names.length === 0 ? type.child('') : undefined
  plan.each = (whole === undefined ? null : planOf(whole, fieldsOf, plans)) ?? undefined
  for (const name of type.names) {
    const child = type.child(name)
    const below = child === undefined || name === 'metadata' ? null : planOf(child, fieldsOf, plans)
    if (below !== null) into.set(name, below)
  }
  const isIdle = plan.fields.length === 0 && into.size === 0 && plan.each === undefined
  if (isIdle) plans.set(type.schema, null)
  return isIdle ? null : plan
}

const isCollection = (type: FieldType | undefined): boolean =>
  type !== undefined &&
  (type.kind === 'list' || (type.kind === 'map' && type.names.length === 0 && type.special === undefined))
