import { mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type { EngineClient } from '../../../adapters/container-engine/client.ts'
import { readFrames } from '../../../adapters/container-engine/frames.ts'
import { openLog } from '../keeper/log.ts'

const LIMIT_BYTES = 10 * 1024 * 1024

/**
 * Copies what the engine keeps of a container's output into the node's log file, from its beginning, until the container ends. Begun again
 * after a restart of the server the file is written anew: nothing is lost and nothing is twice.
 */
export async function followLog(engine: EngineClient, id: string, path: string, tty: boolean): Promise<void> {
  mkdirSync(dirname(path), { recursive: true })
  for (const file of [path, `${path}.1`]) rmSync(file, { force: true })
  const log = openLog(path, LIMIT_BYTES)
  try {
    const answer = await engine.follow(`/containers/${id}/logs?follow=1&stdout=1&stderr=1&timestamps=1`)
    if (tty) for await (const chunk of answer) log.write('stdout', Buffer.from(chunk))
    else for await (const { stream, bytes } of readFrames(answer)) keep(log, stream, bytes)
  } finally {
    log.end()
  }
}

/** An engine puts the time before each piece. */
function keep(log: ReturnType<typeof openLog>, stream: 'stdout' | 'stderr', bytes: Buffer): void {
  const end = bytes.indexOf(32)
  const stamp = end > 0 && end < 40 ? bytes.toString('latin1', 0, end) : ''
  if (!/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(stamp)) return log.write(stream, bytes)
  log.write(stream, bytes.subarray(end + 1), new Date(stamp).toISOString().replace('Z', '000000Z'))
}
