import { internalForm } from '../../../../lib/kube-schema/go-types.ts'
import { equal, type Json, type JsonObject, objectOf } from '../../../../lib/kube/json.ts'
import { asGiven } from '../../decoding/emptied.ts'
import type { FieldError } from '../../fault.ts'
import { type Obj, specOf } from '../../object.ts'
import { unifiedDiff } from './diff-text.ts'
import { forbid, invalidValue } from '../fault-list.ts'
import { amountOf } from '../pods/resource-checks.ts'

const WHY = 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'

/** Faults of a changed claim. @see k8s.io/kubernetes/pkg/apis/core/validation ValidatePersistentVolumeClaimUpdate */
export function checkClaimChange(claim: Obj, before: Obj, errors: FieldError[]): void {
  const [spec, old] = [specOf(claim), specOf(before)]
  const isBound = objectOf(before.status).phase === 'Bound'
  const last: JsonObject = { ...old, volumeName: old.volumeName ?? spec.volumeName }
  const storageOf = (of: JsonObject): Json | undefined => objectOf(objectOf(of.resources).requests).storage
  const withWhatMayChange = (wanted: JsonObject): JsonObject => {
    const next = { ...wanted }
    if (old.storageClassName === undefined) delete next.storageClassName
    if (!isBound) return next
    const resources = objectOf(wanted.resources)
    const requests = resources.requests && { ...objectOf(resources.requests), storage: storageOf(old) }
    return {
      ...next,
      volumeAttributesClassName: old.volumeAttributesClassName,
      resources: { ...resources, ...(requests === undefined ? {} : { requests }) },
    }
  }
  if (!equal(claimSpecText(withWhatMayChange(spec)), claimSpecText(last))) {
    const told = claimSpecText(withWhatMayChange(objectOf(asGiven(spec))))
    forbid(errors, 'spec', `${WHY}\n${unifiedDiff(lines(claimSpecText(last)), lines(told))}`)
  }
  const [had, wants] = [amountOf(storageOf(old)), amountOf(storageOf(spec))]
  const filled = amountOf(objectOf(objectOf(before.status).capacity).storage)?.nano ?? 0n
  const wanted = wants?.nano ?? 0n
  if (had !== undefined && wanted < had.nano && wanted <= filled)
    forbid(errors, 'spec.resources.requests.storage', 'field can not be less than status.capacity')
  if (!equal(spec.volumeMode, old.volumeMode)) invalidValue(errors, 'volumeMode', spec.volumeMode, 'field is immutable')
}

const lines = (value: JsonObject): string[] => JSON.stringify(value, undefined, 1).split('\n')

/** The spec as the internal kind has it: every field, in its order. */
const claimSpecText = (spec: JsonObject): JsonObject => internalForm('core/PersistentVolumeClaimSpec', spec)

/** A claim of a stateful set as the internal kind has it. */
export function claimText(claim: JsonObject): JsonObject {
  return internalForm('core/PersistentVolumeClaim', claim)
}
