import { clone, equal, type Json, type JsonObject, objectOf, objectsOf } from '../../../lib/kube/json.ts'
import type { FieldError } from '../fault.ts'
import { type Obj, specOf } from '../object.ts'

const IMMUTABLE = 'field is immutable'

/** Fields of spec that never change, by kind. */
const FIXED: Readonly<Record<string, readonly string[]>> = {
  Deployment: ['selector'],
  ReplicaSet: ['selector'],
  DaemonSet: ['selector'],
  Job: ['selector', 'completionMode', 'template'],
}
const STATEFUL_CHANGES = new Set([
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
])

/** Faults of a change: what may not be changed. */
export function validateChange(object: Obj, before: Obj): FieldError[] {
  const errors: FieldError[] = []
  const bad = (field: string, type: FieldError['type'], message: string): void =>
    void errors.push({ field, type, message })
  const spec = specOf(object)
  const old = specOf(before)
  for (const field of object.apiVersion.startsWith('apps/') || object.apiVersion.startsWith('batch/')
    ? (FIXED[object.kind] ?? [])
    : [])
    if (!equal(spec[field], old[field]))
      bad(`spec.${field}`, 'Invalid', `Invalid value: ${JSON.stringify(spec[field])}: ${IMMUTABLE}`)
  if (
    object.kind === 'StatefulSet' &&
    Object.keys({ ...spec, ...old }).some((field) => !STATEFUL_CHANGES.has(field) && !equal(spec[field], old[field]))
  )
    bad(
      'spec',
      'Forbidden',
      "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    )
  if (object.kind === 'Service') checkAddress(spec, old, bad)
  if (object.kind === 'Secret' && object.type !== before.type)
    bad('type', 'Invalid', `Invalid value: ${JSON.stringify(object.type)}: ${IMMUTABLE}`)
  if ((object.kind === 'Secret' || object.kind === 'ConfigMap') && before.immutable === true)
    checkSealed(object, before, bad)
  if (/^(Cluster)?RoleBinding$/.test(object.kind) && !equal(object.roleRef, before.roleRef)) {
    const { apiGroup, kind, name } = objectOf(object.roleRef)
    bad(
      'roleRef',
      'Invalid',
      `Invalid value: ${JSON.stringify({ APIGroup: apiGroup, Kind: kind, Name: name })}: field is immutable`,
    )
  }
  if (object.kind === 'Pod' && object.apiVersion === 'v1') checkDeadline(spec, old, bad)
  if (object.kind === 'Pod' && object.apiVersion === 'v1' && !equal(frozen(object), frozen(before)))
    bad(
      'spec',
      'Forbidden',
      'Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
    )
  return errors
}

type Bad = (field: string, type: FieldError['type'], message: string) => void

function checkAddress(spec: ReturnType<typeof specOf>, old: ReturnType<typeof specOf>, bad: Bad): void {
  const stays = spec.type !== 'ExternalName' && old.type !== 'ExternalName'
  const [wanted, had] = [spec.clusterIP, old.clusterIP]
  if (!stays || wanted === undefined || wanted === '' || had === undefined || had === '' || wanted === had) return
  bad('spec.clusterIPs[0]', 'Invalid', `Invalid value: ${JSON.stringify([wanted])}: may not change once set`)
}

function checkDeadline(spec: JsonObject, old: JsonObject, bad: Bad): void {
  const field = 'spec.activeDeadlineSeconds'
  const [wanted, had] = [spec.activeDeadlineSeconds, old.activeDeadlineSeconds]
  if (typeof had !== 'number' || wanted === had) return
  if (typeof wanted !== 'number')
    bad(field, 'Invalid', 'Invalid value: null: must not update from a positive integer to nil value')
  else if (wanted > had) bad(field, 'Invalid', `Invalid value: ${wanted}: must be less than or equal to previous value`)
}

function checkSealed(object: Obj, before: Obj, bad: Bad): void {
  const sealed = 'Forbidden: field is immutable when `immutable` is set'
  if (object.immutable !== true) bad('immutable', 'Forbidden', sealed)
  for (const field of ['data', 'binaryData'])
    if (!equal(object[field] ?? {}, before[field] ?? {})) bad(field, 'Forbidden', sealed)
}

/** The spec of a pod without what may change. */
function frozen(pod: Obj): Json {
  const {
    activeDeadlineSeconds: _deadline,
    tolerations: _tolerations,
    schedulingGates: _gates,
    ephemeralContainers: _debug,
    ...spec
  } = clone(specOf(pod))
  for (const list of ['containers', 'initContainers'])
    for (const container of objectsOf(spec[list])) delete container.image
  return spec
}
