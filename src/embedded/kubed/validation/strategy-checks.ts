import { type Json, type JsonObject, objectOf } from '../../../lib/kube/json.ts'
import type { FieldError } from '../fault.ts'
import { push } from './fault-list.ts'

/** How a StatefulSet updates its pods. */
export function checkStatefulStrategy(spec: JsonObject, path: string, errors: FieldError[]): void {
  const { podManagementPolicy } = spec
  if (podManagementPolicy !== 'OrderedReady' && podManagementPolicy !== 'Parallel')
    invalid(errors, `${path}.podManagementPolicy`, podManagementPolicy, "must be 'OrderedReady' or 'Parallel'")
  const { type, rollingUpdate } = objectOf(spec.updateStrategy)
  const { partition, maxUnavailable } = objectOf(rollingUpdate)
  const at = `${path}.updateStrategy`
  if (type === 'OnDelete' && rollingUpdate !== undefined) {
    const value = { Partition: partition ?? null, MaxUnavailable: maxUnavailable ?? null }
    invalid(errors, `${at}.rollingUpdate`, value, "only allowed for updateStrategy 'RollingUpdate'")
  } else if (type !== 'OnDelete' && type !== 'RollingUpdate')
    invalid(errors, at, { Type: type ?? '', RollingUpdate: null }, "must be 'RollingUpdate' or 'OnDelete'")
  if (isNegative(partition)) invalid(errors, `${at}.rollingUpdate.partition`, partition, NOT_NEGATIVE)
  if (isNought(maxUnavailable)) invalid(errors, `${at}.rollingUpdate.maxUnavailable`, maxUnavailable, 'cannot be 0')
  const { start } = objectOf(spec.ordinals)
  if (isNegative(start)) invalid(errors, `${path}.ordinals.start`, start, NOT_NEGATIVE)
}

/** How a DaemonSet updates its pods. */
export function checkDaemonStrategy(spec: JsonObject, path: string, errors: FieldError[]): void {
  const { type, rollingUpdate } = objectOf(spec.updateStrategy)
  const { maxSurge, maxUnavailable } = objectOf(rollingUpdate)
  const at = `${path}.updateStrategy`
  if (type !== 'OnDelete' && type !== 'RollingUpdate') {
    const value = JSON.stringify({ Type: type ?? '', RollingUpdate: null })
    const message = `Unsupported value: ${value}: supported values: "RollingUpdate", "OnDelete"`
    push(errors, at, 'NotSupported', message)
  }
  if (type !== 'RollingUpdate') return
  if (isNought(maxSurge) && isNought(maxUnavailable)) {
    const message = 'Required value: cannot be 0 when maxSurge is 0'
    push(errors, `${at}.rollingUpdate.maxUnavailable`, 'Required', message)
  }
  if (maxSurge !== undefined && !isNought(maxSurge) && !isNought(maxUnavailable))
    invalid(errors, `${at}.rollingUpdate.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero')
}

const NOT_NEGATIVE = 'must be greater than or equal to 0'

function invalid(errors: FieldError[], field: string, value: Json | undefined, why: string): void {
  push(errors, field, 'Invalid', `Invalid value: ${JSON.stringify(value ?? '')}: ${why}`)
}

function isNegative(value: Json | undefined): boolean {
  return typeof value === 'number' && value < 0
}

function isNought(value: Json | undefined): boolean {
  return value === 0 || value === '0%'
}
