/** Formats of zones in use, as each takes half a millisecond to make; forgotten all at once when they are too many. */
const known = new Map<string, Intl.DateTimeFormat>()
const MOST_KNOWN = 100

/**
 * Writes what the clock on the wall of a time zone shows.
 *
 * @throws RangeError for a zone that there is not
 */
export function wallFormat(timeZone: string): Intl.DateTimeFormat {
  const found = known.get(timeZone)
  if (found !== undefined) return found
  const fields = {
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  } as const
  const format = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...fields })
  if (known.size >= MOST_KNOWN) known.clear()
  known.set(timeZone, format)
  return format
}

/** True for a name of a time zone. */
export function isZone(name: string): boolean {
  try {
    wallFormat(name)
    return true
  } catch {
    return false
  }
}
