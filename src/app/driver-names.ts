/** How the embedded cluster runs pods; `none` runs no node at all. */
export const DRIVERS = ['auto', 'linux', 'engine', 'process', 'sim', 'none'] as const
export type DriverName = (typeof DRIVERS)[number]

/** Whether a word names a node driver. */
export function isDriver(word: string): word is DriverName {
  return DRIVERS.some((driver) => driver === word)
}
