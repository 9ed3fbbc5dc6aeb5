import { type Json, type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../../../../lib/kube/json.ts'
import { labelKeyErrors } from '../../../../lib/kube/names.ts'
import type { FieldError } from '../../fault.ts'
import { type Check, duplicate, invalidFor, invalidValue, unsupported } from '../fault-list.ts'
import { amountOf, checkAmount } from '../pods/resource-checks.ts'

const NANO = 1_000_000_000n
const RESIZES = [
  ...['ControllerResizeInProgress', 'ControllerResizeInfeasible'],
  ...['NodeResizeInProgress', 'NodeResizeInfeasible', 'NodeResizePending'],
]
const FEATURE = /^[A-Z][a-zA-Z0-9]*(\/[a-zA-Z][a-zA-Z0-9]*)*$/
const LONGEST_FEATURE = 253

/** What a node has is looked at when it comes, too: it brings its status along. */
export const NODE_CHECKS: Readonly<Record<string, Check>> = {
  'core.v1.Node': ({ status }, _path, errors, below) => {
    below('spec')
    checkNodeAmounts(objectOf(status), errors)
  },
}

/** Faults of a node's status that is written. @see k8s.io/kubernetes/pkg/apis/core/validation ValidateNodeUpdate */
export function checkNodeStatus({ status }: JsonObject, errors: FieldError[]): void {
  checkNodeAmounts(objectOf(status), errors)
  const seen = new Set<string>()
  objectsOf(objectOf(status).addresses).forEach(({ type, address }, index) => {
    const shown = { Type: stringOf(type), Address: stringOf(address) }
    const text = JSON.stringify(shown)
    if (seen.has(text)) duplicate(errors, `status.addresses[${index}]`, shown)
    seen.add(text)
  })
}

function checkNodeAmounts(status: JsonObject, errors: FieldError[]): void {
  for (const field of ['capacity', 'allocatable'])
    for (const [name, amount] of entriesOf(status[field])) checkAmount(name, amount, `status.${field}.${name}`, errors)
  checkFeatures(listOf(status.declaredFeatures).map(stringOf), 'status.declaredFeatures', errors)
}

/** Features by name, in order, each once. */
function checkFeatures(features: readonly string[], path: string, errors: FieldError[]): void {
  features.forEach((feature, index) => {
    const why = featureFault(feature)
    if (why !== undefined) invalidValue(errors, `${path}[${index}]`, feature, why)
    const next = features[index + 1]
    const at = `${path}[${index + 1}]`
    if (next === feature) duplicate(errors, at, next)
    else if (next !== undefined && next < feature) invalidValue(errors, at, next, 'list must be sorted alphabetically')
  })
}

function featureFault(name: string): string | undefined {
  const shown = `invalid feature name ${JSON.stringify(name)}`
  if (name.length > LONGEST_FEATURE) return `${shown}: must be no more than ${LONGEST_FEATURE} characters`
  if (FEATURE.test(name)) return undefined
  return `${shown}: must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes`
}

/** Faults of a claim's status that is written. @see k8s.io/kubernetes/pkg/apis/core/validation ValidatePersistentVolumeClaimStatusUpdate */
export function checkClaimStatus({ status }: JsonObject, errors: FieldError[]): void {
  const { capacity, allocatedResourceStatuses, allocatedResources } = objectOf(status)
  for (const [name, amount] of entriesOf(capacity)) checkWhole(amount, `status.capacity[${name}]`, errors)
  const states = 'status.allocatedResourceStatuses'
  for (const [name, state] of entriesOf(allocatedResourceStatuses)) {
    checkClaimResource(name, states, errors)
    // the server tells of the resource, not of its state
    if (!RESIZES.includes(stringOf(state))) unsupported(errors, states, name, RESIZES)
  }
  const at = 'status.allocatedResources'
  for (const [name, amount] of entriesOf(allocatedResources))
    if (checkClaimResource(name, at, errors) && checkWhole(amount, `${at}[${name}]`, errors))
      checkAmount('storage', amount, `${at}[${name}]`, errors)
}

const entriesOf = (map: Json | undefined): [string, Json][] =>
  Object.entries(objectOf(map)).flatMap(([name, value]): [string, Json][] =>
    value === undefined ? [] : [[name, value]],
  )

/** Of the resources that are Kubernetes' own a claim has storage alone. */
function checkClaimResource(name: string, path: string, errors: FieldError[]): boolean {
  const reasons = labelKeyErrors(name)
  invalidFor(errors, path, name, reasons)
  if (reasons.length > 0) return false
  if (name === 'storage' || (name.includes('/') && !name.includes('kubernetes.io/'))) return true
  unsupported(errors, path, name, ['storage'])
  return false
}

function checkWhole(amount: Json, path: string, errors: FieldError[]): boolean {
  const nano = amountOf(amount)?.nano ?? 0n
  // rounded up, so that less than one below nothing is nothing
  if (nano > -NANO) return true
  errors.push({
    field: path,
    type: 'Invalid',
    message: `Invalid value: ${nano / NANO}: must be a valid resource quantity`,
  })
  return false
}
