import { parseDigest } from './digest.ts'

/** Where an image's repository is: the registry's host (with port) and the path under it. */
export type Repository = { readonly host: string; readonly repository: string }

/** An image as people write it, taken apart. Without tag and digest it means the tag `latest`. */
export type Reference = Repository & { readonly tag: string | undefined; readonly digest: string | undefined }

const NAME = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/

/** Docker's own registry, which a name without a host means. */
export const DOCKER_HUB = 'docker.io'

/** True for a repository name as the distribution specification wants it, up to 255 characters. */
export function isRepositoryName(text: string): boolean {
  return text.length <= 255 && NAME.test(text)
}

/** True for a tag: 1 to 128 characters of letters, digits, `_ . -`, not starting with `.` or `-`. */
export function isTag(text: string): boolean {
  return TAG.test(text)
}

/**
 * Reads an image name with docker's rules: `node:20` is `docker.io/library/node:20`; the first part is a host only when it
 * has a dot, a colon, an upper-case letter or is `localhost`.
 *
 * @returns undefined when the text is no image name
 */
export function parseReference(text: string): Reference | undefined {
  const at = text.indexOf('@')
  const digest = at < 0 ? undefined : text.slice(at + 1)
  if (digest !== undefined && parseDigest(digest) === undefined) return undefined
  const named = at < 0 ? text : text.slice(0, at)
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1)
  const tag = colon < 0 ? undefined : named.slice(colon + 1)
  if (tag !== undefined && !isTag(tag)) return undefined
  const place = parseRepository(colon < 0 ? named : named.slice(0, colon))
  return place === undefined ? undefined : { ...place, tag, digest }
}

/** Reads an image name without tag and digest, with the same rules. */
export function parseRepository(text: string): Repository | undefined {
  const slash = text.indexOf('/')
  const first = slash < 0 ? '' : text.slice(0, slash)
  const hasHost = first === 'localhost' || /[.:A-Z]/.test(first)
  const host = hasHost ? first : DOCKER_HUB
  const path = hasHost ? text.slice(slash + 1) : text
  const repository = host === DOCKER_HUB && !path.includes('/') ? `library/${path}` : path
  if (!HOST.test(host) || !isRepositoryName(repository)) return undefined
  return { host: host === 'index.docker.io' ? DOCKER_HUB : host, repository }
}

/** Writes a reference out in full, host included. */
export function formatReference({ host, repository, tag, digest }: Reference): string {
  return `${host}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}

/** What to ask the registry for: the digest when there is one, else the tag, else `latest`. */
export function versionOf(reference: Reference): string {
  return reference.digest ?? reference.tag ?? 'latest'
}
