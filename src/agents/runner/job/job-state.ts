import { githubContext, type JobPlace, type RunFacts } from '../../../pipeline/ci/context.ts'
import type { CiEvent } from '../../../pipeline/ci/event.ts'
import type { Scope, Status } from '../../../pipeline/ci/expression.ts'
import type { Combination } from '../../../pipeline/ci/matrix.ts'
import type { Json } from '../../../pipeline/ci/template.ts'
import type { JobSpec, Workflow } from '../../../pipeline/ci/workflow.ts'
import type { Engine } from '../docker/engine.ts'
import type { Groups } from '../groups.ts'
import { hashFiles } from './hash-files.ts'
import type { JobImages, PushWatcher, RegistryPlace } from '../docker/images.ts'
import type { Masker } from './mask.ts'
import type { SourceCopy } from '../source.ts'

/** What all jobs of a run share. */
export type RunPlace = {
  readonly workflow: Workflow
  readonly event: CiEvent
  readonly facts: RunFacts
  readonly source: SourceCopy
  readonly secrets: Readonly<Record<string, string>>
  readonly authorization: string | undefined
  /** Where jobs work; removed after each. */
  readonly workFolder: string
  readonly logFolder: string
  readonly imageFolder: string
  readonly registry: RegistryPlace
  /** Builds, tags and pushes images; our own builder when there is none. */
  readonly engine: Engine | undefined
  readonly pushes: PushWatcher
  readonly groups: Groups
  /** The concurrency group that the run itself is in. */
  readonly heldGroup: string | undefined
  readonly logCapBytes: number
  /** Of the runner itself. */
  readonly log: (line: string) => void
  readonly signal: AbortSignal
}

/** One job of the run, one combination of its matrix. */
export type JobInstance = {
  readonly spec: JobSpec
  readonly combination: Combination
  readonly index: number
  /** The context `strategy`. */
  readonly strategy: Readonly<Record<string, Json>>
  readonly needs: Readonly<Record<string, Json>>
}

/** What the steps of a job share and change. */
export type JobState = {
  readonly run: RunPlace
  readonly instance: JobInstance
  readonly place: JobPlace
  readonly masker: Masker
  readonly images: JobImages
  readonly baseEnv: Readonly<Record<string, string>>
  readonly groups: Set<number>
  readonly logFolder: string
  readonly signal: AbortSignal
  /** Set by GITHUB_ENV. */
  readonly env: Record<string, string>
  /** Set by GITHUB_PATH, newest first. */
  readonly paths: string[]
  readonly steps: Record<string, Json>
  status: Status
  jobEnv: Record<string, string>
}

/** What expressions of a step see right now. */
export function scopeOf(state: JobState, stepEnv: Readonly<Record<string, string>> = {}): Scope {
  const { run, instance, place } = state
  const { workspace, temp, os, arch } = place
  return {
    file: run.workflow.path,
    status: state.status,
    hashFiles: (patterns) => hashFiles(workspace, patterns),
    contexts: {
      github: { ...githubContext(run.event, run.facts, place), workspace },
      env: { ...state.jobEnv, ...state.env, ...stepEnv },
      job: { status: state.status },
      steps: state.steps,
      runner: { os, arch, name: 'sluice', temp, tool_cache: `${temp}/tools`, environment: 'self-hosted' },
      secrets: { ...run.secrets, GITHUB_TOKEN: run.facts.token },
      matrix: instance.combination,
      strategy: instance.strategy,
      needs: instance.needs,
    },
  }
}
