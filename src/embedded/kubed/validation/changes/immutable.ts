import { internalForm } from '../../../../lib/kube-schema/go-types.ts'
import {
  at,
  equal,
  isObject,
  type Json,
  type JsonObject,
  listOf,
  objectOf,
  objectsOf,
} from '../../../../lib/kube/json.ts'
import { asGiven } from '../../decoding/emptied.ts'
import type { FieldError } from '../../fault.ts'
import { type Obj, specOf } from '../../object.ts'
import { checkClaimChange, claimText } from './claim-change.ts'
import { selectorText } from '../kinds/apps-checks.ts'
import { checkRanges } from '../kinds/other-checks.ts'
import { invalidValue } from '../fault-list.ts'
import { checkEventChange } from '../kinds/event-checks.ts'
import { checkAnnotationChange } from '../pods/annotation-checks.ts'
import { checkJobChange } from './job-change.ts'
import { checkNodeChange } from './node-change.ts'
import { checkPodChange } from './pod-change.ts'
import { checkServiceChange } from './service-change.ts'
import { checkVolumeChange } from './volume-change.ts'

const IMMUTABLE = 'field is immutable'

/** Paths that never change, by where the kind is kept; the first part is a field of the object. */
const FIXED: Readonly<Record<string, readonly string[]>> = {
  'apps/Deployment': ['spec.selector'],
  'apps/ReplicaSet': ['spec.selector'],
  'apps/DaemonSet': ['spec.selector'],
  'apps/StatefulSet': ['spec.selector', 'spec.volumeClaimTemplates', 'spec.serviceName', 'spec.podManagementPolicy'],
  'apps/ControllerRevision': ['data'],
  'batch/Job': [
    ...['spec.completionMode', 'spec.podFailurePolicy', 'spec.backoffLimitPerIndex', 'spec.managedBy'],
    'spec.successPolicy',
  ],
  'discovery.k8s.io/EndpointSlice': ['addressType'],
  'storage.k8s.io/StorageClass': ['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode'],
  'storage.k8s.io/CSIDriver': ['spec.attachRequired', 'spec.volumeLifecycleModes'],
  'storage.k8s.io/VolumeAttachment': ['spec'],
  'storage.k8s.io/CSIStorageCapacity': ['nodeTopology', 'storageClassName'],
  'networking.k8s.io/IPAddress': ['spec.parentRef'],
  'networking.k8s.io/IngressClass': ['spec.controller'],
  'node.k8s.io/RuntimeClass': ['handler'],
  'scheduling.k8s.io/PriorityClass': ['preemptionPolicy'],
  'certificates.k8s.io/PodCertificateRequest': ['spec'],
  '/Secret': ['type'],
}

/** Kinds of which changes are told before everything else. */
const FIRST = new Set([
  ...['apps/DaemonSet', 'networking.k8s.io/IngressClass', 'storage.k8s.io/VolumeAttributesClass'],
  ...['/Secret', '/ConfigMap', '/Service'],
])

/** True when the faults of a change come before those of the object itself. */
export function tellsChangesFirst(object: Obj): boolean {
  return FIRST.has(kindOf(object))
}

/** What else is checked when an object of a kind changes, before the fixed fields are. */
const CHANGES: Readonly<Record<string, (object: Obj, before: Obj, errors: FieldError[]) => void>> = {
  'batch/Job': checkJobChange,
  'events.k8s.io/Event': checkEventChange,
  'storage.k8s.io/CSINode': (object, before, errors) => {
    for (const { allocatable: _was, ...driver } of objectsOf(specOf(before).drivers))
      for (const { allocatable: _is, ...wanted } of objectsOf(specOf(object).drivers))
        if (wanted.name === driver.name && !isSemanticallyEqual(wanted, driver))
          invalidValue(errors, 'spec.drivers', internalForm('storage/CSINodeDriver', wanted), IMMUTABLE)
  },
  'storage.k8s.io/VolumeAttributesClass': (object, before, errors) => {
    for (const field of ['driverName', 'parameters'])
      if (!equal(object[field] ?? null, before[field] ?? null))
        errors.push({ field, type: 'Forbidden', message: `Forbidden: updates to ${field} are forbidden.` })
  },
  'networking.k8s.io/ServiceCIDR': (object, before, errors) => checkRangeChange(object, before, errors),
  '/Node': checkNodeChange,
  '/PersistentVolume': checkVolumeChange,
  '/PersistentVolumeClaim': checkClaimChange,
  '/Pod': (object, before, errors) => {
    checkAnnotationChange(object, before, errors)
    checkPodChange(specOf(object), specOf(before), errors)
  },
  '/Service': (object, before, errors) => checkServiceChange(specOf(object), specOf(before), errors),
  '/ResourceQuota': (object, before, errors) => {
    const [wanted, had] = [object, before].map((each) => new Set(listOf(specOf(each).scopes)))
    if (wanted?.size !== had?.size || [...(wanted ?? [])].some((scope) => had?.has(scope) !== true))
      invalidValue(errors, 'spec.scopes', givenSpec(object).scopes, IMMUTABLE)
  },
}

/** The spec as it was given, to be told of. */
const givenSpec = (object: Obj): JsonObject => objectOf(asGiven(specOf(object)))

/** A second range may be added, of the other family; those that are there stay. */
function checkRangeChange(object: Obj, before: Obj, errors: FieldError[]): void {
  const [wanted, had] = [object, before].map((each) => listOf(specOf(each).cidrs)) as [Json[], Json[]]
  const isAdded = had.length === 1 && wanted.length === 2
  if (!isAdded && wanted.length !== had.length)
    return invalidValue(errors, 'spec.cidrs', givenSpec(object).cidrs, IMMUTABLE)
  had.forEach((range, index) => {
    if (wanted[index] !== range) invalidValue(errors, `spec.cidrs[${index}]`, wanted[index], IMMUTABLE)
  })
  if (isAdded) checkRanges(specOf(object), 'spec', errors)
}

/** What is empty and what is not there are the same here. @see apiequality.Semantic.DeepEqual */
function isSemanticallyEqual(a: Json | undefined, b: Json | undefined): boolean {
  if (isBare(a) && isBare(b)) return true
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((each, index) => isSemanticallyEqual(each, b[index]))
  if (!isObject(a) || !isObject(b)) return equal(a ?? null, b ?? null)
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((name) => isSemanticallyEqual(a[name], b[name]))
}

const isBare = (value: Json | undefined): boolean =>
  value === undefined || value === null || (Array.isArray(value) && value.length === 0)

/** Faults of a change: what may not be changed. */
export function validateChange(object: Obj, before: Obj): FieldError[] {
  const errors: FieldError[] = []
  const bad = (field: string, type: FieldError['type'], message: string): void =>
    void errors.push({ field, type, message })
  const kind = kindOf(object)
  CHANGES[kind]?.(object, before, errors)
  if (kind === 'scheduling.k8s.io/PriorityClass' && (object.value ?? 0) !== (before.value ?? 0))
    bad('value', 'Forbidden', 'Forbidden: may not be changed in an update.')
  for (const path of FIXED[kind] ?? []) {
    const [wanted, had] = [at(object, ...path.split('.')), at(before, ...path.split('.'))]
    if (!isSemanticallyEqual(wanted, had))
      invalidValue(errors, TOLD_AS[path] ?? path, printed(kind, path, object), IMMUTABLE)
  }
  if ((kind === '/Secret' || kind === '/ConfigMap') && before.immutable === true) checkSealed(object, before, bad)
  if (/^rbac\.authorization\.k8s\.io\/(Cluster)?RoleBinding$/.test(kind) && !equal(object.roleRef, before.roleRef)) {
    const { apiGroup, kind: role, name } = objectOf(object.roleRef)
    invalidValue(errors, 'roleRef', { APIGroup: apiGroup, Kind: role, Name: name }, IMMUTABLE)
  }
  return errors
}

const kindOf = ({ apiVersion, kind }: Obj): string =>
  `${apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''}/${kind}`

/** Fields of which the server tells by another name. */
const TOLD_AS: Readonly<Record<string, string>> = { 'spec.attachRequired': 'spec.attachedRequired' }

const INTERNAL: Readonly<Record<string, string>> = {
  'spec.podFailurePolicy': 'batch/PodFailurePolicy',
  'spec.successPolicy': 'batch/SuccessPolicy',
}

/** Kinds of which a field is checked by its own declaration: the server tells of it without the value. */
const TOLD_WITHOUT_VALUE = new Set([
  'networking.k8s.io/IPAddress',
  'storage.k8s.io/StorageClass',
  'storage.k8s.io/VolumeAttachment',
  'discovery.k8s.io/EndpointSlice',
])

/** A value as the internal kind has it, where that differs. */
function printed(kind: string, path: string, object: Obj): Json | undefined {
  if (TOLD_WITHOUT_VALUE.has(kind)) return null
  const steps = path.split('.')
  if (path === 'spec.selector' || path === 'nodeTopology') return selectorText(at(object, ...steps))
  const value = at(objectOf(asGiven(object)), ...steps)
  if (path === 'spec.volumeClaimTemplates') return value === undefined ? null : objectsOf(value).map(claimText)
  if (path === 'spec.controller' || path === 'storageClassName') return value ?? ''
  const internal = INTERNAL[path]
  return internal === undefined || !isObject(value) ? value : internalForm(internal, value)
}

type Bad = (field: string, type: FieldError['type'], message: string) => void

function checkSealed(object: Obj, before: Obj, bad: Bad): void {
  const sealed = 'Forbidden: field is immutable when `immutable` is set'
  if (object.immutable !== true) bad('immutable', 'Forbidden', sealed)
  for (const field of ['data', 'binaryData'])
    if (!equal(object[field] ?? {}, before[field] ?? {})) bad(field, 'Forbidden', sealed)
}
