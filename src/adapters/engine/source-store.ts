/** A file that a source offers. */
export type SourceFile = { readonly path: string; readonly hash: string; readonly isExecutable: boolean }

/** What a source offers now: its files by path, each with the hash of its content, and how to read one. */
export type SourceSnapshot = {
  /** `GitRepository/namespace/name`. */
  readonly key: string
  readonly revision: string
  /** The commit that an OCI artifact was made from, if its maker says so (`org.opencontainers.image.revision`). */
  readonly originRevision?: string | undefined
  readonly files: ReadonlyMap<string, SourceFile>
  readonly read: (file: SourceFile) => Promise<Buffer>
  /** The first part of a path that is a symbolic link in the source; for explanations, a source leaves links out. */
  readonly linkOn?: ((path: string) => Promise<string | undefined>) | undefined
  /** Digest of the whole content; equal digests mean equal files. */
  readonly digest: string
}

/** What the sources of this engine offer. Consumers read it here, without the way over HTTP and tar. */
export type SourceStore = {
  readonly get: (kind: string, namespace: string, name: string) => SourceSnapshot | undefined
  readonly put: (snapshot: SourceSnapshot) => void
  readonly remove: (key: string) => void
  readonly onChange: (handler: (key: string) => void) => void
}

/** Makes an empty store. Handlers run synchronously after the change. */
export function createSourceStore(): SourceStore {
  const snapshots = new Map<string, SourceSnapshot>()
  const handlers: ((key: string) => void)[] = []
  const tell = (key: string): void => {
    for (const handler of handlers) handler(key)
  }
  return {
    get: (kind, namespace, name) => snapshots.get(sourceKey(kind, namespace, name)),
    put(snapshot) {
      snapshots.set(snapshot.key, snapshot)
      tell(snapshot.key)
    },
    remove(key) {
      if (snapshots.delete(key)) tell(key)
    },
    onChange: (handler) => void handlers.push(handler),
  }
}

/** How a source is named in the store. */
export function sourceKey(kind: string, namespace: string, name: string): string {
  return `${kind}/${namespace}/${name}`
}
