import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { runGit } from './git.ts'
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
  if (repository === undefined) throw new SluiceError('GIT_NAME_INVALID', `"${name}" cannot name a repository`)
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
    const source = resolve(origin.fromRepo)
    await git(gitDir, ['clone', '--quiet', '--bare', '--no-hardlinks', '--template=', '--', source, gitDir])
    await git(gitDir, ['--git-dir', gitDir, 'config', '--remove-section', 'remote.origin'], {}, true)
    return
  }
  await git(gitDir, ['init', '--quiet', '--bare', '--template=', '--', gitDir])
  if ('fromFolder' in origin) await commitFolder(gitDir, origin)
}

async function commitFolder(
  gitDir: string,
  origin: { readonly fromFolder: string; readonly message?: string; readonly atMs?: number },
): Promise<void> {
  const seconds = Math.floor((origin.atMs ?? Date.now()) / 1000)
  const [name = '', email = ''] = IDENTITY.replace('>', '').split(' <')
  const env = {
    GIT_DIR: gitDir,
    GIT_WORK_TREE: resolve(origin.fromFolder),
    GIT_INDEX_FILE: join(gitDir, 'first-index'),
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
    GIT_AUTHOR_DATE: `${seconds} +0000`,
    GIT_COMMITTER_DATE: `${seconds} +0000`,
  }
  await git(origin.fromFolder, ['-c', 'core.bare=false', 'add', '--all', '--', '.'], env)
  const tree = await git(gitDir, ['write-tree'], env)
  const commit = await git(gitDir, ['commit-tree', '-m', origin.message ?? 'Initial commit', tree], env)
  for (const branch of ['main', 'develop']) await git(gitDir, ['update-ref', `refs/heads/${branch}`, commit], env)
  rmSync(env.GIT_INDEX_FILE, { force: true })
}

async function git(
  where: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  mayFail = false,
): Promise<string> {
  const { code, stdout, stderr } = await runGit(['-C', resolve(where), ...args], { env })
  if (code !== 0 && !mayFail)
    throw new SluiceError('GIT_FAILED', `git ${args.find((arg) => /^[a-z]/.test(arg)) ?? ''} failed: ${stderr.trim()}`)
  return stdout.trim()
}
