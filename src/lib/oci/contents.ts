/** A manifest in a registry, as who decides what is kept needs to know it. */
export type ManifestHeld = {
  readonly digest: string
  readonly tags: readonly string[]
  readonly sizeBytes: number
  /** When it, or an index that names it, was pushed last. */
  readonly pushedAtMs: number
  readonly isIndex: boolean
  /** The configuration and layers of an image, the manifests of an index. */
  readonly parts: readonly { readonly digest: string; readonly sizeBytes: number }[]
  /** What it says something about: a signature's image. */
  readonly subject?: string
}

/** A repository with all its manifests. */
export type RepositoryHeld = { readonly name: string; readonly manifests: readonly ManifestHeld[] }
