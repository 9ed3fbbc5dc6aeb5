import type { Answer } from './server-pair.ts'

const UID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const MOMENT = /20[2-9]\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| \+0000 UTC)?/g
/** Inside a message, where the second of a write decides the order, too. */
const OWNERS = /\\*"managedFields\\*":\[[^\]]*\],?/g
const PORT = /(\\*"(?:n|healthCheckN)odePort\\*":)3\d{4}/g
const ADDRESS = /\b10\.96\.\d+\.\d+\b/g

/** An answer without what no two servers share: uids, moments, versions, addresses and ports that the server chose. */
export function canonical({ code, contentType, warnings, body }: Answer): unknown {
  return { code, contentType, warnings, body: walk(body, '') }
}

function walk(value: unknown, key: string): unknown {
  if (typeof value === 'string') return text(value, key)
  if (key === 'nodePort' || key === 'healthCheckNodePort') return inRange(value) ? '<port>' : value
  if (key === 'managedFields' && Array.isArray(value)) return owners(value)
  // Of several managers, and of maps, the real server tells in any order.
  if (key === 'causes' && Array.isArray(value)) return value.map((each) => JSON.stringify(walk(each, ''))).sort()
  if (Array.isArray(value)) return value.map((each) => walk(each, ''))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, each]): [string, unknown] => [text(name, ''), walk(each, name)])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}

const inRange = (port: unknown): boolean => typeof port === 'number' && port >= 30_000 && port <= 32_767

function text(value: string, key: string): string {
  if (key === 'resourceVersion' && /^\d+$/.test(value) && value !== '0') return '<version>'
  if (key === 'continue' && value !== '') return '<continue>'
  return (
    value
      .replace(OWNERS, '')
      .replace(PORT, '$1<port>')
      .replace(UID, '<uid>')
      .replace(MOMENT, '<time>')
      .replace(ADDRESS, '<address>')
      .replace(/(\\?"resourceVersion\\?":\\?")\d+/g, '$1<version>')
      .replace(/(ResourceVersion in (?:record \(|object meta: ))\d+/g, '$1<version>')
      // Of several fields that it finds at once, the real server tells in any order.
      .replace(/(?<=: errors:\n)(?: {2}\..*\n?)+/, (faults) => faults.split('\n').sort().join('\n'))
  )
}

/** The server sorts entries by the second of their writing. */
function owners(entries: readonly unknown[]): unknown {
  return entries.map((each) => JSON.stringify(walk(each, ''))).sort()
}

/** The first place where two canonical values differ, or undefined. */
export function firstDifference(ours: unknown, theirs: unknown, path = ''): string | undefined {
  if (Object.is(ours, theirs)) return undefined
  const areBoth = typeof ours === 'object' && typeof theirs === 'object' && ours !== null && theirs !== null
  if (!areBoth || Array.isArray(ours) !== Array.isArray(theirs))
    return `${path}: kubed ${shown(ours)}, real ${shown(theirs)}`
  const [left, right] = [ours as Record<string, unknown>, theirs as Record<string, unknown>]
  const isList = Array.isArray(ours)
  for (const name of [...new Set([...Object.keys(left), ...Object.keys(right)])]) {
    const why = firstDifference(left[name], right[name], isList ? `${path}[${name}]` : `${path}.${name}`)
    if (why !== undefined) return why
  }
  return undefined
}

const shown = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 1500))
