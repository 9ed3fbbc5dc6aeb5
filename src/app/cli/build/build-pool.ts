import { Worker } from 'node:worker_threads'
import type { Failure } from './build-folder.ts'

/** The answer to a line: what was asked, and the text or why there is none. */
export type BatchAnswer = { readonly dir: string; readonly ms: number } & (
  | { readonly ok: true; readonly yaml: string; readonly warnings?: readonly string[] }
  | ({ readonly ok: false } & Failure)
)

/** Builds folders, several at a time. */
export type BuildPool = {
  /** Answers always: a build that fails, takes too long or too much memory is an answer, too. */
  readonly build: (dir: string) => Promise<BatchAnswer>
  readonly close: () => void
}

type Job = { readonly dir: string; readonly answer: (answer: BatchAnswer) => void; readonly startedMs: number }
type Slot = { readonly worker: Worker; job: Job | undefined; timer: NodeJS.Timeout | undefined }

/** Heap of a thread: 20,000 resources need a quarter of it. */
const MAX_HEAP_MIB = 2048
const MOST_MS = 120_000

/** Starts a pool of threads, each of them this very program with the same arguments; a thread starts when there is work for it. */
export function startPool(size: number): BuildPool {
  const slots = new Set<Slot>()
  const waiting: Job[] = []
  const next = (): void => {
    const idle = [...slots].find((slot) => slot.job === undefined)
    if (waiting.length === 0 || (idle === undefined && slots.size >= size)) return
    const slot = idle ?? startSlot(slots, next)
    const job = waiting.shift()
    if (job !== undefined) assign(slots, slot, { ...job, startedMs: performance.now() })
  }
  return {
    build: (dir) =>
      new Promise((answer) => {
        waiting.push({ dir, answer, startedMs: 0 })
        next()
      }),
    close: () => {
      for (const slot of slots) void slot.worker.terminate()
    },
  }
}

function assign(slots: Set<Slot>, slot: Slot, job: Job): void {
  slot.job = job
  slot.timer = setTimeout(() => fail(slots, slot, `the build took longer than ${MOST_MS / 1000} s`), MOST_MS)
  slot.worker.postMessage(job.dir)
}

function startSlot(slots: Set<Slot>, next: () => void): Slot {
  const worker = new Worker(process.argv[1] ?? '', {
    argv: process.argv.slice(2),
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB },
  })
  const slot: Slot = { worker, job: undefined, timer: undefined }
  slots.add(slot)
  worker.on('message', (answer: BatchAnswer) => {
    finish(slot, answer)
    next()
  })
  worker.on('error', (error: Error & { code?: string }) => {
    const isMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    fail(slots, slot, isMemory ? `the build needs more than ${MAX_HEAP_MIB} MiB` : `internal error: ${error.message}`)
    next()
  })
  worker.on('exit', () => {
    fail(slots, slot, 'the thread of the build ended')
    next()
  })
  return slot
}

function finish(slot: Slot, answer: BatchAnswer): void {
  clearTimeout(slot.timer)
  slot.job?.answer(answer)
  slot.job = undefined
}

/** Answers the job of a thread that is of no more use. */
function fail(slots: Set<Slot>, slot: Slot, error: string): void {
  slots.delete(slot)
  void slot.worker.terminate()
  if (slot.job === undefined) return
  const ms = Math.round(performance.now() - slot.job.startedMs)
  finish(slot, { dir: slot.job.dir, ok: false, error, ms })
}
