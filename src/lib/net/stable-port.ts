/** Ports from `first` on. */
export type PortRange = { readonly first: number; readonly count: number }

/** Where servers of ours listen; apart from those of Services, which come and go while a server starts. */
export const SERVER_PORTS: PortRange = { first: 20_000, count: 5_000 }
export const SERVICE_PORTS: PortRange = { first: 25_000, count: 5_000 }

const TRIES = 8

/**
 * Ports to try for a listener that is to have the same one after a restart; 0 (any) comes last.
 *
 * Both ranges are below the ports that the kernel gives to outgoing connections (32768 to 60999 on Linux): one of those can be taken by anybody while we are down.
 * @param random numbers in [0, 1)
 */
export function stablePorts({ first, count }: PortRange, random: () => number): readonly number[] {
  return [...Array.from({ length: TRIES }, () => first + Math.floor(random() * count)), 0]
}
