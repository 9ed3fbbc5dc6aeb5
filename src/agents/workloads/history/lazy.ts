import type { AbsorbingCache } from '../../../adapters/kube/types.ts'
import type { Bench } from '../bench.ts'
import { indexByOwner } from '../owned-index.ts'
import { as } from '../shapes.ts'
import type { ControllerRevision } from './revision.ts'

/** A live copy that opens when it is first asked for: a cluster without such objects pays nothing for them. */
export type LaterCache = {
  readonly open: () => Promise<AbsorbingCache>
  /** Called with the copy once, as soon as it is open. */
  readonly onOpen: (handler: (cache: AbsorbingCache) => void) => void
}

/** The revisions of one kind of owners. */
export type Revisions = {
  /** What the owner controls, and what nobody controls in its namespace. */
  readonly candidates: (uid: string, namespace: string) => ControllerRevision[]
  readonly named: (namespace: string, name: string) => ControllerRevision | undefined
}

/** A kind whose live copy opens later. */
export function openLater(bench: Bench, apiVersion: string, kind: string): LaterCache {
  const handlers: ((cache: AbsorbingCache) => void)[] = []
  let opening: Promise<AbsorbingCache> | undefined
  const start = async (): Promise<AbsorbingCache> => {
    const cache = bench.cache(apiVersion, kind)
    await cache.ready
    for (const handler of handlers) handler(cache)
    return cache
  }
  return { open: () => (opening ??= start()), onOpen: (handler) => void handlers.push(handler) }
}

/** Revisions by owner, watched from the first question on. */
export function revisionsLater(
  bench: Bench,
  ownerKind: string,
): { readonly open: () => Promise<Revisions>; readonly onOwner: (handler: (ownerKey: string) => void) => void } {
  const later = openLater(bench, 'apps/v1', 'ControllerRevision')
  let wakeOwner: (ownerKey: string) => void = () => undefined
  let revisions: Revisions | undefined
  later.onOpen((cache) => {
    const index = indexByOwner(
      cache,
      ownerKind,
      (ownerKey) => wakeOwner(ownerKey),
      () => undefined,
    )
    revisions = {
      candidates: (uid, namespace) => index.candidates(uid, namespace).map((object) => as<ControllerRevision>(object)),
      named(namespace, name) {
        const found = cache.get(namespace, name)
        return found && as<ControllerRevision>(found)
      },
    }
  })
  return {
    async open() {
      await later.open()
      return revisions ?? { candidates: () => [], named: () => undefined }
    },
    onOwner(handler) {
      wakeOwner = handler
    },
  }
}
