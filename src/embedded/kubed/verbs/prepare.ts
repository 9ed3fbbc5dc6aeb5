import { type JsonObject, stringOf } from '../../../lib/kube/json.ts'
import type { Write } from '../admission/attempt.ts'
import { admitChanges, admitWrite } from '../admission/plugins.ts'
import { podCertificateStatusFaults } from '../admission/signing-requests.ts'
import { randomSuffix } from '../admission/random-name.ts'
import { allocateService } from '../admission/service.ts'
import { authorize } from '../authorization/authorize.ts'
import { confirmNoEscalation } from '../authorization/escalation.ts'
import type { Call } from '../request/call.ts'
import { dropGated, forgetEmpty } from '../decoding/stored-form.ts'
import { shapeLikeGo } from '../decoding/go-shape.ts'
import { defaultCustom } from '../defaulting/structural.ts'
import { type Environment, timestamp } from '../environment.ts'
import { type FieldError, invalid } from '../fault.ts'
import type { Meta, Obj } from '../object.ts'
import { saidOptions } from '../request/write-options.ts'
import { type Resource, writesStatus } from '../resources/resource.ts'
import { countGeneration, startGeneration } from '../strategies/generations.ts'
import { keepUnwritten } from '../strategies/keep.ts'
import { type StrategyWrite, strategyOf } from '../strategies/strategy.ts'
import { validateObject } from '../validation/validate.ts'
import { warningsOf } from '../warnings/warnings.ts'

/** True when status is written through its own subresource only. */
function hasStatus(resource: Resource): boolean {
  return resource.subresources.has('status')
}

/** Admission, server-given values and validation of a new, defaulted object. In place. */
export function prepareNew(env: Environment, call: Call, object: Obj): void {
  const { resource } = call
  const write: Write = { call, operation: 'CREATE', object, before: undefined, options: saidOptions(call) }
  const strategy = strategyOf(resource)
  // its refusals tell of the beginning of a name that was sent
  admitChanges(env, write)
  stampNew(env, object)
  if (resource.custom === undefined) dropGated(resource.type, object)
  if (hasStatus(resource) && resource.kind !== 'Node') resetStatus(resource, object)
  startGeneration(resource, object)
  strategy.forCreate?.(object, asWritten(env, call))
  validate(env, write)
  if (call.method !== 'POST') confirmCreation(env, call)
  admitWrite(env, write)
  strategy.afterCreate?.(object)
  if (resource.custom === undefined) forgetEmpty(resource.type, object)
}

/**
 * Who creates by an update or an apply may create, too.
 *
 * @throws Fault 403
 * @see k8s.io/apiserver/pkg/endpoints/handlers/update.go withAuthorization
 */
function confirmCreation(env: Environment, { user, resource, subresource, namespace, name }: Call): void {
  authorize(env, user, {
    verb: 'create',
    ...{ group: resource.group, resource: resource.plural, subresource, namespace, name },
  })
}

/** What strategies are told of a write. */
const asWritten = (env: Environment, { user, subresource, warnings }: Call): StrategyWrite => ({
  user,
  nowMs: env.nowMs(),
  subresource,
  warnings,
})

/** The name, identity and age of a new object. In place. */
function stampNew(env: Environment, { metadata }: Obj): void {
  metadata.uid = env.uuid()
  metadata.creationTimestamp = timestamp(env.nowMs())
  const { name, generateName: prefix = '' } = metadata
  if (name === '' && prefix !== '') metadata.name = prefix.slice(0, 58) + randomSuffix(env)
}

function resetStatus(resource: Resource, object: Obj): void {
  delete object.status
  // A custom resource is stored without status, and read with the defaults of its schema.
  if (resource.custom !== undefined) return defaultCustom(resource.type, object)
  const status: JsonObject = resource.storageKey.startsWith('/persistentvolume') ? { phase: 'Pending' } : {}
  const type = resource.type.child('status')
  if (type !== undefined) shapeLikeGo(type, status)
  object.status = status
}

/** Admission, carried-over values and validation of a changed, defaulted object, of which some faults are known. In place. */
export function prepareChanged(
  env: Environment,
  call: Call,
  object: Obj,
  before: Obj,
  known: readonly FieldError[],
): void {
  const { resource, subresource } = call
  const write: Write = { call, operation: 'UPDATE', object, before, options: saidOptions(call) }
  admitChanges(env, write)
  keepServerMeta(object.metadata, before.metadata)
  if (resource.custom === undefined) dropGated(resource.type, object)
  keepUnwritten(resource, subresource, object, before)
  strategyOf(resource).forUpdate?.(object, before, asWritten(env, call))
  validate(env, write, known)
  admitWrite(env, write)
  if (resource.custom === undefined) forgetEmpty(resource.type, object)
  if (!writesStatus(subresource)) countGeneration(resource, object, before)
}

function keepServerMeta(metadata: Meta, before: Meta): void {
  for (const field of [
    'uid',
    'creationTimestamp',
    'generation',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'namespace',
    'resourceVersion',
    'name',
    'selfLink',
  ])
    if (before[field] === undefined) delete metadata[field]
    else metadata[field] = before[field]
}

/** Refuses what breaks a rule, with every fault; warns of what is allowed and unwise. */
function validate(env: Environment, write: Write, known: readonly FieldError[] = []): void {
  const { call, object, before } = write
  const { resource } = call
  confirmNoEscalation(env, call, object, before)
  // Whoever creates a service by its status, which the server lets, gets one without an address.
  const takes = resource.storageKey === '/services' && !(before === undefined && writesStatus(call.subresource))
  const refused: FieldError[] = takes ? allocateService(env, object, before, call.dryRun) : []
  const errors = [...known, ...(refused.length > 0 ? refused : validateObject(call, object, before))]
  if (errors.length === 0) errors.push(...podCertificateStatusFaults(env, write))
  // New events are told by the name that they had before they had a group.
  const { kind, group } = resource
  const told = { kind, group: resource.storageKey === '/events' ? '' : group }
  if (errors.length > 0) throw invalid(told, stringOf(object.metadata.name), errors)
  // Whoever writes a status alone is not warned of the rest; who is refused by what follows, is.
  if (!writesStatus(call.subresource)) call.warnings.push(...warningsOf(resource, object, before))
}
