import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { removeStaleLocks } from '../../adapters/git/stale-locks.ts'
import { saysDiskIsFull } from '../../lib/error/full-disk.ts'
import { describeError, SluiceError } from '../../lib/error/sluice-error.ts'
import { removeTreeSync } from '../../machine/remove-tree.ts'
import { matchEvent } from '../../pipeline/ci/event.ts'
import type { Workflow } from '../../pipeline/ci/workflow.ts'
import type { ReportFact } from '../../pipeline/record/fact.ts'
import { MOST_CUT_OFFS, pauseAfterMs } from './cut-off.ts'
import { findEngine, type BuilderWord, type Engine } from './docker/engine.ts'
import type { PushedImage, RegistryPlace } from './docker/images.ts'
import { endProcessesWith } from './job/process.ts'
import { isActive, openRecords, placeOf } from './records.ts'
import type { PushSeen, Records, RunRecord, RunsSeen } from './records.ts'
import { untilThereIsRoom } from './room.ts'
import type { RunEnd } from './run.ts'
import { limitTo, type Slots } from '../../lib/concurrency/slots.ts'
import { describeEvent, fetchSource, readWorkflows, type SourceCopy } from './source.ts'
import { tell } from './tell.ts'

/** How to run workflows. */
export type RunnerOptions = {
  readonly git: { readonly url: (repository: string) => string; readonly token: string }
  readonly stateDir: string
  readonly registry: RegistryPlace
  /** Values for `secrets`; masked wherever they are printed. */
  readonly secrets?: Readonly<Record<string, string>>
  /** Jobs at once; as many as there are cores when absent. */
  readonly maxParallel?: number
  /** What a step may print before it is ended; 32 MiB when absent. */
  readonly logCapBytes?: number
  /** The folder of the image store; `stateDir/images` when absent. */
  readonly imageFolder?: string
  /** Who builds images; `own` when absent. */
  readonly builder?: BuilderWord
  readonly report?: ReportFact
  readonly onImagePushed?: (image: PushedImage) => void
  readonly log?: (line: string) => void
}

/** A runner at work. */
export type Runner = {
  /** Takes a push: on disk when this returns. The same push told again is ignored. */
  readonly onPush: (push: PushSeen) => void
  /** The commit of the last push of a ref that it took; what moved since was never told. */
  readonly lastTold: Records['lastTold']
  /** The pushes that it took and has not planned yet. */
  readonly taken: () => readonly PushSeen[]
  readonly runs: () => RunsSeen
  /** Ends a run, also over a restart: on disk when this returns. `undefined` when there is none of that id that has not ended. */
  readonly cancel: (runId: string, by: string) => RunRecord | undefined
  readonly forget: Records['forget']
  /** Does something while no job runs, and keeps those that come waiting; answers `undefined` when one is on its way already. */
  readonly whileIdle: <T>(work: () => Promise<T>) => Promise<T | undefined>
  /** The folder with the logs of a run: a folder a job, a file a step. */
  readonly logFolder: (runId: string) => string
  /** Ends all steps; what was running runs again at the next start. */
  readonly close: () => Promise<void>
}

const MOST_TRIES = 5
const CANCELLED = 'the run was cancelled'

/** A run that fails as often for want of room may be what fills the disk. */
const MOST_DISK_FAULTS = 8

/** The parts of a runner that its functions share. */
type Context = {
  readonly options: RunnerOptions
  readonly records: Records
  /** How many at once. */
  readonly jobs: number
  readonly slots: Slots
  readonly engine: Engine | undefined
  readonly sources: Map<string, Promise<unknown>>
  /** The last fetch of each repository's copy: two at once would take the refs from each other. */
  readonly fetches: Map<string, Promise<unknown>>
  readonly running: Map<string, { readonly cancel: AbortController; readonly done: Promise<void> }>
  readonly log: (line: string) => void
  readonly closing: AbortController
}

/**
 * Starts a runner for GitHub's workflows; it goes on with what an earlier process left: queued runs, and once more those it was ended in.
 *
 * Jobs run as this user, in a folder of their own, without isolation: it is for repositories that one trusts.
 * @throws SluiceError STATE_UNWRITABLE, STEP_UNSUPPORTED when the builder that was named does not work here
 */
export async function startRunner(options: RunnerOptions): Promise<Runner> {
  makeFolder(options.stateDir)
  const stateDir = resolve(options.stateDir)
  const log = options.log ?? (() => undefined)
  const jobs = options.maxParallel ?? availableParallelism()
  const context: Context = {
    options: { ...options, stateDir },
    records: openRecords(stateDir, (error) =>
      log(`runner: what waits is written when it can be: ${describeError(error)}`),
    ),
    engine: await findEngine(options.builder ?? 'own'),
    jobs,
    slots: limitTo(jobs),
    sources: new Map(),
    fetches: new Map(),
    running: new Map(),
    log,
    closing: new AbortController(),
  }
  endLeftovers(context)
  for (const run of context.records.list()) resume(context, run)
  for (const { id, push } of context.records.pending()) plan(context, id, push)
  return {
    onPush(push) {
      const id = context.records.accept(push)
      if (id !== undefined) plan(context, id, push)
    },
    lastTold: context.records.lastTold,
    taken: () => context.records.pending().map(({ push }) => push),
    runs: () => seen(context),
    cancel: (runId, by) => cancelRun(context, runId, by),
    forget: context.records.forget,
    whileIdle: (work) => whileIdle(context, work),
    logFolder: context.records.logFolder,
    async close() {
      context.closing.abort()
      for (const { cancel } of context.running.values()) cancel.abort()
      await Promise.all(context.sources.values())
      await Promise.all([...context.running.values()].map(({ done }) => done))
      context.records.close()
    },
  }
}

async function whileIdle<T>(context: Context, work: () => Promise<T>): Promise<T | undefined> {
  if (seen(context).active > 0) return undefined
  let open = (): void => undefined
  const over = new Promise<void>((resolve) => (open = resolve))
  for (let slot = 0; slot < context.jobs; slot++) void context.slots(() => over)
  try {
    return await work()
  } finally {
    open()
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true })
  } catch (cause) {
    throw new SluiceError('STATE_UNWRITABLE', `the folder "${folder}" of the runner cannot be made`, {
      hint: 'choose another --state',
      cause,
    })
  }
}

function seen({ records, sources, running }: Context): RunsSeen {
  const list = records.list()
  const newest = new Map(list.map((run) => [placeOf(run), run]))
  const failed = [...newest.values()].filter(({ state }) => state === 'failed')
  return {
    active: Math.max(sources.size + running.size, list.filter(isActive).length),
    failed: failed.map(({ workflow, event, cause }) => `${workflow} on ${event.ref}: ${cause ?? 'failed'}`),
    list,
  }
}

/** Processes of a run that was cut off by a crash: ended by what they say of themselves, not by number alone. */
function endLeftovers({ options, records, log }: Context): void {
  const work = join(options.stateDir, 'work')
  mkdirSync(work, { recursive: true })
  const cutOff = records.list().filter(({ state }) => state === 'running')
  endProcessesWith('GITHUB_RUN_ID', new Set(cutOff.map(({ id }) => id)))
  for (const name of list(work))
    try {
      removeTreeSync(join(work, name))
    } catch (error) {
      log(`runner: what an earlier run left cannot be removed: ${describeError(error)}`)
    }
  const sources = join(options.stateDir, 'sources')
  for (const name of list(sources)) removeStaleLocks(join(sources, name))
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function resume(context: Context, run: RunRecord): void {
  // how it ended may not have been told
  if (!isActive(run)) return tell(context.options.report, run)
  if (run.cancelledBy !== undefined) return finish(context, { ...run, state: 'cancelled' })
  if (run.state === 'queued') return start(context, run)
  const { cutOffs = 0, attempt } = run
  const again: RunRecord = { ...run, attempt: attempt + 1, cutOffs: cutOffs + 1 }
  if (again.cutOffs === MOST_CUT_OFFS) {
    const cause = `it was cut off ${MOST_CUT_OFFS} times by the end of the process`
    return finish(context, { ...again, state: 'failed', cause })
  }
  start(context, again)
}

/** Reads the workflows of a push and queues their runs; pushes of one repository in order. */
function plan(context: Context, id: string, push: PushSeen): void {
  const before = context.sources.get(push.repository) ?? Promise.resolve()
  const turn = before
    .then(() => planPatiently(context, id, push))
    .catch((error: unknown) => context.log(`runner: ${push.repository} ${push.ref}: ${describeError(error)}`))
    .finally(() => context.sources.get(push.repository) === turn && context.sources.delete(push.repository))
  context.sources.set(push.repository, turn)
}

/** A Git server that does not answer is asked again, a disk without room waited for; what cannot be planned stays on disk for the next start. */
async function planPatiently(context: Context, id: string, push: PushSeen): Promise<void> {
  for (let tries = 1; ; tries++)
    try {
      return await planRuns(context, id, push)
    } catch (error) {
      const isDiskFull = saysDiskIsFull(describeError(error))
      const mayHelp = error instanceof SluiceError && error.retry === 'backoff' && tries < MOST_TRIES
      if (!(mayHelp || isDiskFull) || context.closing.signal.aborted) throw error
      const afterMs = 250 * 2 ** Math.min(tries, MOST_TRIES)
      if (isDiskFull) await untilThereIsRoom(context.options.stateDir, afterMs, context.closing.signal)
      else await sleep(afterMs, undefined, { signal: context.closing.signal }).catch(() => undefined) // closing: `planRuns` sees it
    }
}

async function planRuns(context: Context, id: string, push: PushSeen): Promise<void> {
  const { records, options } = context
  if (context.closing.signal.aborted) return
  if (/^0+$/.test(push.after)) return records.planned(id)
  const source = await fetchCopy(context, push)
  const seen = await describeEvent(source, push)
  const files = seen === undefined ? [] : await readWorkflows(source, seen.commit)
  const { parseWorkflowFile } = await import('../../pipeline/ci/parse.ts')
  for (const { path, text } of files) {
    const runId = createHash('sha256').update(`${id} ${push.repository} ${path}`).digest('hex').slice(0, 16)
    if (seen === undefined || records.get(runId)) continue
    // the paths of a large change are not kept with every run
    const { changedPaths: _, ...event } = seen
    const workflow = attempt(() => parse(parseWorkflowFile, path, text))
    if (!(workflow instanceof SluiceError) && !matchEvent(workflow, seen).runs) continue
    const name = workflow instanceof SluiceError ? path : workflow.name
    const number = records.nextNumber(push.repository, path)
    const now = Date.now()
    const run: RunRecord = {
      ...{ id: runId, number, attempt: 1, repository: push.repository, workflow: name, path, event },
      ...{ state: 'queued', queuedAtMs: now },
    }
    records.save(run)
    tell(options.report, run)
    if (workflow instanceof SluiceError)
      finish(context, { ...run, state: 'failed', cause: `${workflow.where ?? path}: ${workflow.message}` })
    else start(context, run, { source, workflow })
  }
  records.planned(id)
}

function parse(read: (path: string, text: string) => Workflow, path: string, text: string | SluiceError): Workflow {
  if (text instanceof SluiceError) throw text
  return read(path, text)
}

function attempt(task: () => Workflow): Workflow | SluiceError {
  try {
    return task()
  } catch (error) {
    if (error instanceof SluiceError) return error
    throw error
  }
}

/** Brings a copy up to date; a run that is resumed and a push that is planned may both ask for it. */
function fetchCopy({ options, fetches }: Context, push: PushSeen): Promise<SourceCopy> {
  const { repository } = push
  const before = fetches.get(repository) ?? Promise.resolve()
  const root = join(options.stateDir, 'sources')
  const turn = before.then(() => fetchSource(root, repository, options.git.url(repository), push))
  fetches.set(
    repository,
    turn.catch(() => undefined),
  )
  return turn
}

type Known = { readonly source: SourceCopy; readonly workflow: Workflow }

/** Begins a queued run; when the runner closes, the next start does. */
function start(context: Context, run: RunRecord, known?: Known): void {
  if (context.closing.signal.aborted) return
  const cancel = new AbortController()
  const done = afterPause(context, run, cancel.signal)
    .then((isWanted) => (isWanted ? carryOut(context, run, cancel.signal, known) : undefined))
    .finally(() => context.running.delete(run.id))
  context.running.set(run.id, { cancel, done })
}

/** Waits where the run may be what ends the process; answers false when it was cancelled or the runner closed meanwhile. */
async function afterPause(context: Context, run: RunRecord, signal: AbortSignal): Promise<boolean> {
  const { cutOffs = 0 } = run
  const pauseMs = pauseAfterMs(cutOffs)
  if (pauseMs === 0) return true
  const waiting: RunRecord = { ...run, state: 'queued' }
  context.records.save(waiting)
  const again = `runs again in ${pauseMs / 1000} s`
  tell(context.options.report, {
    ...waiting,
    cause: `it was cut off ${cutOffs} times by the end of the process: ${again}`,
  })
  return sleep(pauseMs, true, { signal }).catch(() => {
    if (!context.closing.signal.aborted) finish(context, { ...run, state: 'cancelled', cause: CANCELLED })
    return false
  })
}

async function carryOut(
  context: Context,
  run: RunRecord,
  signal: AbortSignal,
  known: Known | undefined,
): Promise<void> {
  const { state, cause } = await takeTurn(context, run, signal, known)
  // A clean stop is nobody's fault: the run begins again at the next start, however often that happens.
  const isCancelled = context.records.get(run.id)?.cancelledBy !== undefined
  if (context.closing.signal.aborted && state === 'cancelled' && !isCancelled)
    return context.records.save({ ...run, state: 'queued', attempt: run.attempt + 1 })
  const { diskFaults = 0, attempt } = run
  const isDiskFull = state === 'failed' && saysDiskIsFull(cause ?? '')
  if (!isDiskFull || diskFaults === MOST_DISK_FAULTS)
    return finish(context, { ...run, state, ...(cause === undefined ? {} : { cause }) })

  const again: RunRecord = { ...run, state: 'queued', attempt: attempt + 1, diskFaults: diskFaults + 1 }
  context.records.save(again)
  tell(context.options.report, { ...again, cause: `runs again by itself when there is room: ${cause}` })
  if (await untilThereIsRoom(context.options.stateDir, 500 * 2 ** diskFaults, signal))
    return carryOut(context, again, signal, known)
  if (!context.closing.signal.aborted) finish(context, { ...again, state: 'cancelled', cause: CANCELLED })
}

/** A fault of the runner itself is a result of the run. */
async function takeTurn(
  context: Context,
  run: RunRecord,
  signal: AbortSignal,
  known: Known | undefined,
): Promise<RunEnd> {
  try {
    const { workflow, source } = known ?? (await readAgain(context, run))
    const { execute } = await import('./execute.ts')
    return await execute(context, { run, workflow, source, signal }, () => {
      const started: RunRecord = { ...run, state: 'running' }
      context.records.save(started)
      tell(context.options.report, started)
    })
  } catch (error) {
    return { state: 'failed', cause: describeError(error).replace(/\n\s*/g, '; ') }
  }
}

async function readAgain(context: Context, run: RunRecord): Promise<Known> {
  const { event, repository, path } = run
  const pull = event.pull === undefined ? {} : { pull: event.pull }
  const ref = event.baseBranch === undefined ? event.ref : `refs/for/${event.baseBranch}`
  const push = { repository, ref, before: event.before, after: event.commit, user: event.actor, ...pull }
  const source = await fetchCopy(context, push)
  const file = (await readWorkflows(source, event.commit)).find((one) => one.path === path)
  const { parseWorkflowFile } = await import('../../pipeline/ci/parse.ts')
  return { source, workflow: parse(parseWorkflowFile, path, file?.text ?? '') }
}

function cancelRun({ records, running }: Context, runId: string, by: string): RunRecord | undefined {
  const run = records.get(runId)
  if (run === undefined || !isActive(run)) return undefined
  records.save({ ...run, cancelledBy: by })
  running.get(runId)?.cancel.abort()
  return run
}

function finish({ records, options }: Context, run: RunRecord): void {
  const by = records.get(run.id)?.cancelledBy
  const cause = run.state === 'cancelled' && by !== undefined ? { cause: `${CANCELLED} by ${by}` } : {}
  const ended = { ...run, ...cause, endedAtMs: Date.now() }
  records.save(ended)
  tell(options.report, ended)
}
