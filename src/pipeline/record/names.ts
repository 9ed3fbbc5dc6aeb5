/** `host/name:tag@digest` in its parts; the tag is `''` when there is none. */
export type ImageName = { readonly image: string; readonly tag: string; readonly digest: string | undefined }

/** Splits an image as manifests write it. A colon before the last slash belongs to the host's port. */
export function splitImage(text: string): ImageName {
  const at = text.indexOf('@')
  const digest = at < 0 ? undefined : text.slice(at + 1)
  const name = at < 0 ? text : text.slice(0, at)
  const colon = name.lastIndexOf(':')
  if (colon <= name.lastIndexOf('/')) return { image: name, tag: '', digest }
  return { image: name.slice(0, colon), tag: name.slice(colon + 1), digest }
}

/** The last part of an image's name: what the service is called until a workload says otherwise. */
export function baseName(image: string): string {
  return image.slice(image.lastIndexOf('/') + 1)
}

/** `namespace/name` -> `namespace`. */
export function namespaceOf(key: string): string {
  return key.split('/')[0] ?? ''
}

/** The commit in a Flux revision: `main@sha1:abc` -> `abc`. */
export function commitOfRevision(revision: string): string {
  return revision.slice(revision.lastIndexOf(':') + 1)
}

/** The branch in a Flux revision: `main@sha1:abc` -> `main`; `''` when it names none. */
export function branchOfRevision(revision: string): string {
  const at = revision.lastIndexOf('@')
  return at < 0 ? '' : revision.slice(0, at)
}
