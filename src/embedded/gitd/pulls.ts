import { currentRefs } from './receive.ts'

/** Reads `refs/for/<branch>` and `refs/for/<branch>/<number>`. */
export function parsePullRef(
  ref: string,
): { readonly branch: string; readonly number: number | undefined } | undefined {
  const match = /^refs\/for\/(.+?)(?:\/(\d{1,9}))?$/.exec(ref)
  if (!match?.[1]) return undefined
  return { branch: match[1], number: match[2] === undefined ? undefined : Number(match[2]) }
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
