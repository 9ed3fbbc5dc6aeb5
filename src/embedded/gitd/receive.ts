import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { isWriteRefusal } from '../../lib/error/full-disk.ts'
import {
  type HeadFault,
  MAX_HEAD_BYTES,
  parsePushHead,
  parseReport,
  renameReport,
  renderPushHead,
  renderRefusal,
  type PushHead,
  type RefCommand,
  type Renamed,
  type Report,
} from './commands.ts'
import { gitText, spawnGit } from './git.ts'
import { FLUSH, packet, skipPackets, takePackets, type Packet } from './pktline.ts'

/** What a push needs to know of the server. */
export type ReceiveOptions = {
  readonly path: string
  readonly env: Readonly<Record<string, string>>
  readonly maxPackBytes: number
  /** Called when the commands are known and before git runs; answers what is called with the refs that moved, and waited for. */
  readonly begin: (commands: readonly RefCommand[]) => (moved: readonly RefCommand[]) => void | Promise<void>
  /** Why a command is refused, and with it the push; undefined when it is not. */
  readonly whyNot: (command: RefCommand) => string | undefined
  /** Gives a push into `refs/for/<branch>` its numbered ref. */
  readonly rename: (ref: string) => string | undefined
}

const ZERO = /^0+$/

const TOO_MANY = `the names of its refs take more than ${MAX_HEAD_BYTES >> 20} MiB, push them in parts`

/**
 * What one object may take of git's memory: git itself makes no deltas of larger files (`core.bigFileThreshold`), but a pack of some bytes may
 * claim gigabytes. Files above the threshold are not held as a whole at all.
 */
const LARGEST_ALLOCATION = '600m'
const LARGEST_HELD_FILE = '64m'

/**
 * Serves one receive-pack call: git does the work, and its report is held back until the moved refs were announced.
 *
 * So whoever reads `ok` knows that objects and refs are on disk and that the event is in the right hands.
 */
export async function receivePush(body: Readable, response: ServerResponse, options: ReceiveOptions): Promise<void> {
  const start = await readHead(body)
  if (response.destroyed) return
  if (typeof start === 'string') {
    response.writeHead(400).end(`the push cannot be read: ${start}\n`)
    body.resume()
    return
  }
  const why = start.isTooLong ? TOO_MANY : start.head.commands.map(options.whyNot).find((one) => one !== undefined)
  if (why !== undefined) return refusePush(body, response, start.head, why)
  const { commands, renamed } = renameCommands(start.head.commands, options.rename)
  const announce = beginOrWhy(options, commands)
  if (typeof announce === 'string') return refusePush(body, response, start.head, announce)
  const child = spawnGit(
    ['receive-pack', '--stateless-rpc', options.path],
    [`receive.maxInputSize=${options.maxPackBytes}`, `core.bigFileThreshold=${LARGEST_HELD_FILE}`],
    { ...options.env, GIT_ALLOC_LIMIT: LARGEST_ALLOCATION },
  )
  response.once('close', () => !response.writableFinished && child.kill())
  const exit = new Promise<void>((resolve) => child.once('close', () => resolve()).once('error', () => resolve()))
  body.once('error', () => child.kill()) // a body that breaks off never ends the input of git
  child.stderr.resume()
  child.stdin.on('error', () => body.resume())
  child.stdin.write(renderPushHead(start.head, commands))
  child.stdin.write(start.rest)
  body.pipe(child.stdin)
  const [answer] = await Promise.all([collect(child.stdout, response, start.head), exit])
  await announce(await movedRefs(options, start.head, commands, answer.report))
  if (response.destroyed) return
  if (!response.headersSent) startAnswer(response)
  response.end(renderAnswer(answer, start.head, renamed))
}

/** Nothing is begun that could not be told of after a crash. */
function beginOrWhy({ begin }: ReceiveOptions, commands: readonly RefCommand[]): ReturnType<typeof begin> | string {
  try {
    return begin(commands)
  } catch (error) {
    if (isWriteRefusal(error))
      return `the disk of the Git server takes no writes (${error.message}), free space and push again`
    throw error
  }
}

/** Says no in the words of the protocol, so that git shows them. */
function refusePush(body: Readable, response: ServerResponse, head: PushHead, why: string): void {
  body.resume()
  startAnswer(response)
  const raw = renderRefusal(head.commands, why)
  response.end(renderAnswer({ packets: [], report: new Map(), raw }, head, []))
}

/** Headers of every answer of a git service. */
function startAnswer(response: ServerResponse): void {
  response.writeHead(200, {
    'content-type': 'application/x-git-receive-pack-result',
    'cache-control': 'no-cache',
  })
}

/** A head, and what was read behind it; of one that is too long the first commands, so that it can be refused in words that git shows. */
type Start = { readonly head: PushHead; readonly rest: Buffer; readonly isTooLong?: true }

async function readHead(body: Readable): Promise<Start | HeadFault> {
  let room = Buffer.alloc(64 << 10)
  let size = 0
  let at = 0
  for (;;) {
    const chunk = await nextChunk(body)
    if (chunk === undefined) return 'malformed'
    if (size + chunk.length > room.length)
      room = Buffer.concat([room.subarray(0, size)], Math.max(2 * room.length, size + chunk.length))
    size += chunk.copy(room, size)
    const skipped = skipPackets(room.subarray(0, size), at)
    if (skipped === undefined) return 'malformed'
    if (skipped.flushed) return parsePushHead(room.subarray(0, size))
    if (size > MAX_HEAD_BYTES) {
      const first = parsePushHead(Buffer.concat([room.subarray(0, skipped.at), FLUSH]))
      return typeof first === 'string' ? first : { ...first, isTooLong: true }
    }
    at = skipped.at
  }
}

function nextChunk(body: Readable): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const settle = (value: Buffer | undefined): void => {
      body.off('readable', look).off('end', ended).off('error', ended).off('close', ended)
      resolve(value)
    }
    const ended = (): void => settle(undefined)
    const look = (): void => {
      const chunk: unknown = body.read()
      if (Buffer.isBuffer(chunk)) settle(chunk)
    }
    body.on('readable', look).on('end', ended).on('error', ended).on('close', ended)
    if (body.readableEnded || body.destroyed) ended()
    else look()
  })
}

function renameCommands(
  commands: readonly RefCommand[],
  rename: ReceiveOptions['rename'],
): { readonly commands: readonly RefCommand[]; readonly renamed: readonly Renamed[] } {
  const renamed: Renamed[] = []
  const kept = commands.map((command) => {
    const to = ZERO.test(command.after) ? undefined : rename(command.ref)
    if (to === undefined) return command
    renamed.push({ from: command.ref, to })
    return { ...command, ref: to, before: '0'.repeat(command.after.length) }
  })
  return { commands: kept, renamed }
}

type Answer = { readonly packets: readonly Packet[]; readonly report: Report; readonly raw: Buffer }

/** Lets progress through at once and keeps the report. */
async function collect(output: Readable, response: ServerResponse, head: PushHead): Promise<Answer> {
  const isBanded = head.capabilities.has('side-band-64k') || head.capabilities.has('side-band')
  let pending = Buffer.alloc(0)
  let report = Buffer.alloc(0)
  for await (const chunk of output) {
    if (!Buffer.isBuffer(chunk)) continue
    pending = Buffer.concat([pending, chunk])
    if (!isBanded) continue
    const taken = takePackets(pending)
    if (taken === undefined) break
    pending = Buffer.from(taken.rest)
    for (const { raw, data } of taken.packets) {
      if (data?.[0] === 1) report = Buffer.concat([report, data.subarray(1)])
      else if (data !== undefined) sendProgress(response, raw)
    }
  }
  const bytes = isBanded ? report : pending
  const packets = takePackets(bytes)?.packets ?? []
  return { packets, report: parseReport(packets), raw: bytes }
}

function sendProgress(response: ServerResponse, raw: Buffer): void {
  if (response.destroyed) return
  if (!response.headersSent) startAnswer(response)
  response.write(raw)
}

function renderAnswer(answer: Answer, head: PushHead, renamed: readonly Renamed[]): Buffer {
  const isV2 = head.capabilities.has('report-status-v2')
  const report = renamed.length > 0 ? renameReport(answer.packets, renamed, isV2) : answer.raw
  const isBanded = head.capabilities.has('side-band-64k') || head.capabilities.has('side-band')
  if (!isBanded) return report
  const size = head.capabilities.has('side-band-64k') ? 65_000 : 990
  const parts: Buffer[] = []
  for (let at = 0; at < report.length; at += size)
    parts.push(packet(Buffer.concat([Buffer.from([1]), report.subarray(at, at + size)])))
  return Buffer.concat([...parts, FLUSH])
}

async function movedRefs(
  options: ReceiveOptions,
  head: PushHead,
  commands: readonly RefCommand[],
  report: Report,
): Promise<readonly RefCommand[]> {
  if (commands.length === 0) return []
  const isReported = head.capabilities.has('report-status') || head.capabilities.has('report-status-v2')
  if (isReported && report.size > 0) return commands.filter(({ ref }) => report.get(ref) === null)
  const refs = await currentRefs(options.path)
  return commands.filter((command) => hasMoved(command, refs))
}

/** Every ref of a repository with what it points at. @throws SluiceError GIT_FAILED: of a part of them the others would count as gone */
export async function currentRefs(path: string): Promise<ReadonlyMap<string, string>> {
  const stdout = await gitText(path, ['--git-dir', '.', 'for-each-ref', '--format=%(objectname) %(refname)'])
  const lines = stdout.split('\n').filter((line) => line !== '')
  return new Map(lines.map((line) => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))]))
}

/** True when the ref no longer is where the command found it. */
export function hasMoved({ ref, before, after }: RefCommand, refs: ReadonlyMap<string, string>): boolean {
  const now = refs.get(ref)
  if (before === after) return false
  return ZERO.test(after) ? now === undefined && !ZERO.test(before) : now !== undefined && now !== before
}
