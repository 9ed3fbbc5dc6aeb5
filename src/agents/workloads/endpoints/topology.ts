import { conditionOf } from '../meta.ts'
import { milli } from '../scheduler/resources.ts'
import type { Node } from '../shapes.ts'
import type { Endpoint } from './slice.ts'

/** The part of the cluster's processors that each zone has; undefined where that cannot be said. */
export type ZoneShares = ReadonlyMap<string, number> | undefined

const ZONE = 'topology.kubernetes.io/zone'
const CONTROL_PLANES = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master']
/** By how much the endpoints of a zone may have more to do than those of others. */
const OVERLOAD = 0.2

/** The shares of zones by the processors of nodes that are ready; one that does not say its zone spoils it for all. */
export function zoneSharesOf(nodes: readonly Node[]): ZoneShares {
  const amounts = new Map<string, number>()
  for (const { metadata, status } of nodes) {
    if (CONTROL_PLANES.some((label) => metadata.labels?.[label] !== undefined)) continue
    if (conditionOf(status?.conditions, 'Ready')?.status !== 'True') continue
    const zone = metadata.labels?.[ZONE] ?? ''
    const amount = milli(status?.allocatable?.['cpu'] ?? 0)
    if (zone === '' || amount === 0) return undefined
    amounts.set(zone, (amounts.get(zone) ?? 0) + amount)
  }
  if (amounts.size < 2) return undefined
  const total = [...amounts.values()].reduce((sum, amount) => sum + amount, 0)
  return new Map([...amounts].map(([zone, amount]) => [zone, amount / total]))
}

/**
 * The zones for whose traffic ready endpoints are, by endpoint: its own, or one that has too few of them for its share.
 *
 * @returns a text where there are too few, in the words of the original
 * @see k8s.io/endpointslice/topologycache
 */
export function zonesByTopology(
  endpoints: readonly Endpoint[],
  shares: ZoneShares,
): ReadonlyMap<Endpoint, string> | string {
  const ready = endpoints.filter(({ conditions }) => conditions.ready)
  const wanted = wantedByZone(ready.length, shares)
  if (typeof wanted === 'string') return wanted
  const zones = new Map<Endpoint, string>()
  const counts = new Map<string, number>()
  for (const endpoint of ready) {
    const { zone } = endpoint
    if (zone === undefined) return 'One or more endpoints do not have a zone specified'
    zones.set(endpoint, zone)
    counts.set(zone, (counts.get(zone) ?? 0) + 1)
  }
  const { giving, receiving } = exchange(wanted, counts)
  for (const endpoint of ready) {
    const from = zones.get(endpoint) ?? ''
    const to = [...receiving].find(([, count]) => count > 0)?.[0]
    if ((giving.get(from) ?? 0) === 0 || to === undefined) continue
    zones.set(endpoint, to)
    giving.set(from, (giving.get(from) ?? 0) - 1)
    receiving.set(to, (receiving.get(to) ?? 0) - 1)
  }
  return zones
}

/** How many endpoints each zone ought to have. */
function wantedByZone(count: number, shares: ZoneShares): ReadonlyMap<string, number> | string {
  if (shares === undefined)
    return 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes'
  const size = `(${count} endpoints, ${shares.size} zones)`
  if (shares.size > count) return `Insufficient number of endpoints ${size}`
  const wanted = new Map<string, number>()
  let left = count
  for (const [zone, share] of shares) {
    const least = Math.ceil((share * count) / (1 + OVERLOAD))
    wanted.set(zone, Math.max(share * count, least))
    left -= least
  }
  if (left < 0)
    return `Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ${size}`
  return wanted
}

/** How many endpoints zones that have too many give to those that have too few. */
function exchange(wanted: ReadonlyMap<string, number>, counts: ReadonlyMap<string, number>) {
  const spare = new Map([...wanted].map(([zone, target]) => [zone, (counts.get(zone) ?? 0) - target]))
  const giving = new Map<string, number>()
  const receiving = new Map<string, number>()
  const move = (of: Map<string, number>, zone: string, sign: 1 | -1): void => {
    of.set(zone, (of.get(zone) ?? 0) + 1)
    spare.set(zone, (spare.get(zone) ?? 0) - sign)
  }
  for (;;) {
    const [giver, much] = most(spare, 1)
    const [receiver, little] = most(spare, -1)
    if (giver === undefined || receiver === undefined || (much < 1 && little < 1) || much < 0.5 || little < 0.5) break
    move(giving, giver, 1)
    move(receiving, receiver, -1)
  }
  return { giving, receiving }
}

function most(spare: ReadonlyMap<string, number>, sign: 1 | -1): readonly [zone: string | undefined, amount: number] {
  let found: readonly [string | undefined, number] = [undefined, 0]
  for (const [zone, amount] of spare) if (amount * sign > found[1]) found = [zone, amount * sign]
  return found
}
