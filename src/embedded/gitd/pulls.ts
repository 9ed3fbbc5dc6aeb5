import { currentRefs } from './receive.ts'

/** Reads `refs/for/<branch>` and `refs/for/<branch>/<number>`. */
export function parsePullRef(
  ref: string,
): { readonly branch: string; readonly number: number | undefined } | undefined {
  const match = /^refs\/for\/(.+?)(?:\/(\d{1,9}))?$/.exec(ref)
  if (!match?.[1]) return undefined
  return { branch: match[1], number: match[2] === undefined ? undefined : Number(match[2]) }
}

/** Who chooses a number (a copy of another server does) may not choose one after which there soon is none. */
const LARGEST_CHOSEN = 1_000_000

/** Why a push may not make a ref; undefined when it may. */
export function whyNotCreate({ ref, before }: { readonly ref: string; readonly before: string }): string | undefined {
  const pull = parsePullRef(ref)
  if (pull?.number === undefined || pull.number <= LARGEST_CHOSEN || !/^0+$/.test(before)) return undefined
  return `no pull request may choose a number above ${LARGEST_CHOSEN}, push to refs/for/${pull.branch}`
}

/**
 * Numbers the pull requests of every repository: a push into `refs/for/main` is kept as `refs/for/main/7`.
 *
 * Numbers grow within a repository and are read back from its refs after a restart.
 */
export type PullNumbers = {
  /** Must be awaited before `next` is asked for that repository. */
  readonly load: (path: string) => Promise<void>
  readonly next: (path: string, ref: string) => string | undefined
}

/** Starts with nothing known. */
export function countPulls(): PullNumbers {
  const last = new Map<string, number>()
  return {
    async load(path) {
      if (last.has(path)) return
      const refs = [...(await currentRefs(path)).keys()]
      const numbers = refs.map((ref) => parsePullRef(ref)?.number ?? 0)
      if (!last.has(path))
        last.set(
          path,
          numbers.reduce((a, b) => Math.max(a, b), 0),
        )
    },
    next(path, ref) {
      const pull = parsePullRef(ref)
      if (pull === undefined || pull.number !== undefined) return undefined
      const number = (last.get(path) ?? 0) + 1
      last.set(path, number)
      return `${ref}/${number}`
    },
  }
}
