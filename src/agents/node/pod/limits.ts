import { asJson, objectOf } from '../../../lib/kube/json.ts'
import { amounts, containerResources, podResources } from '../../../lib/kube/quota.ts'
import type { Limits } from '../driver.ts'
import { isSidecar } from './restart-policy.ts'
import type { ResourceList } from '../../../lib/kube/container.ts'
import { type Container, isCritical, type Pod, type PodSpec } from './shapes.ts'

/**
 * What a container may use; its place in the row when a machine of `totalBytes` runs out of memory. Where the container is not limited, what limits its
 * pod as a whole limits it, too.
 */
export function limitsOf(pod: Pod, container: Container, totalBytes: number): Limits {
  const { limits, requests } = container.resources ?? {}
  const ofPod = pod.spec.resources?.limits
  const memory = amount(limits, 'memory') ?? amount(ofPod, 'memory')
  const cpu = amount(limits, 'cpu') ?? amount(ofPod, 'cpu')
  const cpuRequest = requests?.['cpu'] === undefined ? cpu : amount(requests, 'cpu')
  return {
    ...(memory === undefined ? {} : { memoryBytes: wholes(memory) }),
    ...(cpu === undefined ? {} : { cpuMillis: millis(cpu) }),
    ...(cpuRequest === undefined ? {} : { cpuRequestMillis: millis(cpuRequest) }),
    outOfMemoryScore: outOfMemoryScore(pod, container, totalBytes),
  }
}

/**
 * What all containers of a pod together may use, where it or each of them is limited, and what they asked for.
 *
 * @see k8s.io/kubernetes/pkg/kubelet/cm (ResourceConfigForPod)
 */
export function podLimitsOf({ spec }: Pod): Limits {
  const { limits, requests } = podResources(objectOf(asJson({ spec })))
  const [cpu, memory] = [limits.get('cpu')?.nano ?? 0n, limits.get('memory')?.nano ?? 0n]
  return {
    ...(isLimited(spec, 'memory') && memory > 0n ? { memoryBytes: wholes(memory) } : {}),
    ...(isLimited(spec, 'cpu') && cpu > 0n ? { cpuMillis: millis(cpu) } : {}),
    cpuRequestMillis: millis(requests.get('cpu')?.nano ?? 0n),
  }
}

/** Whether the pod as a whole, or each of its containers, has a limit. */
function isLimited({ containers, initContainers = [], resources }: PodSpec, name: 'cpu' | 'memory'): boolean {
  if (amount(resources?.limits, name) !== undefined) return true
  return [...containers, ...initContainers].every((each) => amount(each.resources?.limits, name) !== undefined)
}

/**
 * How large a volume in memory may become: what is asked for, but no more than its pod may use, where all of that is limited, and than there is.
 *
 * @see k8s.io/kubernetes/pkg/volume/emptydir (calculateEmptyDirMemorySize)
 */
export function memoryVolumeBytes({ spec }: Pod, sizeLimit: string | number | undefined, totalBytes: number): number {
  const ofPod = isLimited(spec, 'memory') ? podResources(objectOf(asJson({ spec }))).limits.get('memory') : undefined
  const bounds = [amount({ sizeLimit: sizeLimit ?? 0 }, 'sizeLimit') ?? 0n, ofPod?.nano ?? 0n]
  return Math.min(totalBytes, ...bounds.filter((nano) => nano > 0n).map(wholes))
}

/**
 * The kubelet's order of who is ended when a machine runs out of memory: best effort first, then those that use much more than they asked
 * for, a sidecar not before the others of its pod. Guaranteed pods stand beside the server, as only root can put anybody before it.
 *
 * @see k8s.io/kubernetes/pkg/kubelet/qos
 */
function outOfMemoryScore(pod: Pod, container: Container, totalBytes: number): number {
  const { spec, status } = pod
  const isOfNode = isCritical(pod) && spec.priorityClassName === 'system-node-critical'
  if (isOfNode || status?.qosClass === 'Guaranteed') return 0
  if (status?.qosClass === 'BestEffort') return 1000
  const share = shareOfRest(pod)
  const score = (bytes: number): number => 1000 - Math.floor((1000 * (bytes + share)) / totalBytes)
  const own = score(memoryRequest(container))
  const least = Math.min(...spec.containers.map(memoryRequest))
  const isOfSidecars = isSidecar(container) && spec.initContainers?.some(({ name }) => name === container.name)
  return Math.min(999, Math.max(3, isOfSidecars ? Math.min(own, score(least)) : own))
}

/** What a pod asks for as a whole beyond what its containers ask for, divided among them. */
function shareOfRest({ spec }: Pod): number {
  const whole = amount(spec.resources?.requests, 'memory')
  if (whole === undefined) return 0
  const asked = containerResources(objectOf(asJson(spec)), 'requests').get('memory')
  const rest = Math.max(0, wholes(whole) - wholes(asked?.nano ?? 0n))
  return Math.floor(rest / (spec.containers.length + (spec.initContainers ?? []).length))
}

function memoryRequest({ resources }: Container): number {
  return wholes(amount(resources?.requests, 'memory') ?? 0n)
}

/** What is asked for or allowed, in billionths; exactly, as the kernel takes no container that is given more than its pod. */
function amount(quantities: ResourceList | undefined, name: string): bigint | undefined {
  const nano = amounts(quantities).get(name)?.nano
  return nano === undefined || nano <= 0n ? undefined : nano
}

/** Billionths in whole units, rounded up. */
export const wholes = (nano: bigint): number => roundUp(nano, 1_000_000_000n)
/** Billionths in thousandths, rounded up. */
export const millis = (nano: bigint): number => roundUp(nano, 1_000_000n)
const roundUp = (nano: bigint, unit: bigint): number => Number((nano + unit - 1n) / unit)
