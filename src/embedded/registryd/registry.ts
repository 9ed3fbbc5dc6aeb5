import type { Collector } from './collector.ts'
import type { Store } from './store.ts'
import type { Uploads } from './uploads.ts'

/** A manifest that came or went; one event for each tag, tag undefined when it has none. */
export type RegistryPush = {
  readonly repository: string
  readonly tag: string | undefined
  readonly digest: string
  readonly mediaType: string
  readonly deleted?: boolean
}

/** What the handlers share. */
export type Registry = {
  readonly store: Store
  readonly uploads: Uploads
  readonly collector: Collector
  /** Manifests that are being deleted: no index may name them any more. */
  readonly leaving: Set<string>
  readonly report: (event: RegistryPush) => void
}
