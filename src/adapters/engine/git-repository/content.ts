import { posix } from 'node:path'
import type { GitRepository } from '../../../kinds/git-repository.ts'
import type { Mirror } from '../../git/mirror.ts'
import { cleanPath } from '../../../pipeline/source/safe-path.ts'
import { layOver, withoutIgnored, type Content, type Layer } from '../source/content.ts'
import { failLook, type LookFailure } from '../source/look-failure.ts'
import type { Submodules } from './submodules.ts'

/** What of a repository's spec decides what its commit offers. */
export type ContentWish = Pick<
  GitRepository,
  'namespace' | 'name' | 'url' | 'ignore' | 'sparseCheckout' | 'recurseSubmodules'
>

/** What is laid into a commit's files, and how faults are worded. */
export type Parts = {
  readonly submodules: Submodules
  readonly includes: readonly (Layer & { readonly name: string })[]
  readonly traps: 'safe' | 'flux'
}

/**
 * What a commit offers: its files, those of submodules and includes, without what is ignored.
 *
 * @throws LookFailure when a sparse folder, or the folder of an include, is not there
 */
export async function contentOf(mirror: Mirror, commit: string, wish: ContentWish, parts: Parts): Promise<Content> {
  const tracked = await mirror.files(commit)
  const base: Content = {
    files: new Map(tracked.map((file) => [file.path, file])),
    read: (file) => mirror.blob(file.hash),
    linkOn: (path) => mirror.linkOn(commit, path),
  }
  const whole = wish.recurseSubmodules ? layOver(base, await parts.submodules(mirror, wish.url, commit)) : base
  for (const include of parts.includes) if (!hasFolder(include)) throw missingInclude(include, parts.traps)
  const own = sparse(whole, wish, parts.traps)
  if (parts.traps === 'flux') refuseTaken(own, wish, parts.includes)
  return withoutIgnored(layOver(own, parts.includes), wish.ignore)
}

/** Flux moves an include to its place, which must be free: of files, and of the includes before it. One file may take the place of another. */
function refuseTaken(content: Content, { namespace, name }: ContentWish, includes: Parts['includes']): void {
  let laid = content
  for (const include of includes) {
    const to = cleanPath(include.toPath)
    const taken = takenBy(laid, to, include)
    if (taken !== undefined) {
      const from = posix.join(`/tmp/flux-include-${WORK_DIGITS}/unpack`, cleanPath(include.fromPath))
      const place = `/tmp/gitrepository-${namespace}-${name}-${WORK_DIGITS}/${to}`
      const message = `failed to copy '${include.name}' include from ${include.fromPath} to ${include.toPath}`
      const why = `link error: cannot rename ${from} to ${place}: rename ${from} ${place}: ${taken}`
      throw failLook('StorageOperationFailed', 'CopyFailure', `${message}: ${why}`)
    }
    laid = layOver(laid, [include])
  }
}

function takenBy({ files }: Content, to: string, { content, fromPath }: Layer): string | undefined {
  if (to === '' || [...files.keys()].some((path) => path.startsWith(`${to}/`))) return 'file exists'
  return files.has(to) && !content.files.has(cleanPath(fromPath)) ? 'not a directory' : undefined
}

function hasFolderAt({ files }: Content, folder: string): boolean {
  return folder === '' || [...files.keys()].some((path) => path === folder || path.startsWith(`${folder}/`))
}

/** Folders relative to the root, never out of it; what is in none of them is not there, files at the root neither. */
function sparse(content: Content, wish: ContentWish, traps: Parts['traps']): Content {
  if (wish.sparseCheckout.length === 0) return content
  if (traps === 'flux') return sparseAsFlux(content, wish)
  const wanted = wish.sparseCheckout.map((folder) => {
    const clean = cleanPath(folder)
    if (!hasFolderAt(content, clean)) throw missingFolder(folder, clean, wish, traps)
    return clean
  })
  const isInside = (path: string): boolean =>
    wanted.some((folder) => folder === '' || path === folder || path.startsWith(`${folder}/`))
  return { ...content, files: new Map([...content.files].filter(([path]) => isInside(path))) }
}

/**
 * Flux's git goes by the beginning of a path as it is written (`app` brings `app2`, `.` what begins with a dot, `/app` nothing); then what
 * the path leads to must be among the files.
 */
function sparseAsFlux(content: Content, wish: ContentWish): Content {
  const beginnings = wish.sparseCheckout.map((folder) => folder.replace(/^\.\//, ''))
  const files = new Map(
    [...content.files].filter(([path]) => beginnings.some((beginning) => path.startsWith(beginning))),
  )
  const own = { ...content, files }
  for (const folder of wish.sparseCheckout) {
    const clean = cleanPath(folder)
    if (!hasFolderAt(own, clean)) throw missingFolder(folder, clean, wish, 'flux')
  }
  return own
}

/** Flux names the folder of its own that it worked in; the digits stand for its random ones. */
const WORK_DIGITS = '0000000000'

function missingFolder(
  folder: string,
  clean: string,
  { namespace, name }: ContentWish,
  traps: Parts['traps'],
): LookFailure {
  const message = `failed to sparse checkout directories : sparse checkout dir '${folder}' does not exist in repository`
  const place = `/tmp/gitrepository-${namespace}-${name}-${WORK_DIGITS}/${clean}`
  const flux = `${message}: lstat ${place}: no such file or directory`
  return failLook('FetchFailed', 'GitOperationFailed', traps === 'flux' ? flux : message)
}

function hasFolder({ content, fromPath }: Layer): boolean {
  return hasFolderAt(content, cleanPath(fromPath))
}

function missingInclude(
  { name, fromPath, toPath }: Layer & { readonly name: string },
  traps: Parts['traps'],
): LookFailure {
  const message = `failed to copy '${name}' include from ${fromPath} to ${toPath}`
  const place = `/tmp/flux-include-${WORK_DIGITS}/unpack/${cleanPath(fromPath)}`
  const why =
    traps === 'flux' ? `cannot stat ${place}: stat ${place}: no such file or directory` : 'there is no such folder'
  return failLook('StorageOperationFailed', 'CopyFailure', `${message}: ${why}`)
}
