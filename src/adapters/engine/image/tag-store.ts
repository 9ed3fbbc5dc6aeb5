/** The tags of an ImageRepository as the last scan found them. */
export type KnownTags = { readonly image: string; readonly tags: readonly string[] }

/** What the scans of this engine know; policies read it at once, without the way over the API server. */
export type TagStore = {
  readonly get: (key: string) => KnownTags | undefined
  readonly put: (key: string, known: KnownTags) => void
  readonly remove: (key: string) => void
  readonly onChange: (handler: (key: string) => void) => void
}

/** Makes an empty store; it fills by the first scans after a start. Handlers run synchronously after the change. */
export function createTagStore(): TagStore {
  const known = new Map<string, KnownTags>()
  const handlers: ((key: string) => void)[] = []
  const tell = (key: string): void => handlers.forEach((handler) => handler(key))
  return {
    get: (key) => known.get(key),
    put(key, found) {
      known.set(key, found)
      tell(key)
    },
    remove(key) {
      if (known.delete(key)) tell(key)
    },
    onChange: (handler) => void handlers.push(handler),
  }
}
