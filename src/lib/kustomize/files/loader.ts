import { posix } from 'node:path'
import { failure } from '../failure.ts'
import { enterFolder, isInside, readBytes, resolvePath, seeTree, type Resolved, type SeenTree } from './paths.ts'
import type { Rules } from '../compat.ts'
import type { Remote } from './remote.ts'
import { parseRepoSpec, type RepoSpec } from './repo-spec.ts'

/** Whether files must lie in or below the kustomization that names them. */
export type LoadRestrictions = 'rootOnly' | 'none'

/** Reads for one kustomization: its root, and who led to it. */
export type Loader = {
  readonly seen: SeenTree
  readonly root: string
  readonly referrer: Loader | undefined
  readonly restrictions: LoadRestrictions
  readonly remote: Remote | undefined
  /** The repository that this is a folder of, when the kustomization that led here named one. */
  readonly repo: RepoSpec | undefined
  /** Where this is, as seen from the folder that is built. */
  readonly origin: PathOrigin
  /** The namespace that a kustomization above gives to charts that have none. */
  readonly helmNamespace: string
  readonly rules: Rules
}

/** A path, in a repository when it is not in the one at hand. */
export type PathOrigin = { readonly path?: string; readonly repo?: string; readonly ref?: string }

/** What `subLoader` and `loadBytes` need of the build at hand. */
export type LoaderOptions = {
  readonly restrictions: LoadRestrictions
  readonly remote: Remote | undefined
  readonly rules: Rules
}

/** A loader for the folder that is to be built. */
export function rootLoader(seen: SeenTree, dir: string, { restrictions, remote, rules }: LoaderOptions): Loader {
  const root = confirmDir(seen, dir)
  return {
    seen,
    root,
    referrer: undefined,
    restrictions,
    remote,
    repo: undefined,
    origin: {},
    helmNamespace: '',
    rules,
  }
}

/** The bytes of a file that the kustomization names. @throws SluiceError KUSTOMIZE_PATH */
export function loadBytes(loader: Loader, path: string): Uint8Array {
  if (/^https?:\/\//.test(path)) return getFile(loader, path)
  const full = path.startsWith('/') ? path : joined(loader.root, path)
  const isFree = loader.restrictions === 'none'
  if (isFree && isOutside(loader.seen, full)) throw outside(loader.seen, `fs-security-constraint read ${full}`, full)
  const found = resolvePath(loader.seen, full)
  if (found.lacks !== undefined) throw missing(isFree ? openFailure(full, found) : notThere(full, found))
  if (found.entry.kind === 'dir')
    throw failure('KUSTOMIZE_PATH', isFree ? `read ${full}: is a directory` : `'${full}' must resolve to a file`)
  if (!isFree && !isInside(found.path, loader.root))
    throw failure(
      'KUSTOMIZE_PATH',
      `security; file '${full}' is not in or below '${loader.root}'`,
      undefined,
      'move the file below the kustomization, or lift --load-restrictor',
    )
  return readBytes(loader.seen, found.path, found.entry)
}

function getFile({ remote }: Loader, url: string): Uint8Array {
  if (!remote) throw notFetched(url)
  const { status, reason, bytes } = remote.get(url)
  if (status >= 200 && status <= 299) return bytes
  if (parseRepoSpec(url)) throw failure('KUSTOMIZE_PATH', 'URL is a git repository')
  throw failure('KUSTOMIZE_HTTP', `HTTP Error: status code ${status} (${reason})`, undefined, 'check the URL')
}

/** The text of a file, line ends as LF. */
export function loadText(loader: Loader, path: string): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(loadBytes(loader, path))
}

/** The name by which errors call a file. */
export function fileName(loader: Loader, path: string): string {
  return path.startsWith('/') ? path : posix.join(loader.root, path)
}

/** A loader for a folder or a repository that the kustomization names. */
export function subLoader(loader: Loader, path: string): Loader {
  if (path === '') throw failure('KUSTOMIZE_PATH', 'new root cannot be empty')
  enterFolder(loader.seen)
  const repo = parseRepoSpec(path)
  if (repo) return repoLoader(loader, repo)
  if (path.startsWith('/')) throw failure('KUSTOMIZE_PATH', `new root '${path}' cannot be absolute`)
  if (loader.rules.refusesAmbiguousPaths && isAmbiguous(path))
    throw failure(
      'KUSTOMIZE_PATH',
      `path ${JSON.stringify(path)} is ambiguous: resolves to ${JSON.stringify(posix.normalize(path))} after normalization, which is likely not the intended target; check for YAML indentation errors in your kustomization file`,
    )
  const root = confirmDir(loader.seen, joined(loader.root, path))
  for (let at: Loader | undefined = loader; at; at = at.referrer)
    if (isInside(at.root, root))
      throw failure('KUSTOMIZE_PATH', `cycle detected: candidate root '${root}' contains visited root '${at.root}'`)
  return { ...loader, root, referrer: loader, repo: undefined, origin: appendOrigin(loader.origin, path) }
}

/** Whether `..` stands inside of a name, as in two list entries that became one text. */
function isAmbiguous(path: string): boolean {
  return path.split('/').some((part) => part !== '..' && part.includes('..'))
}

function repoLoader(loader: Loader, repo: RepoSpec): Loader {
  for (let at: Loader | undefined = loader; at; at = at.referrer)
    if (at.repo?.raw.startsWith(repo.raw))
      throw failure('KUSTOMIZE_PATH', `cycle detected: URI '${repo.raw}' referenced by previous URI '${at.repo.raw}'`)
  if (!loader.remote) throw notFetched(repo.raw)
  const { tree, dir } = loader.remote.clone(repo)
  const seen = seeTree(tree, dir)
  const full = joined(dir, repo.path)
  const found = resolvePath(seen, full)
  if (found.lacks !== undefined) throw missing(notThere(full, found))
  if (found.entry.kind !== 'dir')
    throw failure('KUSTOMIZE_PATH', `'${full}' refers to file '${posix.basename(full)}'; expecting directory`)
  return {
    ...loader,
    seen,
    root: found.path,
    referrer: loader,
    restrictions: 'rootOnly',
    repo,
    origin: appendOrigin(loader.origin, repo.raw),
  }
}

/** An origin with one more path behind it; a repository starts anew. */
export function appendOrigin(origin: PathOrigin, path: string): PathOrigin {
  const repo = parseRepoSpec(path)
  if (!repo) return { ...origin, path: posix.join(origin.path ?? '', path) }
  return {
    repo: repo.cloneUrl,
    ...(repo.ref ? { ref: repo.ref } : {}),
    path: posix.normalize(repo.path || 'notCloned'),
  }
}

/** What every machine has beside the folder that is built; ours is never asked. */
const OF_EVERY_MACHINE =
  /^\/(bin|boot|dev|etc|home|lib|opt|proc|root|run|sbin|srv|sys|tmp|usr|var|etc\/(hostname|hosts|passwd))?$/

function confirmDir(seen: SeenTree, full: string): string {
  if (isOutside(seen, full)) {
    const words = 'must build at directory: not a valid directory:'
    if (isInside(seen.jail, full) || OF_EVERY_MACHINE.test(full))
      throw outside(seen, `${words} fs-security-constraint abs ${full}`, full)
    throw missing(`${words} ${notThere(full, { lacks: 'no such file or directory', at: full })}`)
  }
  const found = resolvePath(seen, full)
  if (found.lacks !== undefined)
    throw missing(`must build at directory: not a valid directory: ${notThere(full, found)}`)
  if (found.entry.kind === 'dir') return found.path
  throw failure('KUSTOMIZE_PATH', `must build at directory: '${full}': file is not directory`)
}

function isOutside({ jail }: SeenTree, full: string): boolean {
  return !isInside(full, jail)
}

/** As the file system says it that Flux builds in. */
function outside({ jail }: SeenTree, step: string, full: string): Error {
  const hint = 'keep every path inside the repository'
  return failure('KUSTOMIZE_PATH', `${step}: path '${full}' is not in or below '${jail}'`, undefined, hint)
}

/** As Go joins: a slash at the end is gone. */
function joined(root: string, path: string): string {
  return posix.resolve(root, `./${path}`)
}

type Lacking = Extract<Resolved, { lacks: string }>

/** How the original tells of a path that it follows link by link, as it does where files are restricted, and for every folder. */
function notThere(full: string, { lacks, at }: Lacking): string {
  const place = at !== undefined ? `lstat ${at}: ` : lacks === 'too many links' ? 'EvalSymlinks: ' : ''
  return `evalsymlink failure on '${full}' : ${place}${lacks}`
}

/** How the original tells of a file that it opens without a look at the links to it. */
function openFailure(full: string, { lacks }: Lacking): string {
  return `open ${full}: ${lacks === 'too many links' ? 'too many levels of symbolic links' : lacks}`
}

function missing(text: string): Error {
  return failure('KUSTOMIZE_PATH', text, undefined, 'check the path')
}

function notFetched(path: string): Error {
  return failure(
    'KUSTOMIZE_UNSUPPORTED',
    `remote base or file '${path}' is not fetched`,
    undefined,
    'copy it into the repository, or allow remote bases',
  )
}
