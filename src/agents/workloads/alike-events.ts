/** What an Event begins with that tells the last of many messages. */
export const COMBINED = '(combined from similar events): '

/** Whether a message is one of so many of its kind that they share one Event. */
export type AlikeEvents = (kind: string, message: string, nowMs: number) => boolean

type Group = { readonly messages: Set<string>; lastMs: number }

const MOST_KNOWN = 2048
const MOST_ALIKE = 10
const ALIKE_MS = 600_000

/** Notes messages as Kubernetes' own recorder does: from the tenth of a kind on they share one, until ten minutes pass without any. */
export function noteAlikeEvents(): AlikeEvents {
  const groups = new Map<string, Group>()
  return (kind, message, nowMs) => {
    const known = groups.get(kind)
    const group = known && nowMs - known.lastMs <= ALIKE_MS ? known : { messages: new Set<string>(), lastMs: nowMs }
    group.lastMs = nowMs
    keepNewest(groups, MOST_KNOWN, kind, group)
    if (group.messages.size < MOST_ALIKE) group.messages.add(message)
    return group.messages.size >= MOST_ALIKE
  }
}

/** Sets an entry of a map and keeps the newest ones. */
export function keepNewest<T>(map: Map<string, T>, most: number, key: string, value: T): void {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > most && oldest !== undefined) map.delete(oldest)
}
