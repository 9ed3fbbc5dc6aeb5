import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { githubContext } from '../../pipeline/ci/context.ts'
import { evaluateTemplate, type Scope } from '../../pipeline/ci/expression.ts'
import type { Json } from '../../pipeline/ci/template.ts'
import type { Workflow } from '../../pipeline/ci/workflow.ts'
import type { Engine } from './engine.ts'
import type { PushedImage } from './images.ts'
import type { RunPlace } from './job.ts'
import type { Records, RunRecord } from './records.ts'
import { runJobs, type RunEnd } from './run.ts'
import type { Slots } from './slots.ts'
import type { SourceCopy } from './source.ts'
import type { RunnerOptions } from './start.ts'

/** A run that is about to begin. */
export type Turn = {
  readonly run: RunRecord
  readonly workflow: Workflow
  readonly source: SourceCopy
  readonly signal: AbortSignal
}

/** What the runs of one runner share. */
export type Shared = {
  readonly options: RunnerOptions
  readonly records: Records
  readonly slots: Slots
  readonly engine: Engine | undefined
}

type Member = { readonly cancel: AbortController; readonly done: Promise<unknown>; isWaiting: boolean }

/** The runs of each concurrency group, a runner's own. */
const groups = new WeakMap<Records, Map<string, Member[]>>()

const LOG_CAP_BYTES = 32 << 20

/** Runs a workflow when its concurrency group lets it; `onStart` is called when it does. */
export async function execute(shared: Shared, turn: Turn, onStart: () => void): Promise<RunEnd> {
  const own = new AbortController()
  const signal = AbortSignal.any([turn.signal, own.signal])
  const concurrency = concurrencyOf(shared, turn)
  if (concurrency === undefined) return begin(shared, turn, signal, onStart)
  const all = groups.get(shared.records) ?? new Map<string, Member[]>()
  groups.set(shared.records, all)
  const others = (all.get(concurrency.group) ?? []).slice()
  for (const other of others) if (other.isWaiting || concurrency.cancelInProgress) other.cancel.abort()
  let end: (value?: unknown) => void = () => undefined
  const member: Member = { cancel: own, done: new Promise((resolve) => (end = resolve)), isWaiting: others.length > 0 }
  all.set(concurrency.group, [...others, member])
  try {
    await Promise.all(others.map(({ done }) => done))
    member.isWaiting = false
    if (signal.aborted)
      return { state: 'cancelled', cause: `a newer run of the group "${concurrency.group}" took its place` }
    return await begin(shared, turn, signal, onStart)
  } finally {
    end()
    all.set(
      concurrency.group,
      (all.get(concurrency.group) ?? []).filter((one) => one !== member),
    )
  }
}

async function begin(shared: Shared, turn: Turn, signal: AbortSignal, onStart: () => void): Promise<RunEnd> {
  const place = placeOf(shared, turn, signal)
  onStart()
  try {
    return await runJobs(place, shared.slots)
  } finally {
    rmSync(place.workFolder, { recursive: true, force: true, maxRetries: 3 })
  }
}

function placeOf({ options, records, engine }: Shared, { run, workflow, source }: Turn, signal: AbortSignal): RunPlace {
  // A pull request is somebody's proposal: it may read and build, and gets neither secrets nor the right to push to Git.
  const isTrusted = run.event.name === 'push'
  const token = isTrusted ? options.git.token : ''
  const authorization = isTrusted ? `Basic ${Buffer.from(`runner:${options.git.token}`).toString('base64')}` : undefined
  return {
    ...{ workflow, event: run.event, source, signal, authorization },
    facts: {
      ...{ runId: run.id, runNumber: run.number, attempt: run.attempt, repository: run.repository, token },
      ...{ workflow: run.workflow, workflowPath: run.path, serverUrl: new URL(source.url).origin },
    },
    secrets: isTrusted ? (options.secrets ?? {}) : {},
    workFolder: join(options.stateDir, 'work', run.id),
    logFolder: records.logFolder(run.id),
    imageFolder: options.imageFolder ?? join(options.stateDir, 'images'),
    registry: options.registry,
    engine,
    logCapBytes: options.logCapBytes ?? LOG_CAP_BYTES,
    pushes: {
      onPushing: (image) => options.report?.({ ...imageFact(run, image), intended: true }),
      onPushed(image) {
        options.onImagePushed?.(image)
        void options.report?.(imageFact(run, image))
      },
    },
  }
}

function imageFact({ id, event }: RunRecord, image: PushedImage) {
  return { kind: 'image', ...image, commit: event.commit, runId: id } as const
}

function concurrencyOf(
  shared: Shared,
  turn: Turn,
): { readonly group: string; readonly cancelInProgress: boolean } | undefined {
  const { run, workflow } = turn
  if (workflow.concurrency === undefined) return undefined
  const { facts, event } = placeOf(shared, turn, turn.signal)
  const place = { id: '', workspace: '', temp: '', os: '', arch: '' }
  const scope: Scope = { file: run.path, status: 'success', contexts: { github: githubContext(event, facts, place) } }
  const value: Json = evaluateTemplate(workflow.concurrency, scope)
  if (typeof value === 'string') return { group: value, cancelInProgress: false }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined
  const fields: ReadonlyMap<string, Json> = new Map(Object.entries(value))
  return { group: String(fields.get('group') ?? ''), cancelInProgress: fields.get('cancel-in-progress') === true }
}
