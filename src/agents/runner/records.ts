import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { CiEvent } from '../../pipeline/ci/event.ts'
import { openPatientFiles } from './patient-files.ts'

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
  /** How often it failed for want of room on the disk and was queued again. */
  readonly diskFaults?: number
  readonly repository: string
  readonly workflow: string
  readonly path: string
  readonly event: CiEvent
  readonly state: RunState
  readonly cause?: string
  /** Who asked for its end; it is not tried again. */
  readonly cancelledBy?: string
  readonly queuedAtMs: number
  readonly endedAtMs?: number
}

/** What is known of all runs. */
export type RunsSeen = {
  readonly active: number
  /** The newest run of each workflow and ref, where it failed: its name and cause. */
  readonly failed: readonly string[]
  readonly list: readonly RunRecord[]
}

/** Whether a run goes on. */
export function isActive({ state }: Pick<RunRecord, 'state'>): boolean {
  return state === 'queued' || state === 'running'
}

/**
 * Pushes that are not planned yet, runs and run numbers: files below one folder, each written whole and flushed. Those that a full disk
 * refuses are kept in memory until it takes them; should the process end before, the refs of Git and the older files tell the same work again.
 */
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
  /** Forgets the runs that ended before, with their logs, but for the last of each workflow and ref; answers which. */
  readonly forget: (beforeMs: number, options: { readonly dryRun: boolean }) => readonly RunRecord[]
  readonly list: () => readonly RunRecord[]
  readonly get: (id: string) => RunRecord | undefined
  readonly logFolder: (id: string) => string
  readonly close: () => void
}

const KEPT_RUNS = 500

/** Opens the records below `stateDir`, creating what is missing; `onFault` is told when the disk begins to refuse them. */
export function openRecords(stateDir: string, onFault: (error: unknown) => void = () => undefined): Records {
  const files = openPatientFiles(onFault)
  const at = (name: string): string => join(stateDir, name)
  for (const name of ['pushes', 'runs', 'logs']) mkdirSync(at(name), { recursive: true })
  const numbers = readMap<number>(at('numbers.json'))
  const last = readMap<string>(at('last-pushes.json'))
  const runs = new Map<string, RunRecord>()
  for (const run of readRuns(stateDir)) runs.set(run.id, run)
  // the process may have ended between the two writes of `accept`: a kept push that goes on from the last one was accepted, too
  for (const { push } of pendingIn(at('pushes')))
    if (isNext(push, last[placeKey(push)])) last[placeKey(push)] = stepOf(push)
  let pushes = Math.max(lastPushIn(at('pushes')), numbers['\0pushes'] ?? 0)
  const drop = ({ id }: RunRecord): void => {
    runs.delete(id)
    files.remove(join(at('runs'), `${id}.json`))
    rmSync(join(at('logs'), id), { recursive: true, force: true })
  }
  return {
    accept(push) {
      const key = placeKey(push)
      const step = stepOf(push)
      if (last[key] === step) return undefined
      pushes = Math.max(pushes, Date.now()) + 1
      const id = String(pushes)
      files.write(join(at('pushes'), `${id}.json`), push)
      last[key] = step
      files.write(at('last-pushes.json'), withoutGone(last, key))
      return id
    },
    lastTold: (place) => last[placeKey(place)]?.split(' ')[1],
    pending: () => pendingIn(at('pushes')),
    planned: (id) => files.remove(join(at('pushes'), `${id}.json`)),
    nextNumber(repository, path) {
      const key = `${repository} ${path}`
      numbers[key] = (numbers[key] ?? 0) + 1
      files.write(at('numbers.json'), numbers)
      return numbers[key]
    },
    save(told) {
      // who cancelled it is not forgotten by one who began before
      const { cancelledBy } = runs.get(told.id) ?? {}
      const run = cancelledBy === undefined ? told : { ...told, cancelledBy }
      runs.set(run.id, run)
      files.write(join(at('runs'), `${run.id}.json`), run)
      for (const old of [...runs.values()].slice(0, Math.max(0, runs.size - KEPT_RUNS))) if (!isActive(old)) drop(old)
    },
    forget(beforeMs, { dryRun }) {
      const old = endedBefore(beforeMs, [...runs.values()])
      if (!dryRun) old.forEach(drop)
      return old
    },
    list: () => [...runs.values()].sort((a, b) => a.queuedAtMs - b.queuedAtMs),
    get: (id) => runs.get(id),
    logFolder: (id) => join(at('logs'), id),
    close: files.close,
  }
}

/** The runs that a runner keeps below its folder, the oldest first; whether it runs or not. */
export function readRuns(stateDir: string): readonly RunRecord[] {
  const folder = join(stateDir, 'runs')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => readJson<RunRecord>(join(folder, name)) ?? [])
    .sort((a, b) => a.queuedAtMs - b.queuedAtMs)
}

function endedBefore(beforeMs: number, runs: readonly RunRecord[]): readonly RunRecord[] {
  const last = new Map(runs.map((run) => [placeOf(run), run.id]))
  return runs.filter(
    (run) => !isActive(run) && (run.endedAtMs ?? run.queuedAtMs) < beforeMs && last.get(placeOf(run)) !== run.id,
  )
}

/** Runs of one workflow on one ref follow each other. */
export function placeOf({ repository, path, event }: RunRecord): string {
  return `${repository} ${path} ${event.ref}`
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

function lastPushIn(folder: string): number {
  return Math.max(0, ...readdirSync(folder).map((name) => Number.parseInt(name, 10) || 0))
}

/** A ref that is gone is kept until the next push of any: as long as its deletion may be told again, by a start. */
function withoutGone(last: Record<string, string>, justTold: string): Record<string, string> {
  for (const [key, step] of Object.entries(last)) if (key !== justTold && / 0+$/.test(step)) delete last[key]
  return last
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
