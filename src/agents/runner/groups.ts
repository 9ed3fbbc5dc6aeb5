import type { Concurrency } from '../../pipeline/ci/concurrency.ts'

/** What enters a group: a run or a job. */
export type Entrant<T> = {
  readonly concurrency: Concurrency
  readonly signal: AbortSignal
  /** Its signal is also aborted when a later member takes its place. */
  readonly begin: (signal: AbortSignal) => Promise<T>
  /** What it comes to when it ends without having begun. */
  readonly displaced: (cause: string) => T
}

/** The concurrency groups of one repository: one member of each runs at a time. */
export type Groups = { readonly enter: <T>(entrant: Entrant<T>) => Promise<T> }

type Member = { readonly cancel: AbortController; readonly done: Promise<void>; isWaiting: boolean }

/** Opens the groups of a repository; nobody is in any. */
export function openGroups(): Groups {
  const members = new Map<string, readonly Member[]>()
  return {
    async enter({ concurrency, signal, begin, displaced }) {
      const { group, cancelsRunning, keepsQueue } = concurrency
      const others = members.get(group) ?? []
      for (const other of others) if (cancelsRunning || (other.isWaiting && !keepsQueue)) other.cancel.abort()
      let end: () => void = () => undefined
      const done = new Promise<void>((resolve) => (end = resolve))
      const member: Member = { cancel: new AbortController(), done, isWaiting: others.length > 0 }
      members.set(group, [...others, member])
      const both = AbortSignal.any([signal, member.cancel.signal])
      try {
        await Promise.race([Promise.all(others.map((other) => other.done)), aborted(both)])
        member.isWaiting = false
        if (member.cancel.signal.aborted) return displaced(`a newer one of the group "${group}" took its place`)
        if (signal.aborted) return displaced('it was cancelled')
        return await begin(both)
      } finally {
        end()
        const left = (members.get(group) ?? []).filter((one) => one !== member)
        if (left.length > 0) members.set(group, left)
        else members.delete(group)
      }
    },
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
