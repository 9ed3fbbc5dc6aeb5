import { remember } from '../value/remember.ts'

/**
 * Writes what the clock on the wall of a time zone shows.
 *
 * @throws RangeError for a zone that there is not
 */
export const wallFormat = remember(100, (timeZone) => {
  // half a millisecond
  const fields = {
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  } as const
  return new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...fields })
})

/** True for a name of a time zone. */
export function isZone(name: string): boolean {
  try {
    wallFormat(name)
    return true
  } catch {
    return false
  }
}
