import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { SluiceError } from '../lib/error/sluice-error.ts'

/** The repository that `sluice up` was given: its name on gitd, where it comes from, and the folder that says what is deployed. */
export type Repository = {
  readonly name: string
  readonly origin:
    { readonly fromFolder: string; readonly message: string; readonly atMs: number } | { readonly fromRepo: string }
  /** Relative to the repository, as in a Kustomization's `spec.path`. */
  readonly deployPath: string
}

/** What was asked to be delivered: `clusters/<cluster>`, or a folder relative to the repository; neither is needed where there is only one choice. */
export type Wish = { readonly cluster?: string | undefined; readonly path?: string | undefined }

/** Where `flux bootstrap --path DIR` leaves its mark, `DIR/flux-system/gotk-sync.yaml`: looked for so deep, and in so many folders. */
const SYNC_FILE = join('flux-system', 'gotk-sync.yaml')
const DEEPEST = 4
const MOST_FOLDERS = 5_000

/**
 * Looks at a folder: a Git repository is taken with its branches and tags, any other folder becomes one commit on `main` and `develop`.
 *
 * What is deployed, where nobody says: `clusters/<the only folder there>`; else the folder that Flux was bootstrapped with; else the whole repository.
 * @throws SluiceError REPOSITORY_INVALID when it is no folder, or there are several to choose from
 */
export function inspectRepository(path: string, wish: Wish, nowMs: number): Repository {
  if (!existsSync(path) || !statSync(path).isDirectory()) {
    throw new SluiceError('REPOSITORY_INVALID', `${path} is not a folder`, {
      where: path,
      hint: 'name a Git repository or a folder: sluice up PATH',
    })
  }
  const name = basename(path).replace(/\.git$/, '')
  const isGit = existsSync(join(path, '.git')) || (existsSync(join(path, 'HEAD')) && existsSync(join(path, 'objects')))
  const origin = isGit ? { fromRepo: path } : { fromFolder: path, message: `import ${name}`, atMs: nowMs }
  const isBare = isGit && !existsSync(join(path, '.git'))
  return { name, origin, deployPath: deployPathOf(path, wish, isBare) }
}

/** The branch that is delivered: `main`, `master` in older repositories, else the only one. Pure. */
export function followedBranch(refs: readonly string[]): string {
  const branches = refs.flatMap((ref) => (ref.startsWith('refs/heads/') ? [ref.slice('refs/heads/'.length)] : []))
  const usual = ['main', 'master'].find((name) => branches.includes(name))
  return usual ?? (branches.length === 1 ? branches[0] : undefined) ?? 'main'
}

function deployPathOf(path: string, { cluster, path: asked }: Wish, isBare: boolean): string {
  if (asked !== undefined) return checkedPath(path, asked, isBare)
  const folder = join(path, 'clusters')
  if (isBare || !existsSync(folder)) {
    if (cluster !== undefined && !isBare) throw noSuchCluster(cluster, folder, [])
    if (cluster !== undefined) return `./clusters/${cluster}` // a bare repository shows no files
    return isBare ? './' : bootstrappedPath(path)
  }
  const clusters = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
  if (cluster !== undefined && !clusters.includes(cluster)) throw noSuchCluster(cluster, folder, clusters)
  const [only, second] = clusters
  const chosen = cluster ?? (second === undefined ? only : undefined)
  if (chosen !== undefined) return `./clusters/${chosen}`
  throw new SluiceError('REPOSITORY_INVALID', `clusters/ holds ${clusters.length} clusters`, {
    where: folder,
    hint: `choose one with --cluster ${clusters.join('|') || 'NAME'}`,
  })
}

function checkedPath(root: string, asked: string, isBare: boolean): string {
  const path = relative(root, resolve(root, asked))
  const isOutside = path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path)
  if (isOutside || (!isBare && !existsSync(join(root, path))))
    throw new SluiceError('REPOSITORY_INVALID', `there is no folder "${asked}" in the repository`, {
      where: root,
      hint: 'name a folder relative to the root of the repository: --path clusters/production',
    })
  return `./${path}`
}

function bootstrappedPath(root: string): string {
  const found = bootstrappedFolders(root)
  const [only, second] = found
  if (second !== undefined)
    throw new SluiceError(
      'REPOSITORY_INVALID',
      `Flux was bootstrapped with ${found.length} folders of the repository`,
      {
        where: root,
        hint: `choose one with --path ${found.join('|')}`,
      },
    )
  return only === undefined ? './' : `./${only}`
}

function bootstrappedFolders(root: string): readonly string[] {
  const found: string[] = []
  let level = ['']
  let looked = 0
  for (let depth = 0; depth <= DEEPEST && level.length > 0; depth++) {
    found.push(...level.filter((folder) => existsSync(join(root, folder, SYNC_FILE))))
    looked += level.length
    if (looked > MOST_FOLDERS) break
    level = level.flatMap((folder) => foldersIn(root, folder))
  }
  return found
}

function foldersIn(root: string, folder: string): readonly string[] {
  try {
    return readdirSync(join(root, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
      .map(({ name }) => join(folder, name))
  } catch {
    // what a container left there may not be read by us, and is not in Git
    return []
  }
}

function noSuchCluster(cluster: string, folder: string, known: readonly string[]): SluiceError {
  const hint =
    known.length === 0
      ? 'leave --cluster out to deliver the whole repository, or make that folder'
      : `choose one with --cluster ${known.join('|')}`
  return new SluiceError('REPOSITORY_INVALID', `there is no cluster "${cluster}"`, { where: folder, hint })
}
