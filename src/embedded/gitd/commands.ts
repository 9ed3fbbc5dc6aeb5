import { isUtf8 } from 'node:buffer'
import { FLUSH, packet, takePackets, type Packet } from './pktline.ts'

/** One line of a push: move `ref` from `before` to `after` (40 or 64 hex digits, zeros for none). */
export type RefCommand = { readonly ref: string; readonly before: string; readonly after: string }

/** The start of a receive-pack request: everything before the pack. */
export type PushHead = {
  readonly commands: readonly RefCommand[]
  readonly capabilities: ReadonlySet<string>
  readonly shallow: readonly Buffer[]
  readonly capabilityText: string
}

/** A push into `refs/for/<branch>`: the ref that was asked for, and the numbered one that keeps it. */
export type Renamed = { readonly from: string; readonly to: string }

/** Why a head cannot be read. */
export type HeadFault = 'malformed' | 'a ref has a name that is not UTF-8 or too long'

/** The largest head of a push, in bytes. */
export const MAX_HEAD_BYTES = 8 << 20
/** Longer ones fit into no path, and two of them not into one packet. */
const MAX_LINE_BYTES = 4096

/** Each of them is an event that starts workflows; GitHub starts none when more are pushed at once. */
const MOST_EVENTS = 5_000

/** The commands that are told of: of a repository that moves in as a whole the first alone, branches before tags. */
export function selectEvents(commands: readonly RefCommand[]): readonly RefCommand[] {
  if (commands.length <= MOST_EVENTS) return commands
  const isBranch = ({ ref }: RefCommand): boolean => ref.startsWith('refs/heads/')
  return [...commands.filter(isBranch), ...commands.filter((one) => !isBranch(one))].slice(0, MOST_EVENTS)
}

/** Reads the commands of a push from the front of its body, whole up to the first flush; the rest (push options, pack) stays untouched in `rest`. */
export function parsePushHead(bytes: Buffer): { readonly head: PushHead; readonly rest: Buffer } | HeadFault {
  const taken = takePackets(bytes, true)
  if (!taken?.flushed) return 'malformed'
  const shallow: Buffer[] = []
  const commands: RefCommand[] = []
  let capabilityText = ''
  for (const { raw, data } of taken.packets) {
    if (data === undefined) continue
    const nul = data.indexOf(0)
    const line = textOf(nul < 0 ? data : data.subarray(0, nul))
    if (line === undefined) return 'a ref has a name that is not UTF-8 or too long'
    if (nul >= 0) {
      // git says them once; said again they would make the first line another one than the pusher's
      if (commands.length > 0 || data.length - nul > MAX_LINE_BYTES) return 'malformed'
      capabilityText = data.toString('utf8', nul + 1).replace(/\n$/, '')
    }
    if (line.startsWith('shallow ')) shallow.push(raw)
    else {
      const match = /^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) (.+)$/s.exec(line)
      if (!match) return 'malformed'
      commands.push({ before: match[1] ?? '', after: match[2] ?? '', ref: match[3] ?? '' })
    }
  }
  const capabilities = new Set(capabilityText.trim().split(' '))
  return { head: { commands, capabilities, shallow, capabilityText }, rest: taken.rest }
}

/** A name is written back as it was read: other bytes would become another name. */
function textOf(line: Buffer): string | undefined {
  if (line.length > MAX_LINE_BYTES || !isUtf8(line)) return undefined
  return line.toString('utf8').replace(/\n$/, '')
}

/** Writes a head back, so that receive-pack reads the same push with other commands. */
export function renderPushHead(head: PushHead, commands: readonly RefCommand[]): Buffer {
  const lines = commands.map(({ before, after, ref }, index) =>
    packet(`${before} ${after} ${ref}${index === 0 ? `\0${head.capabilityText}` : ''}`),
  )
  return Buffer.concat([...head.shallow, ...lines, FLUSH])
}

/** What the server says about each ref: null when accepted, else the reason. Empty when there is no report. */
export type Report = ReadonlyMap<string, string | null>

/** Reads a report of `receive-pack` (already taken out of the side band). One without the flush at its end, of a git that was ended, is none. */
export function parseReport(packets: readonly Packet[]): Report {
  const report = new Map<string, string | null>()
  const last = packets.at(-1)
  if (last === undefined || last.data !== undefined) return report
  for (const { data } of packets) {
    const line = data?.toString('utf8').replace(/\n$/, '') ?? ''
    const match = /^(ok|ng) (\S+)(?: (.*))?$/.exec(line)
    if (match) report.set(match[2] ?? '', match[1] === 'ok' ? null : (match[3] ?? 'refused'))
  }
  return report
}

/** A report that refuses the whole push. */
export function renderRefusal(commands: readonly RefCommand[], why: string): Buffer {
  const lines = [`unpack ${why}\n`, ...commands.map(({ ref }) => `ng ${ref} ${why}\n`)]
  return Buffer.concat([...lines.map(packet), FLUSH])
}

/** Gives the pusher the names that they used; git 2.29 and later also learns the name that was kept. */
export function renameReport(packets: readonly Packet[], renamed: readonly Renamed[], isV2: boolean): Buffer {
  const byName = new Map(renamed.map((one) => [one.to, one]))
  const lines = packets.map(({ raw, data }) => {
    const match = /^(ok|ng) (\S+)([^]*)$/.exec(data?.toString('utf8') ?? '')
    const rename = byName.get(match?.[2] ?? '')
    if (!match || !rename) return raw
    const line = packet(`${match[1]} ${rename.from}${match[3]}`)
    return isV2 && match[1] === 'ok' ? Buffer.concat([line, packet(`option refname ${rename.to}\n`)]) : line
  })
  return Buffer.concat(lines)
}
