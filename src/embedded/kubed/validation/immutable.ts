import { at, equal, type Json, objectOf, objectsOf } from '../../../lib/kube/json.ts'
import type { FieldError } from '../fault.ts'
import { type Obj, specOf } from '../object.ts'
import { checkClaimChange, claimText } from './claim-change.ts'
import { invalidValue } from './fault-list.ts'
import { checkPodChange } from './pod-change.ts'

const IMMUTABLE = 'field is immutable'

/** Paths that never change, by where the kind is kept; the first part is a field of the object. */
const FIXED: Readonly<Record<string, readonly string[]>> = {
  'apps/Deployment': ['spec.selector'],
  'apps/ReplicaSet': ['spec.selector'],
  'apps/DaemonSet': ['spec.selector'],
  'apps/StatefulSet': ['spec.selector', 'spec.volumeClaimTemplates', 'spec.serviceName', 'spec.podManagementPolicy'],
  'batch/Job': [
    ...['spec.selector', 'spec.template', 'spec.completionMode', 'spec.podFailurePolicy'],
    ...['spec.backoffLimitPerIndex', 'spec.managedBy', 'spec.successPolicy'],
  ],
  'discovery.k8s.io/EndpointSlice': ['addressType'],
  'storage.k8s.io/StorageClass': ['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode'],
  'storage.k8s.io/CSIDriver': ['spec.attachRequired', 'spec.fsGroupPolicy', 'spec.volumeLifecycleModes'],
  'networking.k8s.io/IngressClass': ['spec.controller'],
  'node.k8s.io/RuntimeClass': ['handler'],
  'scheduling.k8s.io/PriorityClass': ['preemptionPolicy'],
  '/Secret': ['type'],
}

/** Faults of a change: what may not be changed. */
export function validateChange(object: Obj, before: Obj): FieldError[] {
  const errors: FieldError[] = []
  const bad = (field: string, type: FieldError['type'], message: string): void =>
    void errors.push({ field, type, message })
  const spec = specOf(object)
  const old = specOf(before)
  const group = object.apiVersion.includes('/') ? (object.apiVersion.split('/')[0] ?? '') : ''
  const kind = `${group}/${object.kind}`
  for (const path of FIXED[kind] ?? []) {
    const [wanted, had] = [at(object, ...path.split('.')), at(before, ...path.split('.'))]
    if (!equal(wanted, had)) invalidValue(errors, path, printed(path, wanted), IMMUTABLE)
  }
  if (kind === 'scheduling.k8s.io/PriorityClass' && (object.value ?? 0) !== (before.value ?? 0))
    bad('value', 'Forbidden', 'Forbidden: may not be changed in an update.')
  if (kind === '/Service') checkAddress(spec, old, bad)
  if ((kind === '/Secret' || kind === '/ConfigMap') && before.immutable === true) checkSealed(object, before, bad)
  if (/^rbac\.authorization\.k8s\.io\/(Cluster)?RoleBinding$/.test(kind) && !equal(object.roleRef, before.roleRef)) {
    const { apiGroup, kind: role, name } = objectOf(object.roleRef)
    invalidValue(errors, 'roleRef', { APIGroup: apiGroup, Kind: role, Name: name }, IMMUTABLE)
  }
  if (kind === '/PersistentVolumeClaim') checkClaimChange(object, before, errors)
  if (kind === '/Pod') checkPodChange(spec, old, errors)
  return errors
}

/** A value as the internal kind has it, where that differs. */
function printed(path: string, value: Json | undefined): Json | undefined {
  return path === 'spec.volumeClaimTemplates' ? objectsOf(value).map(claimText) : value
}

type Bad = (field: string, type: FieldError['type'], message: string) => void

function checkAddress(spec: ReturnType<typeof specOf>, old: ReturnType<typeof specOf>, bad: Bad): void {
  const stays = spec.type !== 'ExternalName' && old.type !== 'ExternalName'
  const [wanted, had] = [spec.clusterIP, old.clusterIP]
  if (!stays || wanted === undefined || wanted === '' || had === undefined || had === '' || wanted === had) return
  bad('spec.clusterIPs[0]', 'Invalid', `Invalid value: ${JSON.stringify([wanted])}: may not change once set`)
}

function checkSealed(object: Obj, before: Obj, bad: Bad): void {
  const sealed = 'Forbidden: field is immutable when `immutable` is set'
  if (object.immutable !== true) bad('immutable', 'Forbidden', sealed)
  for (const field of ['data', 'binaryData'])
    if (!equal(object[field] ?? {}, before[field] ?? {})) bad(field, 'Forbidden', sealed)
}
