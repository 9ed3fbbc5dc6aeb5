import { definitionType } from '../../../lib/kube-schema/builtin.ts'
import type { JsonObject } from '../../../lib/kube/json.ts'
import { admitGrowth } from '../admission/claim-resize.ts'
import { checkLimits } from '../admission/limit-ranger.ts'
import { protectInUse } from '../admission/in-use-protection.ts'
import { taintNew } from '../admission/node-taints.ts'
import { admitChangedPod, admitPod } from '../admission/pod.ts'
import { mutateByPolicies } from '../admission/policies/mutating.ts'
import { validateByPolicies } from '../admission/policies/validating.ts'
import { confirmNoEscalation } from '../authorization/escalation.ts'
import { admitSigningRequest } from '../authorization/signers.ts'
import { admitToQuota } from '../admission/resource-quota.ts'
import { admitPodSecurity } from '../admission/pod-security/admit.ts'
import { checkOverhead } from '../admission/runtime-class.ts'
import { allocateService } from '../admission/service.ts'
import type { Call } from '../request/call.ts'
import { dropGated, forgetEmpty } from '../decoding/stored-form.ts'
import { defaultCustom, shapeLikeGo } from '../decoding/typed.ts'
import { applyDefaults } from '../defaulting/apply.ts'
import type { Environment } from '../environment.ts'
import { type FieldError, invalid } from '../fault.ts'
import type { Obj } from '../object.ts'
import { randomSuffix } from '../admission/random-name.ts'
import { type Resource, SIGNING_REQUESTS, writesStatus } from '../resources/resource.ts'
import { stampTemplate } from '../strategies/daemon-sets.ts'
import { countGeneration, startGeneration } from '../strategies/generations.ts'
import { keepUnwritten } from '../strategies/keep.ts'
import { strategyOf } from '../strategies/strategy.ts'
import { validateObject } from '../validation/validate.ts'
import { warningsOf } from '../warnings/warnings.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/** True when status is written through its own subresource only. */
function hasStatus(resource: Resource): boolean {
  return resource.subresources.has('status')
}

/** Defaults and shape, before ownership is counted: what admission and the server add later belongs to nobody. In place. */
export function defaultObject(resource: Resource, object: Obj): void {
  if (resource.custom === undefined) {
    if (resource.storageKey === 'apps/daemonsets') stampTemplate(object)
    applyDefaults(resource.type, object)
    shapeLikeGo(resource.type, object)
    object.metadata.name ??= ''
  } else {
    defaultCustom(resource.type, object)
    shapeMeta(object)
  }
}

/** Server-given values, admission and validation of a new, defaulted object. In place. */
export function prepareNew(env: Environment, call: Call, object: Obj): void {
  const { resource } = call
  const strategy = strategyOf(resource)
  if (resource.custom === undefined) dropGated(resource.type, object)
  if (hasStatus(resource) && resource.kind !== 'Node') resetStatus(resource, object)
  // what admits comes before the name: its refusals tell of the beginning that was sent
  if (resource.storageKey === '/pods') admitPod(env, call, object)
  generateName(env, object)
  startGeneration(resource, object)
  strategy.forCreate?.(object, { user: call.user, nowMs: env.nowMs(), subresource: call.subresource })
  protectInUse(resource, object)
  if (resource.storageKey === '/nodes') taintNew(object)
  settle(env, call, object, undefined)
  // Reading it again from where it is kept sets what depends on what was added.
  strategy.afterCreate?.(object)
  if (resource.custom === undefined) forgetEmpty(resource.type, object)
}

function generateName(env: Environment, { metadata }: Obj): void {
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

/** Carried-over values and validation of a changed, defaulted object. In place. */
export function prepareChanged(env: Environment, call: Call, object: Obj, before: Obj): void {
  const { resource, subresource } = call
  if (resource.custom === undefined) dropGated(resource.type, object)
  keepUnwritten(resource, subresource, object, before)
  if (resource.storageKey === '/pods' && subresource === '') admitChangedPod(env, object, before)
  strategyOf(resource).forUpdate?.(object, before, { user: call.user, nowMs: env.nowMs(), subresource })
  settle(env, call, object, before)
  if (resource.custom === undefined) forgetEmpty(resource.type, object)
  if (!writesStatus(subresource)) countGeneration(resource, object, before)
}

function settle(env: Environment, call: Call, object: Obj, before: Obj | undefined): void {
  const { resource } = call
  const attempt = { call, operation: before === undefined ? 'CREATE' : 'UPDATE', object, before } as const
  mutateByPolicies(env, attempt, (changed) => defaultObject(resource, changed))
  confirmNoEscalation(env, call, object, before)
  // Whoever creates a service by its status, which the server lets, gets one without an address.
  const takes = resource.storageKey === '/services' && !(before === undefined && writesStatus(call.subresource))
  const errors: FieldError[] = takes ? allocateService(env, object, before, call.dryRun) : []
  if (errors.length === 0) errors.push(...validateObject(call, object, before))
  // New events are told by the name that they had before they had a group.
  const { kind, group } = resource
  const told = { kind, group: resource.storageKey === '/events' ? '' : group }
  if (errors.length > 0) throw invalid(told, object.metadata.name, errors)
  // Whoever writes a status alone is not warned of the rest; who is refused by what follows, is.
  if (!writesStatus(call.subresource)) call.warnings.push(...warningsOf(resource, object, before))
  if (before !== undefined && !env.disabledPlugins.has('PersistentVolumeClaimResize'))
    admitGrowth(env, call, object, before)
  if (!env.disabledPlugins.has('LimitRanger')) checkLimits(env, call, object, before)
  if (!env.disabledPlugins.has('PodSecurity')) admitPodSecurity(env, call, object, before)
  if (before === undefined && resource.storageKey === '/pods') checkOverhead(env, resource, object)
  if (resource.storageKey === SIGNING_REQUESTS) admitSigningRequest(env, call, object, before)
  validateByPolicies(env, attempt)
  admitToQuota(env, call, object, before)
}

function shapeMeta(object: Obj): void {
  const type = definitionType(META)
  if (type !== undefined) shapeLikeGo(type, object.metadata)
}
