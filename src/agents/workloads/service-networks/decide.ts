import { holdsAddress, isPartOf, parseAddress, parseNetwork, type Network } from '../../../lib/kube/addresses.ts'
import { type KubeObject, refOf } from '../../../lib/kube/object.ts'
import type { WorkloadDecision } from '../decision.ts'
import { conditionOf, timeMs, timeText } from '../meta.ts'
import type { Condition } from '../shapes.ts'
import type { Write } from '../write.ts'

/** A network from which Services get their addresses. */
export type ServiceCIDR = KubeObject & {
  readonly spec: { readonly cidrs: readonly string[] }
  readonly status?: { readonly conditions?: readonly Condition[] }
}

/** What the decision about one of them needs. */
export type NetworkSeen = {
  readonly network: ServiceCIDR
  /** All of them, the one itself too. */
  readonly all: readonly ServiceCIDR[]
  /** Addresses that Services have; asked for only while it is being deleted. */
  readonly addresses: readonly KubeObject[]
  readonly nowMs: number
}

const GUARD = 'networking.k8s.io/service-cidr-finalizer'
/** So long the API server may not know yet that a network is about to go. */
const GRACE_MS = 10_000

/**
 * Pure. Says that a network may be used, and holds one that is being deleted for as long as a Service has an address that no other network has.
 *
 * @see k8s.io/kubernetes/pkg/controller/servicecidrs
 */
export function decideNetwork(seen: NetworkSeen): WorkloadDecision {
  const { network, nowMs } = seen
  const { deletionTimestamp, finalizers = [] } = network.metadata
  if (deletionTimestamp !== undefined) return deleted(seen, timeMs(deletionTimestamp) + GRACE_MS - nowMs)
  const guard: Write = { ...patch(network), body: { metadata: { finalizers: [GUARD] } } }
  const status = shown(network, { status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' }, nowMs)
  return { kind: 'done', status: finalizers.includes(GUARD) ? status : [guard, ...status] }
}

function deleted(seen: NetworkSeen, leftMs: number): WorkloadDecision {
  const { network, nowMs } = seen
  if (!mayGo(seen)) {
    const message =
      'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR'
    return { kind: 'done', status: shown(network, { status: 'False', reason: 'Terminating', message }, nowMs) }
  }
  if (!network.metadata.finalizers?.includes(GUARD)) return { kind: 'done', status: [] }
  if (leftMs > 0) return { kind: 'done', status: [], againAfterMs: leftMs }
  const body = { metadata: { '$deleteFromPrimitiveList/finalizers': [GUARD] } }
  return { kind: 'done', status: [{ ...patch(network), body }] }
}

/** Whether every address of the network is in another one, too, or nobody has any that is not. */
function mayGo({ network, all, addresses }: NetworkSeen): boolean {
  const others = all.filter(({ metadata }) => metadata.name !== network.metadata.name).flatMap(networksOf)
  const own = networksOf(network)
  if (own.every((part) => others.some((other) => isPartOf(part, other)))) return true
  const allocated = addresses
    .filter(({ metadata }) => metadata.labels?.['ipaddress.kubernetes.io/managed-by'] === 'ipallocator.k8s.io')
    .flatMap(({ metadata }) => parseAddress(metadata.name) ?? [])
  return !allocated.some(
    (address) =>
      own.some((part) => holdsAddress(part, address)) && !others.some((other) => holdsAddress(other, address)),
  )
}

const networksOf = ({ spec }: ServiceCIDR): Network[] => spec.cidrs.flatMap((cidr) => parseNetwork(cidr) ?? [])

function patch(network: ServiceCIDR): { do: 'patch'; ref: ReturnType<typeof refOf>; type: 'strategic' } {
  return { do: 'patch', ref: refOf(network), type: 'strategic' }
}

function shown(
  network: ServiceCIDR,
  say: { readonly status: string; readonly reason: string; readonly message: string },
  nowMs: number,
): Write[] {
  const { conditions = [] } = network.status ?? {}
  const before = conditionOf(conditions, 'Ready')
  const isShown = before?.status === say.status && (before.reason ?? '') === say.reason
  if (isShown && before.message === say.message) return []
  const ready = { type: 'Ready', lastTransitionTime: timeText(nowMs), ...say }
  const status = { conditions: [...conditions.filter(({ type }) => type !== 'Ready'), ready] }
  return [{ do: 'patch', ref: refOf(network), type: 'merge', body: { status }, subresource: 'status' }]
}
