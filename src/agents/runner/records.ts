import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { CiEvent } from '../../pipeline/ci/event.ts'

/** A push as a Git server tells it; `refs/for/<branch>` with a number is a pull request. */
export type PushSeen = {
  readonly repository: string
  readonly ref: string
  readonly before: string
  readonly after: string
  readonly user: string
  readonly pull?: number
}

export type RunState = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled'

/** One run of one workflow. */
export type RunRecord = {
  readonly id: string
  readonly number: number
  readonly attempt: number
  /** How often the end of the process cut it off, clean stops not counted. */
  readonly cutOffs?: number
  readonly repository: string
  readonly workflow: string
  readonly path: string
  readonly event: CiEvent
  readonly state: RunState
  readonly cause?: string
  readonly queuedAtMs: number
  readonly endedAtMs?: number
}

/** Pushes that are not planned yet, runs and run numbers: files below one folder, each written whole and flushed. */
export type Records = {
  /** Keeps a push until `planned`; answers undefined when it is the last one of its ref, told again. */
  readonly accept: (push: PushSeen) => string | undefined
  /** The commit of the last push of a ref that was accepted. */
  readonly lastTold: (place: Pick<PushSeen, 'repository' | 'ref' | 'pull'>) => string | undefined
  readonly pending: () => readonly { readonly id: string; readonly push: PushSeen }[]
  readonly planned: (id: string) => void
  /** Counts up per repository and workflow, without gaps. */
  readonly nextNumber: (repository: string, path: string) => number
  readonly save: (run: RunRecord) => void
  readonly list: () => readonly RunRecord[]
  readonly get: (id: string) => RunRecord | undefined
  readonly logFolder: (id: string) => string
}

const KEPT_RUNS = 500

/** Opens the records below `stateDir`, creating what is missing. */
export function openRecords(stateDir: string): Records {
  const at = (name: string): string => join(stateDir, name)
  for (const name of ['pushes', 'runs', 'logs']) mkdirSync(at(name), { recursive: true })
  const numbers = readMap<number>(at('numbers.json'))
  const last = readMap<string>(at('last-pushes.json'))
  const runs = new Map<string, RunRecord>()
  for (const name of readdirSync(at('runs')).filter((one) => one.endsWith('.json'))) {
    const run = readJson<RunRecord>(join(at('runs'), name))
    if (run) runs.set(run.id, run)
  }
  // the process may have ended between the two writes of `accept`: a kept push that goes on from the last one was accepted, too
  for (const { push } of pendingIn(at('pushes')))
    if (isNext(push, last[placeKey(push)])) last[placeKey(push)] = stepOf(push)
  let pushes = Math.max(
    0,
    ...readdirSync(at('pushes')).map((name) => Number.parseInt(name, 10) || 0),
    numbers['\0pushes'] ?? 0,
  )
  return {
    accept(push) {
      const key = placeKey(push)
      const step = stepOf(push)
      if (last[key] === step) return undefined
      pushes = Math.max(pushes, Date.now()) + 1
      const id = String(pushes)
      writeDurably(join(at('pushes'), `${id}.json`), push)
      last[key] = step
      writeDurably(at('last-pushes.json'), last)
      return id
    },
    lastTold: (place) => last[placeKey(place)]?.split(' ')[1],
    pending: () => pendingIn(at('pushes')),
    planned: (id) => rmSync(join(at('pushes'), `${id}.json`), { force: true }),
    nextNumber(repository, path) {
      const key = `${repository} ${path}`
      numbers[key] = (numbers[key] ?? 0) + 1
      writeDurably(at('numbers.json'), numbers)
      return numbers[key]
    },
    save(run) {
      runs.set(run.id, run)
      writeDurably(join(at('runs'), `${run.id}.json`), run)
      for (const old of [...runs.values()].slice(0, Math.max(0, runs.size - KEPT_RUNS))) {
        if (old.state === 'queued' || old.state === 'running') continue
        runs.delete(old.id)
        rmSync(join(at('runs'), `${old.id}.json`), { force: true })
        rmSync(join(at('logs'), old.id), { recursive: true, force: true })
      }
    },
    list: () => [...runs.values()].sort((a, b) => a.queuedAtMs - b.queuedAtMs),
    get: (id) => runs.get(id),
    logFolder: (id) => join(at('logs'), id),
  }
}

/** The oldest first. */
function pendingIn(folder: string): readonly { readonly id: string; readonly push: PushSeen }[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .flatMap((name) => {
      const push = readJson<PushSeen>(join(folder, name))
      return push ? [{ id: name.slice(0, -'.json'.length), push }] : []
    })
}

function isNext({ before }: PushSeen, step: string | undefined): boolean {
  return step === undefined || step.endsWith(` ${before}`)
}

function stepOf({ before, after }: PushSeen): string {
  return `${before} ${after}`
}

function placeKey({ repository, ref, pull }: Pick<PushSeen, 'repository' | 'ref' | 'pull'>): string {
  return `${repository} ${ref} ${pull ?? ''}`
}

function writeDurably(path: string, value: unknown): void {
  const file = openSync(`${path}.new`, 'w', 0o600)
  writeSync(file, JSON.stringify(value))
  fsyncSync(file)
  closeSync(file)
  renameSync(`${path}.new`, path)
}

function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T
  } catch {
    return undefined
  }
}

function readMap<T>(path: string): Record<string, T> {
  return (existsSync(path) ? readJson<Record<string, T>>(path) : undefined) ?? {}
}
