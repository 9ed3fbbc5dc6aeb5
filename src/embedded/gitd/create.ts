import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { gitText, runGit } from './git.ts'
import { parseRepositoryName } from './route.ts'

/** What a new repository starts with: nothing, a folder as one commit on `main` and `develop`, or another repository's branches and tags. */
export type RepositoryOrigin =
  | { readonly fromFolder: string; readonly message?: string; readonly atMs?: number }
  | { readonly fromRepo: string }
  | Record<never, never>

const IDENTITY = 'Sluice <sluice@localhost>'

/**
 * Creates a bare repository under `root`, whole or not at all; one that exists is left as it is.
 *
 * A folder's `.gitignore` is respected; the same folder, message and time give the same commit.
 * @throws SluiceError GIT_NAME_INVALID, GIT_FAILED
 */
export async function createRepository(
  root: string,
  name: string,
  origin: RepositoryOrigin = {},
): Promise<{ readonly path: string; readonly created: boolean }> {
  const repository = parseRepositoryName(name)
  if (repository === undefined)
    throw new SluiceError('GIT_NAME_INVALID', `"${name}" cannot name a repository`, {
      hint: 'a name has letters, digits, dots, dashes and underscores, and begins with a letter or a digit; rename the folder',
    })
  const path = repositoryPath(root, repository)
  if (existsSync(join(path, 'HEAD'))) return { path, created: false }
  mkdirSync(dirname(path), { recursive: true })
  mkdirSync(join(root, '.sluice'), { recursive: true })
  const fresh = mkdtempSync(join(root, '.sluice', 'new-'))
  try {
    await fill(fresh, origin)
    renameSync(fresh, path)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
  return { path, created: true }
}

/** Where the repository of that (already checked) name is kept. */
export function repositoryPath(root: string, repository: string): string {
  return join(resolve(root), `${repository}.git`)
}

async function fill(gitDir: string, origin: RepositoryOrigin): Promise<void> {
  if ('fromRepo' in origin) {
    await cloneRepository(gitDir, resolve(origin.fromRepo))
    return
  }
  await gitText(gitDir, ['init', '--quiet', '--bare', '--template=', '--', gitDir])
  if ('fromFolder' in origin) await commitFolder(gitDir, origin)
}

/** The git that reads the other repository hears of no `-c` of ours; a file it does read says that who owns it does not matter, no hook of it is run. */
async function cloneRepository(gitDir: string, source: string): Promise<void> {
  const trust = `${gitDir}.gitconfig`
  writeFileSync(trust, '[safe]\n\tdirectory = *\n')
  try {
    const clone = ['clone', '--quiet', '--bare', '--no-hardlinks', '--template=', '--', source, gitDir]
    await gitText(gitDir, clone, { GIT_CONFIG_GLOBAL: trust })
  } finally {
    rmSync(trust, { force: true })
  }
  await runGit(['--git-dir', gitDir, 'config', '--remove-section', 'remote.origin'])
}

async function commitFolder(
  gitDir: string,
  origin: { readonly fromFolder: string; readonly message?: string; readonly atMs?: number },
): Promise<void> {
  const seconds = Math.floor((origin.atMs ?? Date.now()) / 1000)
  const [name = '', email = ''] = IDENTITY.replace('>', '').split(' <')
  const env = {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
    GIT_AUTHOR_DATE: `${seconds} +0000`,
    GIT_COMMITTER_DATE: `${seconds} +0000`,
  }
  const tree = await treeOfFolder(gitDir, origin.fromFolder)
  const commit = await gitText(
    gitDir,
    ['--git-dir', gitDir, 'commit-tree', '-m', origin.message ?? 'Initial commit', tree],
    env,
  )
  for (const branch of ['main', 'develop'])
    await gitText(gitDir, ['--git-dir', gitDir, 'update-ref', `refs/heads/${branch}`, commit])
}

/**
 * The tree that a folder is as a commit, its `.gitignore` respected.
 *
 * @param objects where its objects are written, instead of into the repository
 * @throws SluiceError GIT_FAILED
 */
export async function treeOfFolder(gitDir: string, folder: string, objects?: string): Promise<string> {
  const scratch = mkdtempSync(join(tmpdir(), 'sluice-index-'))
  const env = {
    GIT_DIR: gitDir,
    GIT_WORK_TREE: resolve(folder),
    GIT_INDEX_FILE: join(scratch, 'index'),
    ...aside(gitDir, objects),
  }
  try {
    await gitText(folder, ['-c', 'core.bare=false', 'add', '--all', '--', '.'], env)
    return await gitText(gitDir, ['write-tree'], env)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** The environment in which new objects lie in a folder of their own beside those of the repository. */
export function aside(gitDir: string, objects: string | undefined): Readonly<Record<string, string>> {
  if (objects === undefined) return {}
  return { GIT_OBJECT_DIRECTORY: objects, GIT_ALTERNATE_OBJECT_DIRECTORIES: join(gitDir, 'objects') }
}
