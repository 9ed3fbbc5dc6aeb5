import { availableParallelism } from 'node:os'
import { isMainThread, parentPort } from 'node:worker_threads'
import { diskTree } from '../../../adapters/files/disk-tree.ts'
import type { BuildFlags } from './build-flags.ts'
import { buildFolder } from './build-folder.ts'
import { type BatchAnswer, startPool } from './build-pool.ts'
import type { ExitCode, Io } from '../command.ts'
import { linesOf } from '../lines.ts'

/** Longest line that can be a path. */
const MAX_LINE = 65_536
const MOST_THREADS = 4
/** Lines taken in beyond what the threads work on, so that memory stays bounded when answers are not read. */
const AHEAD = 8

/**
 * Builds a folder for each line of standard input and answers a line of JSON, in order, until the input ends.
 *
 * The builds run in threads of this very program, so that one that takes too much memory or time is answered and harms no other.
 */
export async function runBatch(flags: BuildFlags, io: Io): Promise<ExitCode> {
  if (!isMainThread) return serveBuilds(flags, io)
  const pool = startPool(Math.min(availableParallelism(), MOST_THREADS))
  io.signal.addEventListener('abort', () => process.stdin.destroy(), { once: true })
  const answers: Promise<void>[] = []
  let last: Promise<void> = Promise.resolve()
  try {
    for await (const line of linesOf(process.stdin, MAX_LINE)) {
      if (line.trim() === '') continue
      const before = last
      const answer = pool.build(line)
      last = before.then(async () => io.out(JSON.stringify(await answer)))
      answers.push(last)
      if (answers.length > AHEAD) await answers.shift()
    }
  } catch (error) {
    if (!io.signal.aborted) throw error
  }
  await last
  pool.close()
  return 0
}

/** The other side: a thread that builds what it is sent. */
function serveBuilds(flags: BuildFlags, io: Io): Promise<ExitCode> {
  parentPort?.on('message', (dir: string) => parentPort?.postMessage(answerTo(dir, flags, io)))
  return new Promise(() => {})
}

function answerTo(dir: string, flags: BuildFlags, io: Io): BatchAnswer {
  const started = performance.now()
  const timed = (): number => Math.round((performance.now() - started) * 1000) / 1000
  try {
    const outcome = buildFolder(diskTree(), io.cwd, dir, flags.options)
    if ('error' in outcome) return { dir, ok: false, ...outcome, ms: timed() }
    const { warnings } = outcome.result
    return { dir, ok: true, yaml: outcome.yaml, ms: timed(), ...(warnings.length > 0 ? { warnings } : {}) }
  } catch (bug) {
    return { dir, ok: false, error: `internal error: ${bug instanceof Error ? bug.stack : String(bug)}`, ms: timed() }
  }
}
