import type { GitRef, GitRepository } from '../../../kinds/git-repository.ts'
import type { ImageUpdateAutomation } from '../../../kinds/image.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { refspecFault } from '../../../pipeline/image/refspec.ts'
import type { Deadline } from '../../../machine/deadlines.ts'
import type { PushRequest } from '../../git/commit-and-push.ts'
import type { Mirror } from '../../git/mirror.ts'
import type { Login } from '../git-repository/login.ts'
import type { Checkout } from './checkout.ts'

/** What of a run says where `push.refspec` leads. */
type Wish = {
  readonly automation: Pick<ImageUpdateAutomation, 'pushRefspec'>
  readonly source: Pick<GitRepository, 'url' | 'timeoutMs'>
  readonly mirror: Pick<Mirror, 'isAncestor'>
  readonly login: Pick<Login, 'git'>
  readonly ref: GitRef
  readonly pushBranch: string
  readonly within: Deadline
}

/**
 * `push.refspec` as a ref to move; its left side means the new commit unless it is the checked-out branch beside the pushed one.
 *
 * A copy one commit deep cannot tell whether a ref that is there already is only moved on: the remote's history is asked, and the ref
 * then has to be where it was.
 * @throws SluiceError GIT_FAILED, before anything is pushed, when commits of the ref would be lost
 */
export async function refspecTargets(
  { automation, source, mirror, login, ref, pushBranch, within }: Wish,
  { base, expected, selected, refs }: Checkout,
): Promise<NonNullable<PushRequest['alsoRefs']>> {
  const { pushRefspec } = automation
  if (pushRefspec === undefined || refspecFault(pushRefspec) !== undefined) return []
  const isForced = pushRefspec.startsWith('+')
  const [from = '', to = from] = pushRefspec.replace(/^\+/, '').split(':')
  const isOther = pushBranch !== ref.branch && ref.branch !== undefined && from === `refs/heads/${ref.branch}`
  const target = { ref: to, isForced, ...(isOther ? { commit: selected.commit } : {}) }
  const now = refs.find(({ name }) => name === to)?.commit
  if (isForced || now === undefined) return [target]
  const branch = isOther || expected === undefined ? ref.branch : pushBranch
  if (branch === undefined) return [target]
  const options = { ...login.git, signal: within(source.timeoutMs) }
  const tip = { branch, commit: isOther ? selected.commit : base }
  const isAhead = now === tip.commit || (await mirror.isAncestor(source.url, now, tip, options))
  if (!isAhead) throw behind(to)
  return [{ ...target, expected: now }]
}

/** A ref holds commits that are not in what would be pushed over it. */
export function behind(ref: string): SluiceError {
  return new SluiceError('GIT_FAILED', `failed to push to remote: non-fast-forward update: ${ref}`, {
    retry: 'backoff',
  })
}
