import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { runGit } from '../../adapters/git/git-process.ts'
import type { RunRecord } from '../../agents/runner/records.ts'
import type { PushEvent } from '../../embedded/gitd/serve.ts'

const NO_COMMIT = '0'.repeat(40)

/** A ref of a hosted repository and the commit it is at; a pull request's by its branch and number. */
export type RefSeen = {
  readonly repository: string
  readonly ref: string
  readonly commit: string
  /** The commit behind an annotated tag. */
  readonly peeled?: string
  readonly pull?: number
}

/** Where a ref was when its last push was told; `undefined` when none was. */
export type LastTold = (place: Omit<RefSeen, 'commit' | 'peeled'>) => string | undefined

/**
 * The pushes that nobody was told of, because the process ended in between; all of a new repository's.
 *
 * Compares where the refs are with what was told last, so it may run at every start.
 */
export function missedPushes(refs: readonly RefSeen[], lastTold: LastTold): readonly PushEvent[] {
  return refs
    .map((seen) => ({ seen, before: lastTold(seen) ?? NO_COMMIT }))
    .filter(({ seen, before }) => before !== seen.commit)
    .map(({ seen: { commit, peeled: _tagged, ...place }, before }) => ({
      ...place,
      before,
      after: commit,
      user: 'sluice',
    }))
}

/** What a workflow run was for. */
type RunSeen = Pick<RunRecord, 'repository' | 'event'>

/**
 * The pushes whose fact the record does not have: they stand in Git or were taken by the runner, and the process ended before it
 * could write them down.
 *
 * @param taken pushes of which the runner still knows who made them
 */
export function unrecordedPushes(
  refs: readonly RefSeen[],
  { runs, taken }: { readonly runs: readonly RunSeen[]; readonly taken: readonly PushEvent[] },
  isKnown: (commit: string) => boolean,
): readonly PushEvent[] {
  const ofRuns = runs.map(({ repository, event }) => {
    const { ref, before, commit: after, actor: user } = event
    return { repository, ref, before, after, user, commit: after }
  })
  const ofRefs = refs.map(({ repository, ref, commit: after, peeled }) => {
    const push = taken.find((one) => one.repository === repository && one.ref === ref && one.after === after)
    const { before = '', user = 'sluice' } = push ?? {}
    return { repository, ref, before, after, user, commit: peeled ?? after }
  })
  const all = new Map([...ofRuns, ...ofRefs].map((push) => [push.commit, push] as const).reverse())
  return [...all.values()].reverse().flatMap(({ commit, ...push }) => (isKnown(commit) ? [] : [push]))
}

/** Branches, tags and pull requests of a repository, as they are now. */
export async function readRefs(gitRoot: string, repository: string): Promise<readonly RefSeen[]> {
  const folder = join(gitRoot, `${repository}.git`)
  if (!existsSync(folder)) return []
  const wanted = ['refs/heads', 'refs/tags', 'refs/for']
  const { stdout } = await runGit(folder, [
    'for-each-ref',
    '--format=%(refname) %(objectname) %(*objectname)',
    ...wanted,
  ])
  return stdout
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' '))
    .map(([ref = '', commit = '', peeled = '']) => ({
      ...{ repository, commit, ...placeOf(ref) },
      ...(peeled === '' ? {} : { peeled }),
    }))
}

function placeOf(ref: string): { readonly ref: string; readonly pull?: number } {
  const [, branch, pull] = /^(refs\/for\/.+)\/(\d+)$/.exec(ref) ?? []
  return branch === undefined ? { ref } : { ref: branch, pull: Number(pull) }
}
