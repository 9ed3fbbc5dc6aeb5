import type { Environment } from '../environment.ts'
import type { Obj } from '../object.ts'
import type { Call } from '../request/call.ts'
import { RESIZE, SIGNING_REQUESTS } from '../resources/resource.ts'
import type { Write } from './attempt.ts'
import { admitGrowth } from './claim-resize.ts'
import { protectInUse } from './in-use-protection.ts'
import { applyLimitDefaults, checkLimits } from './limit-ranger.ts'
import { taintNew } from './node-taints.ts'
import { admitPodSecurity } from './pod-security/admit.ts'
import { mutateByPolicies } from './policies/mutating.ts'
import { validateByPolicies } from './policies/validating.ts'
import { addPriority, keepPriority } from './priority.ts'
import { randomSuffix } from './random-name.ts'
import { admitToQuota } from './resource-quota.ts'
import { applyRuntimeClass, checkOverhead } from './runtime-class.ts'
import { admitAccount } from './service-account.ts'
import { admitApproval, admitSigning, admitSubject } from './signing-requests.ts'
import { tolerateForAWhile } from './tolerations.ts'
import { labelByTopology } from './topology-labels.ts'

type Admit = (env: Environment, call: Call, object: Obj, before: Obj | undefined) => void
/** A plugin by the name under which it can be turned off. */
type Plugin = readonly [name: string, admit: Admit]

const PODS = '/pods'

/** Looks at a kind only, written as a whole. */
const forKind =
  (storageKey: string, admit: Admit): Admit =>
  (env, call, object, before) => {
    if (call.resource.storageKey === storageKey && call.subresource === '') admit(env, call, object, before)
  }

/** Looks at new objects of a kind only. */
const forNew = (storageKey: string, admit: Admit): Admit =>
  forKind(storageKey, (env, call, object, before) => {
    if (before === undefined) admit(env, call, object, before)
  })

/** Looks at nothing that is being deleted. */
const unlessEnding =
  (admit: Admit): Admit =>
  (env, call, object, before) => {
    if (before?.metadata.deletionTimestamp === undefined) admit(env, call, object, before)
  }

/** Those that change what is written, in the order of the real server. */
const CHANGING: readonly Plugin[] = [
  [
    'LimitRanger',
    unlessEnding((env, { resource, subresource }, pod, before) => {
      const isAsked = subresource === (before === undefined ? '' : RESIZE)
      if (resource.storageKey === PODS && isAsked) applyLimitDefaults(env, pod)
    }),
  ],
  [
    'ServiceAccount',
    forNew(PODS, (env, { resource }, pod) => admitAccount(env, resource, pod, () => randomSuffix(env))),
  ],
  ['TaintNodesByCondition', forNew('/nodes', (_env, _call, node) => taintNew(node))],
  [
    'Priority',
    forKind(PODS, (env, { resource }, pod, before) =>
      before === undefined ? addPriority(env, resource, pod) : keepPriority(pod, before),
    ),
  ],
  ['DefaultTolerationSeconds', forKind(PODS, (_env, _call, pod) => tolerateForAWhile(pod))],
  [
    'StorageObjectInUseProtection',
    (_env, { resource }, object, before) => {
      if (before === undefined) protectInUse(resource, object)
    },
  ],
  ['RuntimeClass', forNew(PODS, (env, { resource }, pod) => applyRuntimeClass(env, resource, pod))],
  ['PodTopologyLabels', forKind(PODS, (env, _call, pod) => labelByTopology(env, pod))],
]

/** Those that only refuse or warn, in the order of the real server; they see what was found valid. */
const CHECKING: readonly Plugin[] = [
  ['LimitRanger', unlessEnding(checkLimits)],
  ['PodSecurity', admitPodSecurity],
  ['PersistentVolumeClaimResize', admitGrowth],
  ['RuntimeClass', forNew(PODS, (env, { resource }, pod) => checkOverhead(env, resource, pod))],
  ['CertificateApproval', forSigning(admitApproval)],
  ['CertificateSigning', forSigning(admitSigning)],
  ['CertificateSubjectRestriction', forSigning(admitSubject)],
]

function forSigning(admit: Admit): Admit {
  return (env, call, object, before) => {
    if (call.resource.storageKey === SIGNING_REQUESTS) admit(env, call, object, before)
  }
}

/**
 * Lets the plugins, and the policies after them, change an object as it was sent, before the server adds anything of its own. In place.
 *
 * @throws Fault 403, 422
 * @see https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
 */
export function admitChanges(env: Environment, write: Write): void {
  run(CHANGING, env, write)
  if (!env.disabledPlugins.has('MutatingAdmissionPolicy')) mutateByPolicies(env, write)
}

/** Asks plugins, policies and quotas, in this order, whether a valid object may be kept. @throws Fault 401, 403, 413, 422 */
export function admitWrite(env: Environment, write: Write): void {
  run(CHECKING, env, write)
  if (!env.disabledPlugins.has('ValidatingAdmissionPolicy')) validateByPolicies(env, write)
  if (!env.disabledPlugins.has('ResourceQuota')) admitToQuota(env, write.call, write.object, write.before)
}

function run(plugins: readonly Plugin[], env: Environment, { call, object, before }: Write): void {
  for (const [name, admit] of plugins) if (!env.disabledPlugins.has(name)) admit(env, call, object, before)
}
