import type { RemoteRef, SelectedRef } from '../../../pipeline/source/select-ref.ts'
import { fetchCommit, listRefs, selectFrom, selectRemote, type Remote } from '../git-repository/remote.ts'

/** What a run begins with. */
export type Checkout = {
  /** What the automation checks out. */
  readonly selected: SelectedRef
  /** What its commit goes on top of: the head of another push branch when there is one, else what it checks out. */
  readonly base: string
  /** Where the push branch is now; undefined when there is none yet. */
  readonly expected: string | undefined
  /** The checked-out branch has gone on beyond what is checked out: nothing may be pushed over it. */
  readonly isBehind: boolean
  /** The refs of the remote; none when nobody needed to be asked. */
  readonly refs: readonly RemoteRef[]
}

/**
 * Brings what an automation checks out, and the branch that it pushes to.
 *
 * @param known the head of the branch, when nobody needs to be asked
 * @throws SluiceError GIT_REMOTE, GIT_REF_NOT_FOUND, GIT_BAD_RANGE; LookFailure for an empty repository
 */
export async function checkOut(remote: Remote, pushBranch: string, known: string | undefined): Promise<Checkout> {
  const { ref } = remote
  const isOwnBranch = ref.branch === pushBranch
  const isBranchOnly = !ref.commit && !ref.name && !ref.semver && !ref.tag
  if (isOwnBranch && isBranchOnly && known !== undefined) {
    const selected = { fetch: `refs/heads/${pushBranch}`, commit: known, pointer: pushBranch }
    await fetchCommit(remote, selected)
    return { selected, base: known, expected: known, isBehind: false, refs: [] }
  }
  const refs = await listRefs(remote)
  const selected = isBranchOnly ? selectFrom(remote, ref, refs) : await selectRemote(remote)
  const expected = refs.find(({ name }) => name === `refs/heads/${pushBranch}`)?.commit
  const base = isOwnBranch ? selected.commit : (expected ?? selected.commit)
  await fetchCommit(remote, selected)
  if (base !== selected.commit)
    await fetchCommit(remote, { fetch: `refs/heads/${pushBranch}`, commit: base, pointer: pushBranch })
  return { selected, base, expected, isBehind: isOwnBranch && expected !== undefined && expected !== base, refs }
}
