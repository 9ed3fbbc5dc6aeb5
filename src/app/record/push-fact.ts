import { join } from 'node:path'
import { runGit } from '../../adapters/git/git-process.ts'
import type { PushEvent } from '../../embedded/gitd/serve.ts'
import type { FactBody } from '../../pipeline/record/fact.ts'

/** What is kept of a commit's message, and of its author's name, in characters: the record holds them in memory. */
const LONGEST_MESSAGE = 16 << 10
const LONGEST_NAME = 200

/** One push may move thousands of refs: so many are read by one git. */
const MOST_AT_ONCE = 256

/** What a push to gitd brought, for the record; `undefined` when a ref was deleted, or leads to no commit (a tag of a file). */
export type DescribePush = (push: PushEvent) => Promise<FactBody | undefined>

type Asked = {
  readonly push: PushEvent
  readonly answer: (fact: FactBody | undefined) => void
  readonly fail: (error: unknown) => void
}

/** Describes pushes to the repositories below `gitRoot`; what comes while a git reads is read together by the next one. */
export function describePushes(gitRoot: string): DescribePush {
  const waiting = new Map<string, Asked[]>()
  const work = async (repository: string, asked: Asked[]): Promise<void> => {
    while (asked.length > 0) await answerAll(join(gitRoot, `${repository}.git`), asked.splice(0, MOST_AT_ONCE))
    waiting.delete(repository)
  }
  return async (push) => {
    if (/^0+$/.test(push.after)) return undefined
    return new Promise((answer, fail) => {
      const asked = waiting.get(push.repository) ?? []
      asked.push({ push, answer, fail })
      if (waiting.has(push.repository)) return
      waiting.set(push.repository, asked)
      void work(push.repository, asked)
    })
  }
}

async function answerAll(folder: string, asked: readonly Asked[]): Promise<void> {
  try {
    const commits = await readCommits(
      folder,
      asked.map(({ push }) => push.after),
    )
    for (const { push, answer } of asked) answer(factOf(push, commits.get(push.after)))
  } catch (error) {
    for (const { fail } of asked) fail(error)
  }
}

function factOf(push: PushEvent, commit: Commit | undefined): FactBody | undefined {
  if (commit === undefined) return undefined
  const { id, author, message, committedAt } = commit
  return {
    kind: 'push',
    repository: push.repository,
    ref: push.ref,
    commit: id,
    before: push.before,
    author: author.slice(0, LONGEST_NAME),
    message: message.slice(0, LONGEST_MESSAGE).trim(),
    committedAt,
    ...(push.user === '' ? {} : { pusher: push.user }),
  }
}

type Commit = {
  readonly id: string
  readonly author: string
  readonly committedAt: string
  readonly message: string
}

/** The commits that objects are or, being tags, lead to, by the objects; what leads to none is not among them. */
async function readCommits(folder: string, objects: readonly string[]): Promise<ReadonlyMap<string, Commit>> {
  const log = ['log', '--no-walk=unsorted', '--ignore-missing', '--stdin', '-z', '--format=%H%x00%an%x00%cI%x00%B']
  const { code, stdout } = await runGit(folder, log, { input: lines(objects) })
  // longer messages than one git may answer are read by several
  if (code !== 0 && objects.length > 1) return readHalves(folder, objects)
  const found = new Map(commitsIn(stdout.toString('utf8')).map((commit) => [commit.id, commit]))
  const tags = objects.filter((object) => !found.has(object))
  const peeled = tags.length === 0 || found.size === 0 ? [] : await peel(folder, tags)
  for (const [tag, id] of peeled) {
    const commit = found.get(id)
    if (commit !== undefined) found.set(tag, commit)
  }
  return found
}

async function readHalves(folder: string, objects: readonly string[]): Promise<ReadonlyMap<string, Commit>> {
  const middle = Math.ceil(objects.length / 2)
  const first = await readCommits(folder, objects.slice(0, middle))
  return new Map([...first, ...(await readCommits(folder, objects.slice(middle)))])
}

function commitsIn(text: string): readonly Commit[] {
  const fields = text.split('\0')
  return Array.from({ length: Math.floor(fields.length / 4) }, (_, index) => {
    const [id = '', author = '', committedAt = '', message = ''] = fields.slice(4 * index, 4 * index + 4)
    return { id, author, committedAt, message }
  })
}

/** Tags with the commits that they lead to. */
async function peel(folder: string, tags: readonly string[]): Promise<readonly (readonly [string, string])[]> {
  const input = lines(tags.map((tag) => `${tag}^{commit}`))
  const { stdout } = await runGit(folder, ['cat-file', '--batch-check=%(objectname)'], { input })
  return stdout
    .toString('utf8')
    .split('\n')
    .slice(0, tags.length)
    .map((line, index) => [tags[index] ?? '', line] as const)
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('')
}
