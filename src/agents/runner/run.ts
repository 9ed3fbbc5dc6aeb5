import { evaluateConcurrency } from '../../pipeline/ci/concurrency.ts'
import { evaluateCondition, evaluateText, type Scope, type Status } from '../../pipeline/ci/expression.ts'
import { githubContext } from '../../pipeline/ci/context.ts'
import { type Combination, expandStrategy } from '../../pipeline/ci/matrix.ts'
import type { Json } from '../../pipeline/ci/template.ts'
import type { JobSpec } from '../../pipeline/ci/workflow.ts'
import { limitTo, type Slots } from '../../lib/concurrency/slots.ts'
import { runJob, type JobEnd, type JobResult } from './job/job.ts'
import type { RunPlace } from './job/job-state.ts'

/** How a run went. */
export type RunEnd = { readonly state: 'succeeded' | 'failed' | 'cancelled'; readonly cause: string | undefined }

/** Runs the jobs of a workflow: each when those it needs have ended, as many at once as there are slots. */
export async function runJobs(run: RunPlace, slots: Slots): Promise<RunEnd> {
  const ended = new Map<string, Promise<JobEnd>>()
  // jobs stand in the order of their needs, so each finds the promises that it waits for
  for (const spec of run.workflow.jobs) ended.set(spec.id, runWhenNeeded(run, spec, ended, slots))
  const all = await Promise.all(ended.values())
  const failed = all.find(({ result }) => result === 'failure')
  if (failed) return { state: 'failed', cause: failed.cause }
  const cancelled = all.find(({ result }) => result === 'cancelled')
  if (run.signal.aborted || cancelled) return { state: 'cancelled', cause: cancelled?.cause ?? 'the run was cancelled' }
  return { state: 'succeeded', cause: undefined }
}

async function runWhenNeeded(
  run: RunPlace,
  spec: JobSpec,
  ended: ReadonlyMap<string, Promise<JobEnd>>,
  slots: Slots,
): Promise<JobEnd> {
  const needed = await Promise.all(spec.needs.map(async (id) => [id, await ended.get(id)] as const))
  const needs: Record<string, Json> = Object.fromEntries(
    needed.map(([id, end]) => [id, { result: end?.result ?? 'skipped', outputs: end?.outputs ?? {} }]),
  )
  const scope = jobScope(
    run,
    spec,
    needs,
    statusOf(
      run,
      needed.map(([, end]) => end?.result),
    ),
  )
  try {
    if (!evaluateCondition(spec.if, scope)) return { result: 'skipped', outputs: {}, cause: undefined }
    return await runMatrix(run, spec, needs, scope, slots)
  } catch (error) {
    return faultOf(run, spec, error)
  }
}

function faultOf(run: RunPlace, { at }: JobSpec, error: unknown): JobEnd {
  const message = error instanceof Error ? error.message : String(error)
  return { result: 'failure', outputs: {}, cause: `${run.workflow.path}:${at.line}:${at.column}: ${message}` }
}

/** A skipped need counts as no success, so that what builds on it is skipped too. */
function statusOf(run: RunPlace, results: readonly (JobResult | undefined)[]): Status {
  if (run.signal.aborted) return 'cancelled'
  if (results.every((result) => result === 'success')) return 'success'
  return results.includes('cancelled') ? 'cancelled' : 'failure'
}

async function runMatrix(
  run: RunPlace,
  spec: JobSpec,
  needs: Readonly<Record<string, Json>>,
  scope: Scope,
  slots: Slots,
): Promise<JobEnd> {
  const { combinations, failFast, maxParallel } = expandStrategy(spec.strategy, scope)
  const stop = new AbortController()
  const signal = AbortSignal.any([run.signal, stop.signal])
  const total = combinations.length
  const runOne = (combination: Combination, index: number): Promise<JobEnd> => {
    const most = Math.min(maxParallel, total)
    const strategy = { 'fail-fast': failFast, 'job-index': index, 'job-total': total, 'max-parallel': most }
    const own: Scope = { ...scope, contexts: { ...scope.contexts, matrix: combination, strategy } }
    const begin = async (signal: AbortSignal): Promise<JobEnd> => {
      if (signal.aborted) return cancelled
      const end = await runJob({ ...run, signal }, { spec, combination, index, strategy, needs })
      if (end.result !== 'failure') return end
      if (evaluateText(spec.continueOnError, own) === 'true') return { ...end, result: 'success' }
      if (failFast) stop.abort()
      return end
    }
    // a fault of one ends none of the others: the run is over when all are
    return inGroup({ ...run, signal }, spec, own, (mine) => slots(() => begin(mine))).catch((error: unknown) => {
      if (failFast) stop.abort()
      return faultOf(run, spec, error)
    })
  }
  const limit = limitTo(maxParallel)
  return join(await Promise.all(combinations.map((combination, index) => limit(() => runOne(combination, index)))))
}

const cancelled: JobEnd = { result: 'cancelled', outputs: {}, cause: undefined }

/** Runs a job when its concurrency group lets it; it takes no slot while it waits. */
async function inGroup(
  run: RunPlace,
  spec: JobSpec,
  scope: Scope,
  begin: (signal: AbortSignal) => Promise<JobEnd>,
): Promise<JobEnd> {
  const concurrency = evaluateConcurrency(spec.concurrency, scope)
  if (concurrency === undefined) return begin(run.signal)
  if (concurrency.group === run.heldGroup)
    throw new Error(`the job waits for the concurrency group "${concurrency.group}" that its own workflow is in`)
  return run.groups.enter({
    concurrency,
    signal: run.signal,
    begin,
    displaced: (cause): JobEnd => ({ ...cancelled, cause: `job "${spec.id}": ${cause}` }),
  })
}

function join(ends: readonly JobEnd[]): JobEnd {
  const outputs: Record<string, string> = Object.assign({}, ...ends.map((end) => end.outputs))
  const failed = ends.find(({ result }) => result === 'failure')
  if (failed) return { result: 'failure', outputs, cause: failed.cause }
  const stopped = ends.find(({ result }) => result === 'cancelled')
  return { result: stopped ? 'cancelled' : 'success', outputs, cause: stopped?.cause }
}

function jobScope(run: RunPlace, spec: JobSpec, needs: Readonly<Record<string, Json>>, status: Status): Scope {
  const place = { id: spec.id, workspace: '', temp: '', os: '', arch: '' }
  return { file: run.workflow.path, status, contexts: { github: githubContext(run.event, run.facts, place), needs } }
}
