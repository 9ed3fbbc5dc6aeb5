import { mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type { EngineClient } from '../../../adapters/container-engine/client.ts'
import type { EngineContainer } from '../../../adapters/container-engine/container.ts'
import { readFrames } from '../../../adapters/container-engine/frames.ts'
import { openLog } from '../keeper/log.ts'

type Log = ReturnType<typeof openLog>

/** Whose output is copied. */
type Followed = Pick<EngineContainer, 'id' | 'hasTerminal'>

/** What came last: when, as the engine wrote it, and how many pieces of that time; podman tells no more than seconds. */
type Last = { atMs: number; stamp: string; count: number }

const LIMIT_BYTES = 10 * 1024 * 1024
const AGAIN_MS = 1_000

/**
 * Copies what the engine keeps of a container's output into the node's log file, from its beginning, until the container ends. Begun again
 * after a restart of the server the file is written anew: nothing is lost and nothing is twice. Where only the connection breaks, it goes on behind
 * what came last.
 *
 * @param isOver asked after a break: whether nobody wants the rest
 */
export async function followLog(
  engine: Pick<EngineClient, 'follow'>,
  { id, hasTerminal }: Followed,
  path: string,
  isOver: () => boolean,
  againMs = AGAIN_MS,
): Promise<void> {
  mkdirSync(dirname(path), { recursive: true })
  for (const file of [path, `${path}.1`]) rmSync(file, { force: true })
  const log = openLog(path, LIMIT_BYTES)
  const last: Last = { atMs: 0, stamp: '', count: 0 }
  // with a terminal what the engine adds would be part of the text
  const query = `follow=1&stdout=1&stderr=1&timestamps=${hasTerminal ? 0 : 1}`
  try {
    while (!(await copy(engine, `/containers/${id}/logs?${query}`, hasTerminal, log, last)) && !isOver())
      await new Promise((again) => setTimeout(again, againMs).unref())
  } finally {
    log.end()
  }
}

/** Whether it came to the end. */
async function copy(
  engine: Pick<EngineClient, 'follow'>,
  path: string,
  hasTerminal: boolean,
  log: Log,
  last: Last,
): Promise<boolean> {
  try {
    const answer = await engine.follow(last.atMs === 0 ? path : `${path}&since=${(last.atMs / 1000).toFixed(3)}`)
    const before = { ...last }
    if (!hasTerminal) for await (const { stream, bytes } of readFrames(answer)) keep(log, stream, bytes, before, last)
    else
      for await (const chunk of answer) {
        log.write('stdout', Buffer.from(chunk))
        last.atMs = Date.now()
      }
    return true
  } catch {
    return false // the connection broke, or the engine is begun anew
  }
}

/** An engine puts the time before each piece; what came before the break comes again. */
function keep(log: Log, stream: 'stdout' | 'stderr', bytes: Buffer, before: Last, last: Last): void {
  const end = bytes.indexOf(32)
  const stamp = end > 0 && end < 40 ? bytes.toString('latin1', 0, end) : ''
  if (!/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(stamp)) return log.write(stream, bytes)
  const atMs = Date.parse(stamp)
  const isEarlier = atMs < before.atMs || (atMs === before.atMs && stamp < before.stamp)
  if (isEarlier || (stamp === before.stamp && before.count-- > 0)) return
  Object.assign(last, { atMs, stamp, count: stamp === last.stamp ? last.count + 1 : 1 })
  log.write(stream, bytes.subarray(end + 1), new Date(atMs).toISOString().replace('Z', '000000Z'))
}
