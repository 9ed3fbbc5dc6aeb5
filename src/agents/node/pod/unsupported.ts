import { securityOf } from './run-as.ts'
import type { Container, Pod, VolumeMount } from './shapes.ts'

/**
 * Why a pod cannot run here as it asks, naming the first field that this node does not do; undefined when it can.
 *
 * What is asked for and not given is refused: a pod that runs without it looks as if it had it. Kinds of volumes, settings of the kernel and powers
 * are refused where they are made.
 */
export function whyUnsupported({ spec }: Pod): string | undefined {
  const first = (spec.volumes ?? []).find(({ emptyDir }) => !['', 'Memory'].includes(emptyDir?.medium ?? ''))
  const found: readonly (readonly [isAsked: boolean, what: string, why: string])[] = [
    [spec.hostNetwork === true, 'hostNetwork', 'its pods have a network of their own'],
    [spec.hostPID === true, 'hostPID', 'its containers see no processes but their own'],
    [spec.hostIPC === true, 'hostIPC', 'its pods have shared memory of their own'],
    [spec.hostUsers === false, 'hostUsers: false', "its pods share one user namespace, which is not the machine's"],
    [hasAny(spec.resourceClaims), 'resourceClaims', 'it has no devices to give'],
    [first !== undefined, `emptyDir.medium: ${first?.emptyDir?.medium}`, `see volume "${first?.name}"`],
  ]
  return told(found)
}

/** The same of a container, with what its pod says for all of them. */
export function whyContainerUnsupported(pod: Pod, container: Container): string | undefined {
  const { privileged, seccompProfile, procMount } = securityOf(pod, container)
  const { volumeDevices, volumeMounts = [], resources } = container
  const led = volumeMounts.find(isPropagated)
  return told([
    [privileged === true, 'privileged', 'its containers have no power over the machine'],
    [seccompProfile?.type === 'Localhost', 'seccompProfile: Localhost', 'it filters no system calls'],
    [procMount === 'Unmasked', 'procMount: Unmasked', 'parts of /proc are hidden in its containers'],
    [hasAny(volumeDevices), 'volumeDevices', 'it has no block devices to give'],
    [hasAny(resources?.claims), 'resources.claims', 'it has no devices to give'],
    [led !== undefined, `mountPropagation: ${led?.mountPropagation}`, `see the mount of volume "${led?.name}"`],
  ])
}

/** What a container asks for and does not get, as on every machine without that module: it is run, and told. */
export function whatIsNotKept(pod: Pod, container: Container): string | undefined {
  const { seLinuxOptions = {} } = securityOf(pod, container)
  return Object.keys(seLinuxOptions).length > 0 ? 'seLinuxOptions label nothing on this node' : undefined
}

/** Why the kernel's module for profiles cannot hold a pod, as a kubelet says it of a machine without one: this node never asks for it. */
export function whyNoAppArmor(pod: Pod): string | undefined {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec
  const isAsked = [...containers, ...initContainers, ...ephemeralContainers].some((container) => {
    const { type = 'Unconfined' } = securityOf(pod, container).appArmorProfile ?? {}
    return type !== 'Unconfined'
  })
  return isAsked ? 'Cannot enforce AppArmor: AppArmor is not enabled on the host' : undefined
}

function told(found: readonly (readonly [isAsked: boolean, what: string, why: string])[]): string | undefined {
  const [, what, why] = found.find(([isAsked]) => isAsked) ?? []
  return what && `${what} is not supported by this node: ${why}`
}

const hasAny = (list: readonly unknown[] | undefined): boolean => list !== undefined && list.length > 0

const isPropagated = ({ mountPropagation = 'None' }: VolumeMount): boolean => mountPropagation !== 'None'
