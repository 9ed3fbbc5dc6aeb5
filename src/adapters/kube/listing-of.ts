import type { WatchCache } from './types.ts'

/** Tells whether the first list of a copy is in. Who may not list now may be allowed to later: the copy goes on trying. */
export function listingOf({ ready }: WatchCache): () => boolean {
  let isListed = false
  ready.then(
    () => (isListed = true),
    () => undefined,
  )
  return () => isListed
}
