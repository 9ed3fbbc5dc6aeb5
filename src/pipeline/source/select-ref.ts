import { SluiceError } from '../../lib/error/sluice-error.ts'
import { parseConstraint, satisfies } from '../../lib/semver/constraint.ts'
import { compareVersions, parseTag } from '../../lib/semver/version.ts'

/** Which commit a GitRepository asks for: `spec.ref`. */
export type RefWish = {
  readonly branch?: string
  readonly tag?: string
  readonly semver?: string
  readonly name?: string
  readonly commit?: string
}

/** A ref that the remote has; `commit` is what an annotated tag points at in the end, `tag` that tag's own hash. */
export type RemoteRef = { readonly name: string; readonly commit: string; readonly tag?: string }

/** What to fetch, and what the revision will be called. `commit` is known before the fetch. */
export type SelectedRef = {
  /** The ref to fetch, or the commit itself when no ref is asked for. */
  readonly fetch: string
  readonly commit: string
  /** What stands before `@` in the revision: the branch or tag as written, a whole ref name, or ''. */
  readonly pointer: string
  /** The tag it was chosen by; `hash` is there when it is annotated. */
  readonly tag?: { readonly name: string; readonly hash: string | undefined }
  /** Tags of the same version, told apart by nothing but build metadata: the one whose commit is the youngest wins. */
  readonly rivals?: readonly SelectedRef[]
}

const FULL_HASH = /^([0-9a-f]{40}|[0-9a-f]{64})$/

/**
 * Picks the commit that `spec.ref` asks for; commit wins over name, name over tag, tag over semver, semver over branch, as in Flux's code (its page has semver over tag). Nothing at all means branch `master`.
 *
 * @throws SluiceError GIT_REF_NOT_FOUND (retry: backoff) when the remote has no such ref, GIT_BAD_RANGE (retry: spec) for a range that is none
 * @see https://fluxcd.io/flux/components/source/gitrepositories/#reference
 */
export function selectRef(wish: RefWish, refs: readonly RemoteRef[]): SelectedRef {
  if (wish.commit !== undefined && wish.commit !== '') return selectCommit(wish.commit, wish.name || wish.branch || '')
  if (wish.name) return selectName(wish.name, refs)
  if (wish.tag) return selectNamed(`refs/tags/${wish.tag}`, wish.tag, refs)
  if (wish.semver) return selectHighest(wish.semver, refs)
  const branch = wish.branch || 'master'
  return selectNamed(`refs/heads/${branch}`, branch, refs)
}

function selectCommit(commit: string, pointer: string): SelectedRef {
  if (!FULL_HASH.test(commit))
    throw new SluiceError('GIT_REF_NOT_FOUND', `unable to resolve commit object for '${commit}': object not found`, {
      where: 'spec.ref.commit',
      hint: 'write the whole hash',
    })
  return { fetch: commit, commit, pointer }
}

function selectName(name: string, refs: readonly RemoteRef[]): SelectedRef {
  if (name.startsWith('/') || name.endsWith('/'))
    throw new SluiceError(
      'GIT_REF_NOT_FOUND',
      `ref ${name} is invalid; Git refs cannot begin or end with a slash '/'`,
      { where: 'spec.ref.name', retry: 'backoff' },
    )
  const plain = name.replace(/\^\{\}$/, '')
  const found = refs.find((ref) => ref.name === plain)
  if (!found)
    throw new SluiceError('GIT_REF_NOT_FOUND', `unable to resolve ref '${name}' to a specific commit`, {
      retry: 'backoff',
    })
  return { fetch: plain, commit: found.commit, pointer: name, ...tagOf(found) }
}

function selectNamed(name: string, pointer: string, refs: readonly RemoteRef[]): SelectedRef {
  const found = refs.find((ref) => ref.name === name)
  if (!found) throw new SluiceError('GIT_REF_NOT_FOUND', `couldn't find remote ref "${name}"`, { retry: 'backoff' })
  return { fetch: name, commit: found.commit, pointer, ...tagOf(found) }
}

function tagOf({ name, tag }: RemoteRef): Pick<SelectedRef, 'tag'> {
  return name.startsWith('refs/tags/') ? { tag: { name: name.slice('refs/tags/'.length), hash: tag } } : {}
}

function selectHighest(range: string, refs: readonly RemoteRef[]): SelectedRef {
  const constraint = parseRange(range)
  const fitting = refs.flatMap((ref) => {
    const tag = ref.name.startsWith('refs/tags/') ? ref.name.slice('refs/tags/'.length) : undefined
    const version = tag === undefined ? undefined : parseTag(tag)
    if (tag === undefined || version === undefined || !satisfies(version, constraint)) return []
    return [{ version, selected: { fetch: ref.name, commit: ref.commit, pointer: tag, ...tagOf(ref) } }]
  })
  const [best, ...others] = fitting.toSorted((a, b) => compareVersions(b.version, a.version))
  if (best === undefined)
    throw new SluiceError('GIT_REF_NOT_FOUND', `no match found for semver: ${range}`, { retry: 'backoff' })
  const rivals = others.filter(({ version }) => compareVersions(version, best.version) === 0)
  return rivals.length === 0 ? best.selected : { ...best.selected, rivals: rivals.map(({ selected }) => selected) }
}

function parseRange(range: string): ReturnType<typeof parseConstraint> {
  try {
    return parseConstraint(range)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    throw new SluiceError('GIT_BAD_RANGE', `semver parse error: ${error.message}`, {
      where: 'spec.ref.semver',
      cause: error,
    })
  }
}
