/** A text is no moment, in the words of Go's `time.Parse`. */
export class GoTimeError extends Error {}

/** An element of Go's layouts: what reads it, and the largest value and the name of its range. */
type Element = { readonly text: string; readonly digits?: RegExp; readonly most?: number; readonly name?: string }

const DATE: readonly Element[] = [
  { text: '2006', digits: /^\d{4}/ },
  { text: '-' },
  { text: '01', digits: /^\d\d/, most: 12, name: 'month' },
  { text: '-' },
  { text: '02', digits: /^\d\d/ },
  { text: 'T' },
  { text: '15', digits: /^\d\d?/, most: 23, name: 'hour' },
  { text: ':' },
  { text: '04', digits: /^\d\d/, most: 59, name: 'minute' },
  { text: ':' },
  { text: '05', digits: /^\d\d/, most: 59, name: 'second' },
]
const ZONE = /^(Z|[+-]\d\d:\d\d)/
const FRACTION = '.000000'

/**
 * Reads RFC 3339 as Go does: to the second (a fraction is read over), or to the microsecond, where six digits must be there.
 *
 * @returns the moment in UTC, as Kubernetes writes it
 * @throws GoTimeError
 */
export function parseGoTime(text: string, isMicro: boolean): string {
  const layout = `2006-01-02T15:04:05${isMicro ? FRACTION : ''}Z07:00`
  const cannot = (rest: string, element: string): GoTimeError =>
    new GoTimeError(
      `parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(element)}`,
    )
  let rest = text
  for (const { text: element, digits, most, name } of DATE) {
    const found = digits === undefined ? (rest.startsWith(element) ? element : undefined) : digits.exec(rest)?.[0]
    if (found === undefined) throw cannot(rest, element)
    if (most !== undefined && (Number(found) > most || (name === 'month' && Number(found) === 0)))
      throw new GoTimeError(`parsing time ${JSON.stringify(text)}: ${name} out of range`)
    rest = rest.slice(found.length)
  }
  const fraction = (isMicro ? /^[.,]\d{6}/ : /^[.,]\d+/).exec(rest)?.[0]
  if (isMicro && fraction === undefined) throw cannot(rest, FRACTION)
  rest = rest.slice(fraction?.length ?? 0)
  const zone = ZONE.exec(rest)?.[0]
  if (zone === undefined) throw cannot(rest, 'Z07:00')
  if (rest.length > zone.length)
    throw new GoTimeError(
      `parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest.slice(zone.length))}`,
    )
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)/.exec(text)?.map(Number) ?? []
  const local = new Date(0)
  // Date.UTC takes the years before 100 for years of the twentieth century.
  local.setUTCFullYear(year ?? 0, (month ?? 1) - 1, day)
  local.setUTCHours(hour ?? 0, minute, second)
  if (local.getUTCDate() !== day) throw new GoTimeError(`parsing time ${JSON.stringify(text)}: day out of range`)
  const written = new Date(local.getTime() - offsetMs(zone)).toISOString().slice(0, 19)
  return `${written}${isMicro ? `.${(fraction ?? '').slice(1)}` : ''}Z`
}

function offsetMs(zone: string): number {
  if (zone === 'Z') return 0
  const [hours = 0, minutes = 0] = zone.slice(1).split(':').map(Number)
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000
}
