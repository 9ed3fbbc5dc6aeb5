/** Random choices that a seed repeats. */
export type Random = {
  readonly below: (limit: number) => number
  readonly pick: <T>(of: readonly T[]) => T
}

/** The choices of a seed (mulberry32). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
  return { below, pick: (of) => of[below(of.length)] as (typeof of)[number] }
}
