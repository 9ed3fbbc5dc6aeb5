import { asJson, objectOf } from '../../../lib/kube/json.ts'
import { type Quantity } from '../../../lib/kube/quantity.ts'
import { amounts, isExtended, podResources } from '../../../lib/kube/quota.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { fitsLabels, hasUntolerated } from '../../workloads/fitting.ts'
import type { Node } from '../../workloads/shapes.ts'
import { isLive, hasPortConflict } from '../network/node-ports.ts'
import { forbiddenSysctl } from '../pod/content/sysctls.ts'
import { isCritical, type Pod } from '../pod/shapes.ts'
import { whyNoAppArmor } from '../pod/unsupported.ts'
import { type Pressure, whyUnderPressure } from './pressure.ts'

/** Why a node does not take a pod that was bound to it. */
export type Refusal = { readonly reason: string; readonly message: string }

/** What the node looks at. */
export type AdmissionSeen = {
  readonly pod: Pod
  /** The Node as the API has it now: its labels, taints and what it may give. */
  readonly node: KubeObject
  /** The pods that it has taken before; those that have ended take nothing. */
  readonly others: readonly Pod[]
  readonly pressures: readonly Pressure[]
}

/**
 * Pure. Whether a node takes a pod that was bound to it, by whom ever: in the order and the words of the kubelet.
 *
 * @see k8s.io/kubernetes/pkg/kubelet/lifecycle (predicateAdmitHandler, appArmorAdmitHandler)
 */
export function whyRefused({ pod, node: object, others, pressures }: AdmissionSeen): Refusal | undefined {
  const node = object as Node
  const pressed = whyUnderPressure(pod, pressures)
  if (pressed !== undefined) return pressed
  const sysctl = forbiddenSysctl(pod)
  if (sysctl !== undefined) return { reason: 'SysctlForbidden', message: sysctl }
  const system = ofSystem(pod, node)
  if (system !== undefined) return system
  const short = isCritical(pod) ? undefined : whatIsShort(pod, node, others)
  if (short !== undefined) return short
  if (!fitsLabels(pod.spec, node)) return predicate('NodeAffinity', "node(s) didn't match Pod's node affinity/selector")
  if (hasPortConflict(pod, others))
    return predicate('NodePorts', "node(s) didn't have free ports for the requested pod ports")
  if (hasUntolerated(node, pod.spec.tolerations ?? [], ['NoExecute']))
    return predicate('TaintToleration', "node(s) had taints that the pod didn't tolerate")
  const unprotected = whyNoAppArmor(pod)
  return unprotected === undefined ? undefined : { reason: 'AppArmor', message: unprotected }
}

/** Pure. The pods that the API still has: of the others only the end is awaited, also where a successor has the name by now. */
export function stillThere(
  pods: readonly Pod[],
  current: (namespace: string, name: string) => KubeObject | undefined,
): readonly Pod[] {
  return pods.filter(({ metadata: { namespace = 'default', name, uid } }) => {
    const found = current(namespace, name)
    return found !== undefined && found.metadata.uid === uid
  })
}

/** Pure. The Node as last seen, or as it was registered where what was seen does not say yet what it may give: its status is written after it. */
export function newestNode(seen: KubeObject | undefined, registered: KubeObject | undefined): KubeObject | undefined {
  const isWhole = seen !== undefined && (seen as Node).status?.allocatable !== undefined
  return isWhole ? seen : (registered ?? seen)
}

function predicate(name: string, why: string): Refusal {
  return { reason: name, message: `Predicate ${name} failed: ${why}` }
}

function ofSystem({ metadata, spec }: Pod, node: Node): Refusal | undefined {
  const own = node.metadata.labels?.[OS_LABEL] ?? 'linux'
  const asked = metadata.labels?.[OS_LABEL]
  if (asked !== undefined && asked !== own) {
    const message = `Failed to admit pod as the \`${OS_LABEL}\` label doesn't match node label`
    return { reason: 'PodOSSelectorNodeLabelDoesNotMatch', message }
  }
  if ((spec.os?.name ?? 'linux') !== 'linux')
    return { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" }
  return undefined
}

const OS_LABEL = 'kubernetes.io/os'

/** The first resource of which the node has less than the pod asks for; of devices that the node does not know nothing is asked. */
function whatIsShort(pod: Pod, node: Node, others: readonly Pod[]): Refusal | undefined {
  const allocatable = amounts(node.status?.allocatable)
  const live = others.filter(isLive)
  const demands = live.map(requestsOf)
  const told = (name: string, requested: bigint, used: bigint, capacity: bigint): Refusal => ({
    reason: `OutOf${name}`,
    message: `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  })
  const most = whole('pods', allocatable.get('pods'))
  if (BigInt(live.length + 1) > most) return told('pods', 1n, BigInt(live.length), most)
  const wanted = requestsOf(pod)
  const further = [...wanted.keys()].filter((name) => !COMMON.includes(name) && isAsked(name, allocatable))
  for (const name of [...COMMON, ...further]) {
    const requested = whole(name, wanted.get(name))
    const used = demands.reduce((sum, demand) => sum + whole(name, demand.get(name)), 0n)
    const capacity = whole(name, allocatable.get(name))
    if (requested > 0n && requested > capacity - used) return told(name, requested, used, capacity)
  }
  return undefined
}

const COMMON = ['cpu', 'memory', 'ephemeral-storage']

/** Devices have names with a domain of their own. */
function isAsked(name: string, allocatable: ReadonlyMap<string, Quantity>): boolean {
  return !isExtended(name) || allocatable.has(name)
}

function requestsOf(pod: Pod): ReadonlyMap<string, Quantity> {
  return podResources(objectOf(asJson(pod))).requests
}

/** Processor in thousandths, everything else in whole units; both rounded up. */
function whole(name: string, quantity: Quantity | undefined): bigint {
  if (quantity === undefined) return 0n
  const unit = name === 'cpu' ? 1_000_000n : 1_000_000_000n
  return (quantity.nano + unit - 1n) / unit
}
