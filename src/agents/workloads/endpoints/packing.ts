import { isSame } from '../meta.ts'
import { type Endpoint, type EndpointSlice, samePorts, type SlicePort } from './slice.ts'

/** Endpoints that answer on the same ports. */
export type PortGroup = { readonly ports: readonly SlicePort[]; readonly endpoints: readonly Endpoint[] }

/** What a slice is to hold: one that is there, or a new one. */
export type Packed = {
  readonly slice: EndpointSlice | undefined
  readonly ports: readonly SlicePort[]
  readonly endpoints: readonly Endpoint[]
}

const MOST_PER_SLICE = 100

/**
 * Pure. Packs endpoints into slices with as few writes as can be: each stays in the slice in which it is, new ones go into slices that are written anyhow,
 * then into the one other slice that has just enough room, then into new ones. A slice that nobody needs becomes a new one, and goes where none is needed.
 *
 * @param isStale whether a slice is written whatever its endpoints are
 * @see https://github.com/kubernetes/kubernetes/blob/v1.37.2/staging/src/k8s.io/endpointslice/reconciler.go `reconcileByPortMapping`, `finalize`
 */
export function packSlices(
  groups: readonly PortGroup[],
  present: readonly EndpointSlice[],
  isStale: (slice: EndpointSlice) => boolean,
): { readonly packed: readonly Packed[]; readonly unneeded: readonly EndpointSlice[] } {
  const packs = groups.map((group) =>
    packGroup(
      group,
      present.filter(({ ports }) => samePorts(ports, group.ports)),
      isStale,
    ),
  )
  const kept = packs.flatMap((pack) => pack.kept)
  const made = packs.flatMap((pack) => pack.made)
  const free = present.filter((slice) => !kept.some((each) => each.slice === slice))
  if (kept.length + made.length === 0) made.push({ slice: undefined, ports: [], endpoints: [] })
  const reused = made.map((each) => ({ ...each, slice: free.shift() }))
  return { packed: [...kept, ...reused], unneeded: free }
}

type Pack = { readonly kept: readonly Packed[]; readonly made: readonly Packed[] }
type Filling = { readonly slice: EndpointSlice; readonly endpoints: Endpoint[]; isWritten: boolean }

function packGroup(
  { ports, endpoints }: PortGroup,
  present: readonly EndpointSlice[],
  isStale: (slice: EndpointSlice) => boolean,
): Pack {
  const left = new Map(endpoints.map((endpoint) => [identityOf(endpoint), endpoint]))
  const fillings = present.flatMap((slice) => {
    const filling = keepIn(slice, left, isStale(slice))
    const isEmptied = filling.endpoints.length === 0 && (slice.endpoints ?? []).length > 0
    return isEmptied ? [] : [filling]
  })
  const waiting = [...left.values()]
  const take = (into: Endpoint[]): void => void into.push(...waiting.splice(0, MOST_PER_SLICE - into.length))
  const written = fillings.filter(({ isWritten }) => isWritten)
  for (const { endpoints: into } of written.sort((a, b) => b.endpoints.length - a.endpoints.length)) take(into)
  const made: Packed[] = []
  while (waiting.length > 0) {
    const fitting = waiting.length < MOST_PER_SLICE ? bestFit(fillings, waiting.length) : undefined
    if (fitting) fitting.isWritten = true
    else made.push({ slice: undefined, ports, endpoints: waiting.splice(0, MOST_PER_SLICE) })
    if (fitting) take(fitting.endpoints)
  }
  return { kept: fillings.map(({ slice, endpoints: kept }) => ({ slice, ports, endpoints: kept })), made }
}

/** The endpoints of a slice that are still wanted, as they are now; they wait no longer. */
function keepIn(slice: EndpointSlice, left: Map<string, Endpoint>, isStale: boolean): Filling {
  const before = slice.endpoints ?? []
  const kept = before.flatMap((endpoint) => {
    const identity = identityOf(endpoint)
    const now = left.get(identity)
    left.delete(identity)
    return now === undefined ? [] : [now]
  })
  const isChanged = kept.length < before.length || kept.some((now, at) => !isAlike(now, before[at]))
  return { slice, endpoints: kept, isWritten: isChanged || isStale }
}

/** Of the slices that need no write, the one that is fullest with so many more. */
function bestFit(fillings: readonly Filling[], count: number): Filling | undefined {
  const fitting = fillings.filter(
    ({ isWritten, endpoints }) => !isWritten && endpoints.length + count <= MOST_PER_SLICE,
  )
  return fitting.reduce<Filling | undefined>(
    (best, each) => (best && best.endpoints.length >= each.endpoints.length ? best : each),
    undefined,
  )
}

/** What makes an endpoint the same one, whatever else of it changes. */
function identityOf({ addresses, hostname = '', targetRef }: Endpoint): string {
  return JSON.stringify([[...addresses].sort(), hostname, targetRef?.namespace, targetRef?.name])
}

/** Whose traffic an endpoint is for is decided after packing. */
function isAlike({ hints: _now, ...now }: Endpoint, before: Endpoint | undefined): boolean {
  const { hints: _before, ...rest } = before ?? {}
  return isSame(now, rest)
}
