import {
  addQuantities,
  isQuantityError,
  parseQuantity as readQuantity,
  type Quantity,
} from '../../../../lib/kube/quantity.ts'
import type { Verdict } from '../decide.ts'
import { parseQuantity } from '../content/fields.ts'
import { isSidecar } from '../restart-policy.ts'
import { type Container, containersOf, isCritical, type Pod, type Volume } from '../shapes.ts'

/** Bytes on the disk: by volume, and by container what it has written over its image and into its logs. */
export type DiskUse = {
  readonly volumes: ReadonlyMap<string, number>
  readonly containers: ReadonlyMap<string, number>
}

const NOTHING: Quantity = { nano: 0n, format: 'decimal', text: '0' }

/** Whether anything limits what a pod may have on the disk; else nothing need be counted. */
export function limitsDisk({ spec }: Pod): boolean {
  return (spec.volumes ?? []).some(({ emptyDir }) => limited(emptyDir)) || containersOf(spec).some(limitOf)
}

/**
 * Why a pod is ended for what it has on the disk: a folder beyond its `sizeLimit`, or containers beyond their `ephemeral-storage`, all together and each.
 *
 * @see k8s.io/kubernetes/pkg/kubelet/eviction (localStorageEviction)
 */
export function whyEvicted(pod: Pod, use: DiskUse): Verdict | undefined {
  if (isCritical(pod)) return undefined
  const message = ofFolders(pod, use) ?? ofPod(pod, use) ?? ofContainers(pod, use)
  return message === undefined ? undefined : { reason: 'Evicted', message }
}

function ofFolders({ spec }: Pod, { volumes }: DiskUse): string | undefined {
  const over = (spec.volumes ?? []).find(({ name, emptyDir }) => {
    const limit = limited(emptyDir)
    return limit !== undefined && (volumes.get(name) ?? 0) > limit
  })
  return over && `Usage of EmptyDir volume "${over.name}" exceeds the limit "${over.emptyDir?.sizeLimit}". `
}

function ofPod({ spec }: Pod, { volumes, containers }: DiskUse): string | undefined {
  const sum = goingOn(spec.containers, spec.initContainers)
    .flatMap((container) => (limitOf(container) === undefined ? [] : writtenLimitOf(container)))
    .reduce((before, limit) => addQuantities(before, limit), NOTHING)
  const most = positive(sum.text)
  if (most === undefined) return undefined
  const used = [...volumes.values(), ...containers.values()].reduce((before, each) => before + each, 0)
  return used > most
    ? `Pod ephemeral local storage usage exceeds the total limit of containers ${sum.text}. `
    : undefined
}

function ofContainers({ spec }: Pod, { containers }: DiskUse): string | undefined {
  const over = goingOn(spec.containers, spec.initContainers).find((container) => {
    const limit = limitOf(container)
    return limit !== undefined && (containers.get(container.name) ?? 0) > limit
  })
  return (
    over && `Container ${over.name} exceeded its local ephemeral storage limit "${writtenLimitOf(over)[0]?.text}". `
  )
}

function goingOn(containers: readonly Container[], inits: readonly Container[] = []): readonly Container[] {
  return [...containers, ...inits.filter(isSidecar)]
}

/** Folders in memory are limited by the kernel. */
function limited(emptyDir: Volume['emptyDir']): number | undefined {
  return emptyDir?.medium === 'Memory' ? undefined : positive(emptyDir?.sizeLimit)
}

function limitOf({ resources }: Container): number | undefined {
  return positive(resources?.limits?.['ephemeral-storage'])
}

function writtenLimitOf({ resources }: Container): readonly Quantity[] {
  const quantity = readQuantity(resources?.limits?.['ephemeral-storage'] ?? 0)
  return isQuantityError(quantity) ? [] : [quantity]
}

function positive(quantity: string | number | undefined): number | undefined {
  const value = parseQuantity(quantity)
  return value === undefined || value <= 0 ? undefined : value
}
