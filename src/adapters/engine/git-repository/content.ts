import type { GitRepository } from '../../../kinds/git-repository.ts'
import type { Mirror } from '../../git/mirror.ts'
import { cleanPath } from '../../../pipeline/source/safe-path.ts'
import { layOver, withoutIgnored, type Content, type Layer } from '../source/content.ts'
import { LookFailure } from '../source/look-failure.ts'
import type { Submodules } from './submodules.ts'

/** What of a repository's spec decides what its commit offers. */
export type ContentWish = Pick<GitRepository, 'url' | 'ignore' | 'sparseCheckout' | 'recurseSubmodules'>

/**
 * What a commit offers: its files, those of submodules and includes, without what is ignored.
 *
 * @throws LookFailure when a sparse folder is not there
 */
export async function contentOf(
  mirror: Mirror,
  commit: string,
  wish: ContentWish,
  parts: { readonly submodules: Submodules; readonly includes: readonly Layer[] },
): Promise<Content> {
  const own = await mirror.files(commit)
  const base: Content = {
    files: new Map(own.map((file) => [file.path, file])),
    read: (file) => mirror.blob(file.hash),
    linkOn: (path) => mirror.linkOn(commit, path),
  }
  const whole = wish.recurseSubmodules ? layOver(base, await parts.submodules(mirror, wish.url, commit)) : base
  const kept = await withoutIgnored(sparse(whole, wish.sparseCheckout), wish.ignore)
  return layOver(kept, parts.includes)
}

/** Folders as Flux takes them: relative to the root, never out of it. Files at the root are always there, as in git's cone mode. */
function sparse(content: Content, folders: readonly string[]): Content {
  if (folders.length === 0) return content
  const paths = [...content.files.keys()]
  const wanted = folders.map((folder) => {
    const clean = cleanPath(folder)
    if (clean !== '' && !paths.some((path) => path.startsWith(`${clean}/`))) throw missingFolder(folder)
    return clean
  })
  const isInside = (path: string): boolean =>
    !path.includes('/') || wanted.some((folder) => folder === '' || path.startsWith(`${folder}/`))
  return { ...content, files: new Map([...content.files].filter(([path]) => isInside(path))) }
}

function missingFolder(folder: string): LookFailure {
  return new LookFailure({
    kind: 'failed',
    condition: 'FetchFailed',
    reason: 'GitOperationFailed',
    message: `failed to sparse checkout directories : sparse checkout dir '${folder}' does not exist in repository`,
  })
}
