import { join } from 'node:path'
import { type Concurrency, evaluateConcurrency } from '../../pipeline/ci/concurrency.ts'
import { githubContext } from '../../pipeline/ci/context.ts'
import { removeTreeOrTell } from '../../machine/remove-tree.ts'
import type { Workflow } from '../../pipeline/ci/workflow.ts'
import type { Engine } from './docker/engine.ts'
import { type Groups, openGroups } from './groups.ts'
import type { PushedImage } from './docker/images.ts'
import type { RunPlace } from './job/job-state.ts'
import type { Records, RunRecord } from './records.ts'
import { runJobs, type RunEnd } from './run.ts'
import type { Slots } from '../../lib/concurrency/slots.ts'
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
  readonly log: (line: string) => void
}

/** The concurrency groups of each repository, a runner's own. */
const groups = new WeakMap<Records, Map<string, Groups>>()

const LOG_CAP_BYTES = 32 << 20

/** Runs a workflow when its concurrency group lets it; `onStart` is called when it does. */
export async function execute(shared: Shared, turn: Turn, onStart: () => void): Promise<RunEnd> {
  const concurrency = concurrencyOf(shared, turn)
  if (concurrency === undefined) return begin(shared, turn, turn.signal, onStart)
  return groupsOf(shared, turn).enter<RunEnd>({
    concurrency,
    signal: turn.signal,
    begin: (signal) => begin(shared, turn, signal, onStart, concurrency.group),
    displaced: (cause) => ({ state: 'cancelled', cause }),
  })
}

function groupsOf({ records }: Shared, { run }: Turn): Groups {
  const all = groups.get(records) ?? new Map<string, Groups>()
  groups.set(records, all)
  const found = all.get(run.repository) ?? openGroups()
  all.set(run.repository, found)
  return found
}

async function begin(
  shared: Shared,
  turn: Turn,
  signal: AbortSignal,
  onStart: () => void,
  heldGroup?: string,
): Promise<RunEnd> {
  const place = { ...placeOf(shared, turn, signal), heldGroup }
  onStart()
  try {
    return await runJobs(place, shared.slots)
  } finally {
    await removeTreeOrTell(place.workFolder, place.log)
  }
}

function placeOf(shared: Shared, turn: Turn, signal: AbortSignal): RunPlace {
  const { options, records, engine, log } = shared
  const { run, workflow, source } = turn
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
    ...{ engine, log: (line) => log(`runner: ${line}`) },
    groups: groupsOf(shared, turn),
    heldGroup: undefined,
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

function concurrencyOf(shared: Shared, turn: Turn): Concurrency | undefined {
  const { facts, event } = placeOf(shared, turn, turn.signal)
  const place = { id: '', workspace: '', temp: '', os: '', arch: '' }
  const contexts = { github: githubContext(event, facts, place) }
  return evaluateConcurrency(turn.workflow.concurrency, { file: turn.run.path, status: 'success', contexts })
}
