import { mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describeError } from '../../lib/error/sluice-error.ts'
import { githubContext, stepVariables, type JobPlace, type RunFacts } from '../../pipeline/ci/context.ts'
import type { CiEvent } from '../../pipeline/ci/event.ts'
import { evaluateText, evaluateTexts, type Scope, type Status } from '../../pipeline/ci/expression.ts'
import type { Combination } from '../../pipeline/ci/matrix.ts'
import type { Json } from '../../pipeline/ci/template.ts'
import type { JobSpec, Workflow } from '../../pipeline/ci/workflow.ts'
import { openDockerDoor } from './docker-socket.ts'
import { hashFiles } from './hash-files.ts'
import type { Engine } from './engine.ts'
import type { Groups } from './groups.ts'
import { openEngineImages } from './engine-images.ts'
import { openJobImages, type JobImages, type PushWatcher, type RegistryPlace } from './images.ts'
import { createMasker, type Masker } from './mask.ts'
import { endGroups } from './process.ts'
import type { SourceCopy } from './source.ts'
import { runStep, type StepResult } from './step.ts'

export type JobResult = 'success' | 'failure' | 'cancelled' | 'skipped'

/** How a job went; `cause` names the step and why, secrets masked. */
export type JobEnd = {
  readonly result: JobResult
  readonly outputs: Readonly<Record<string, string>>
  readonly cause: string | undefined
}

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

const DEFAULT_TIMEOUT_MINUTES = 360

/** Runs the steps of a job in a workspace of its own, and cleans up after it. */
export async function runJob(given: RunPlace, instance: JobInstance): Promise<JobEnd> {
  const { spec } = instance
  const run = spec.mayPush ? given : withoutToken(given)
  const root = join(run.workFolder, `${spec.id}-${instance.index}`)
  const place: JobPlace = {
    id: spec.id,
    workspace: join(root, 'workspace'),
    temp: join(root, 'temp'),
    os: process.platform === 'darwin' ? 'macOS' : 'Linux',
    arch: process.arch === 'arm64' ? 'ARM64' : 'X64',
  }
  rmSync(root, { recursive: true, force: true })
  const groups = new Set<number>()
  for (const folder of [place.workspace, place.temp, join(root, 'home')]) mkdirSync(folder, { recursive: true })
  const masker = createMasker([
    ...Object.values(run.secrets),
    ...(run.authorization ? [run.authorization, run.facts.token] : []),
  ])
  const images = run.engine
    ? openEngineImages(run.engine, run.registry, run.pushes)
    : openJobImages(run.imageFolder, run.registry, run.pushes)
  const cancel = new AbortController()
  const signal = AbortSignal.any([run.signal, cancel.signal])
  const door = await openDockerDoor({ images, addMask: masker.add, signal })
  try {
    const baseEnv = baseEnvironment(run, place, join(root, 'home'), door.binFolder)
    const logFolder = join(run.logFolder, `${spec.id}-${instance.index}`)
    const state: JobState = {
      ...{ run, instance, place, masker, images, baseEnv, groups, logFolder, signal },
      ...{ env: {}, paths: [], steps: {}, status: 'success', jobEnv: {} },
    }
    return await runSteps(state, cancel)
  } catch (error) {
    return { result: 'failure', outputs: {}, cause: `job "${spec.id}": ${masker.mask(whole(error))}` }
  } finally {
    door.close()
    images.close()
    endGroups(groups)
    rmSync(root, { recursive: true, force: true, maxRetries: 3 })
  }
}

function withoutToken(run: RunPlace): RunPlace {
  return { ...run, authorization: undefined, facts: { ...run.facts, token: '' } }
}

async function runSteps(state: JobState, cancel: AbortController): Promise<JobEnd> {
  const { spec } = state.instance
  const before = scopeOf(state)
  state.jobEnv = { ...evaluateTexts(state.run.workflow.env, before) }
  state.jobEnv = { ...state.jobEnv, ...evaluateTexts(spec.env, scopeOf(state)) }
  const minutes = Number(evaluateText(spec.timeoutMinutes, before) ?? DEFAULT_TIMEOUT_MINUTES)
  const limitMs = minutes * 60_000
  let timedOut = false
  const timer = setTimeout(
    () => {
      timedOut = true
      cancel.abort()
    },
    Math.min(limitMs, 2 ** 31 - 1),
  )
  let cause: string | undefined
  try {
    for (const [index, step] of spec.steps.entries()) {
      const result: StepResult = await runStep(state, step, index)
      cause ??= result.cause
      if (state.signal.aborted && state.status === 'success') state.status = timedOut ? 'failure' : 'cancelled'
      else if (result.conclusion === 'failure') state.status = 'failure'
    }
  } finally {
    clearTimeout(timer)
  }
  if (timedOut) cause = `job "${spec.id}" ran longer than its timeout of ${minutes} minutes`
  const outputs = evaluateTexts(spec.outputs, scopeOf(state))
  const open = Object.entries(outputs).filter(([, value]) => state.masker.mask(value) === value)
  return { result: state.status, outputs: Object.fromEntries(open), cause }
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

function baseEnvironment(run: RunPlace, place: JobPlace, home: string, bin: string): Record<string, string> {
  const path = [bin, dirname(process.execPath), process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin'].join(':')
  return {
    ...{ PATH: path, HOME: home, LANG: 'C.UTF-8', TMPDIR: place.temp, USER: 'runner', DOCKER_HOST: '' },
    ...{ GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1' },
    ...stepVariables(githubContext(run.event, run.facts, place), place),
  }
}

function whole(error: unknown): string {
  return describeError(error).replace(/\n\s*/g, '; ')
}
