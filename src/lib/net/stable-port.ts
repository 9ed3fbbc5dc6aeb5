const FIRST = 20_000
const COUNT = 10_000
const TRIES = 8

/**
 * Ports to try for a listener that is to have the same one after a restart; 0 (any) comes last.
 *
 * Below the ports that the kernel gives to outgoing connections (32768 to 60999 on Linux): one of those can be taken by anybody while we are down.
 * @param random numbers in [0, 1)
 */
export function stablePorts(random: () => number): readonly number[] {
  return [...Array.from({ length: TRIES }, () => FIRST + Math.floor(random() * COUNT)), 0]
}
