import { join } from 'node:path'
import { runGit } from '../../adapters/git/git-process.ts'
import type { PushEvent } from '../../embedded/gitd/serve.ts'
import type { FactBody } from '../../pipeline/record/fact.ts'

/** What a push to gitd brought, for the record; `undefined` when a ref was deleted. */
export async function describePush(gitRoot: string, push: PushEvent): Promise<FactBody | undefined> {
  if (/^0+$/.test(push.after)) return undefined
  const folder = join(gitRoot, `${push.repository}.git`)
  const { stdout } = await runGit(folder, ['log', '-1', '--format=%H%x00%an%x00%cI%x00%B', push.after])
  const [commit = push.after, author = push.user, committedAt = '', message = ''] = stdout.toString('utf8').split('\0')
  return {
    kind: 'push',
    repository: push.repository,
    ref: push.ref,
    commit,
    before: push.before,
    author,
    message: message.trim(),
    committedAt,
    ...(push.user === '' ? {} : { pusher: push.user }),
  }
}
