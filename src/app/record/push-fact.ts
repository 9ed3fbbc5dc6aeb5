import { join } from 'node:path'
import { runGit } from '../../adapters/git/git-process.ts'
import type { PushEvent } from '../../embedded/gitd/serve.ts'
import type { FactBody } from '../../pipeline/record/fact.ts'

/** What is kept of a commit's message, and of its author's name, in characters: the record holds them in memory. */
const LONGEST_MESSAGE = 16 << 10
const LONGEST_NAME = 200

/** What a push to gitd brought, for the record; `undefined` when a ref was deleted, or leads to no commit (a tag of a file). */
export async function describePush(gitRoot: string, push: PushEvent): Promise<FactBody | undefined> {
  if (/^0+$/.test(push.after)) return undefined
  const folder = join(gitRoot, `${push.repository}.git`)
  const { stdout } = await runGit(folder, ['log', '-1', '--format=%H%x00%an%x00%cI%x00%B', push.after])
  const [commit = '', author = push.user, committedAt = '', message = ''] = stdout.toString('utf8').split('\0')
  if (commit === '') return undefined
  return {
    kind: 'push',
    repository: push.repository,
    ref: push.ref,
    commit,
    before: push.before,
    author: author.slice(0, LONGEST_NAME),
    message: message.slice(0, LONGEST_MESSAGE).trim(),
    committedAt,
    ...(push.user === '' ? {} : { pusher: push.user }),
  }
}
