import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { aside, treeOfFolder } from '../embedded/gitd/create.ts'
import { gitText, runGit } from '../embedded/gitd/git.ts'
import { SluiceError } from '../lib/error/sluice-error.ts'
import type { Repository } from './repository.ts'
import { shellWord } from './terminal/shell-word.ts'

/** What stands in the folder that `sluice up` was given and not in its state, so that it is not delivered. */
export type NotImported = {
  readonly what: string
  /** How it is delivered, given the URL of the repository. */
  readonly remedy: (url: string) => string
}

const MOST_NAMED = 3
const AFRESH = 'or deliver it afresh with --state DIR'

/**
 * Compares what `sluice up` was given with what its state folder holds. A repository is imported once, at the first start; what is
 * committed or written to it later arrives by a push alone.
 *
 * @throws SluiceError REPOSITORY_INVALID when the state holds another repository, or there is nothing to import; GIT_FAILED
 */
export async function compareWithImported(stateDir: string, repository: Repository): Promise<NotImported | undefined> {
  const gitRoot = join(stateDir, 'git')
  const gitDir = join(gitRoot, `${repository.name}.git`)
  const { origin } = repository
  if (existsSync(join(gitDir, 'HEAD')))
    return 'fromRepo' in origin ? newCommits(gitDir, origin.fromRepo) : newContent(gitDir, origin.fromFolder)
  refuseSecond(gitRoot, stateDir, repository.name)
  await refuseEmpty(stateDir, repository)
  return undefined
}

function refuseSecond(gitRoot: string, stateDir: string, name: string): void {
  const names = existsSync(gitRoot) ? readdirSync(gitRoot) : []
  const other = names.find((held) => held.endsWith('.git') && existsSync(join(gitRoot, held, 'HEAD')))
  if (other === undefined) return
  const held = other.replace(/\.git$/, '')
  throw new SluiceError('REPOSITORY_INVALID', `the state folder delivers the repository "${held}", not "${name}"`, {
    where: stateDir,
    hint: `choose another state folder for "${name}" with --state DIR`,
  })
}

async function refuseEmpty(stateDir: string, { origin }: Repository): Promise<void> {
  const path = 'fromRepo' in origin ? origin.fromRepo : origin.fromFolder
  const isEmpty =
    'fromRepo' in origin
      ? (await gitText(path, ['for-each-ref', '--count=1', 'refs/heads'])) === ''
      : readdirSync(path).every((name) => join(path, name) === resolve(stateDir))
  if (!isEmpty) return
  throw new SluiceError('REPOSITORY_INVALID', `${path} holds nothing to deliver`, {
    where: path,
    hint: 'fromRepo' in origin ? 'commit something to main first' : 'put manifests into it, or name another folder',
  })
}

async function newCommits(gitDir: string, path: string): Promise<NotImported | undefined> {
  const head = await tryGit(path, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'])
  if (head === undefined) return undefined
  const isThere = (await tryGit(gitDir, ['cat-file', '-e', head])) !== undefined
  if (isThere && (await gitText(gitDir, ['for-each-ref', '--count=1', `--contains=${head}`])) !== '') return undefined
  const branch = (await tryGit(path, ['symbolic-ref', '--quiet', '--short', 'HEAD'])) ?? 'main'
  const delivered = await deliveredAt(gitDir, branch)
  return {
    what: `${path} is at ${head.slice(0, 7)} (${branch}), which was never pushed; delivered is ${delivered}`,
    remedy: (url) => {
      const [git, from, to] = [`git -C ${shellWord(path)}`, shellWord(branch), shellWord(`HEAD:${branch}`)]
      return `${git} pull --rebase ${shellWord(url)} ${from} && ${git} push ${shellWord(url)} ${to}   ${AFRESH}`
    },
  }
}

/** A folder has no commits: it differs when no commit of the state has its content. */
async function newContent(gitDir: string, path: string): Promise<NotImported | undefined> {
  const scratch = mkdtempSync(join(tmpdir(), 'sluice-content-'))
  try {
    const tree = await treeOfFolder(gitDir, path, scratch)
    const known = await gitText(gitDir, ['log', '--all', '--format=%T'])
    if (known.split('\n').includes(tree)) return undefined
    const [imported = 'main'] = (await gitText(gitDir, ['rev-list', '--max-parents=0', 'main'])).split('\n')
    const names = await gitText(
      gitDir,
      ['diff-tree', '-r', '--name-only', `${imported}^{tree}`, tree],
      aside(gitDir, scratch),
    )
    return {
      what: `${path} differs from ${imported.slice(0, 7)}, which was imported from it (${listed(names.split('\n'))}); delivered is ${await deliveredAt(gitDir, 'main')}`,
      remedy: (url) => `git clone ${shellWord(url)}, change it there and push   ${AFRESH}`,
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function listed(names: readonly string[]): string {
  const more = names.length - MOST_NAMED
  return `${names.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

async function deliveredAt(gitDir: string, branch: string): Promise<string> {
  for (const name of [branch, 'main']) {
    const commit = await tryGit(gitDir, ['rev-parse', '--verify', '--quiet', `refs/heads/${name}`])
    if (commit !== undefined) return `${commit.slice(0, 7)} (${name})`
  }
  return 'no commit: the state has no main'
}

async function tryGit(where: string, argv: readonly string[]): Promise<string | undefined> {
  const { code, stdout } = await runGit(['-C', where, ...argv])
  return code === 0 ? stdout.trim() : undefined
}
