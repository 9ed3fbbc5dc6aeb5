import type { AbsorbingCache, KubeClient, Selection } from './types.ts'
import { watchCache, type WatchCacheOptions } from './watch-cache.ts'

/** Live copies that several users share: one watch per selection, open as long as somebody holds it. */
export type SharedCaches = {
  /** A handle on the copy; its `close` gives up this user's share only. */
  readonly open: (selection: Selection) => AbsorbingCache
  readonly close: () => void
}

type Share = { readonly cache: AbsorbingCache; users: number }

/** Shares watches among the users of one client, so that two controllers of the same kind cost one connection and one copy. */
export function shareCaches(client: KubeClient, options: WatchCacheOptions): SharedCaches {
  const shares = new Map<string, Share>()
  return {
    open(selection) {
      const key = keyOf(selection)
      const share = shares.get(key) ?? { cache: watchCache(client, selection, options), users: 0 }
      shares.set(key, share)
      share.users++
      return handleOn(share.cache, () => {
        share.users--
        if (share.users > 0) return
        shares.delete(key)
        share.cache.close()
      })
    },
    close() {
      for (const { cache } of shares.values()) cache.close()
      shares.clear()
    },
  }
}

function handleOn(cache: AbsorbingCache, release: () => void): AbsorbingCache {
  const stops = new Set<() => void>()
  let isOpen = true
  return {
    ready: cache.ready,
    refused: cache.refused,
    get: cache.get,
    list: cache.list,
    absorb: cache.absorb,
    absorbDeletion: cache.absorbDeletion,
    onChange(handler) {
      const stop = cache.onChange(handler)
      stops.add(stop)
      return () => {
        stops.delete(stop)
        stop()
      }
    },
    close() {
      if (!isOpen) return
      isOpen = false
      for (const stop of stops) stop()
      release()
    },
  }
}

function keyOf(selection: Selection): string {
  const { apiVersion, kind, namespace = '', labelSelector = '', fieldSelector = '', metadataOnly = false } = selection
  return JSON.stringify([apiVersion, kind, namespace, labelSelector, fieldSelector, metadataOnly])
}
