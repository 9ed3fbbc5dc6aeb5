import type { Subset } from './endpoints.ts'

/** As many addresses as an Endpoints object lists. */
const MOST = 1000

/**
 * As many addresses as there is room for: those that are ready first, and of each subset its share.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/controller/endpoint/endpoints_controller.go `truncateEndpoints`
 */
export function withinCapacity(subsets: readonly Subset[]): {
  readonly subsets: readonly Subset[]
  readonly isTruncated: boolean
} {
  const sum = (of: (subset: Subset) => number): number => subsets.reduce((total, subset) => total + of(subset), 0)
  const [ready, notReady] = [sum(readyIn), sum(notReadyIn)]
  if (ready + notReady <= MOST) return { subsets, isTruncated: false }
  const isFull = ready > MOST
  const [room, total] = isFull ? [MOST, ready] : [MOST - ready, notReady]
  let left = room
  const cut = subsets.map(({ addresses = [], notReadyAddresses = [], ports }) => {
    const listed = isFull ? addresses : notReadyAddresses
    const kept = listed.slice(0, Math.min(Math.ceil((listed.length / total) * room), left))
    left -= kept.length
    return subsetOf(isFull ? kept : addresses, isFull ? [] : kept, ports)
  })
  return { subsets: cut, isTruncated: true }
}

const readyIn = ({ addresses = [] }: Subset): number => addresses.length
const notReadyIn = ({ notReadyAddresses = [] }: Subset): number => notReadyAddresses.length

function subsetOf(
  addresses: NonNullable<Subset['addresses']>,
  notReadyAddresses: NonNullable<Subset['notReadyAddresses']>,
  ports: Subset['ports'],
): Subset {
  return {
    ...(addresses.length > 0 && { addresses }),
    ...(notReadyAddresses.length > 0 && { notReadyAddresses }),
    ...(ports && { ports }),
  }
}
