import { posix } from 'node:path'
import { failure } from './failure.ts'
import { isInside, readBytes, resolvePath, type SeenTree } from './paths.ts'

/** Whether files must lie in or below the kustomization that names them. */
export type LoadRestrictions = 'rootOnly' | 'none'

/** Reads for one kustomization: its root, and who led to it. */
export type Loader = {
  readonly seen: SeenTree
  readonly root: string
  readonly referrer: Loader | undefined
  readonly restrictions: LoadRestrictions
}

const REMOTE = /^(?:https?|ssh|git|file):\/\/|^git@|^(?:github\.com|bitbucket\.org|gitlab\.com)[/:]|^git::|_git\//

/** A loader for the folder that is to be built. */
export function rootLoader(seen: SeenTree, dir: string, restrictions: LoadRestrictions): Loader {
  return { seen, root: confirmDir(seen, dir, dir), referrer: undefined, restrictions }
}

/** The bytes of a file that the kustomization names. @throws SluiceError KUSTOMIZE_PATH */
export function loadBytes(loader: Loader, path: string): Uint8Array {
  if (REMOTE.test(path) && !path.startsWith('file://')) throw remote(path)
  const full = path.startsWith('/') ? posix.normalize(path) : posix.join(loader.root, path)
  const found = resolvePath(loader.seen, full)
  if (!found) throw missing(full)
  if (found.entry.kind === 'dir') throw failure('KUSTOMIZE_PATH', `'${found.path}' must resolve to a file`)
  if (loader.restrictions === 'rootOnly' && !isInside(found.path, loader.root))
    throw failure(
      'KUSTOMIZE_PATH',
      `security; file '${found.path}' is not in or below '${loader.root}'`,
      undefined,
      'move the file below the kustomization, or lift --load-restrictor',
    )
  return readBytes(loader.seen, found.path, found.entry)
}

/** The text of a file, line ends as LF. */
export function loadText(loader: Loader, path: string): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(loadBytes(loader, path))
}

/** The name by which errors call a file. */
export function fileName(loader: Loader, path: string): string {
  return path.startsWith('/') ? path : posix.join(loader.root, path)
}

/** A loader for a folder that the kustomization names. */
export function subLoader(loader: Loader, path: string): Loader {
  if (path === '') throw failure('KUSTOMIZE_PATH', 'new root cannot be empty')
  if (REMOTE.test(path)) throw remote(path)
  if (path.startsWith('/')) throw failure('KUSTOMIZE_PATH', `new root '${path}' cannot be absolute`)
  const root = confirmDir(loader.seen, posix.join(loader.root, path), posix.join(loader.root, path))
  for (let at: Loader | undefined = loader; at; at = at.referrer)
    if (isInside(at.root, root))
      throw failure('KUSTOMIZE_PATH', `cycle detected: candidate root '${root}' contains visited root '${at.root}'`)
  return { seen: loader.seen, root, referrer: loader, restrictions: loader.restrictions }
}

function confirmDir(seen: SeenTree, full: string, name: string): string {
  const found = resolvePath(seen, full)
  if (!found)
    throw failure(
      'KUSTOMIZE_PATH',
      `must build at directory: not a valid directory: ${notThere(name, full)}`,
      undefined,
      'check the path',
    )
  if (found.entry.kind === 'dir') return found.path
  throw failure('KUSTOMIZE_PATH', `must build at directory: '${found.path}': file is not directory`)
}

function notThere(name: string, full: string): string {
  return `evalsymlink failure on '${name}' : lstat ${full}: no such file or directory`
}

function missing(full: string): Error {
  return failure('KUSTOMIZE_PATH', notThere(full, full), undefined, 'check the path')
}

function remote(path: string): Error {
  return failure(
    'KUSTOMIZE_UNSUPPORTED',
    `remote base or file '${path}' is not fetched`,
    undefined,
    'copy it into the repository',
  )
}
