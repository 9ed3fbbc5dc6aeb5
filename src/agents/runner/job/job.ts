import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describeError } from '../../../lib/error/sluice-error.ts'
import { removeTree, removeTreeOrTell } from '../../../machine/remove-tree.ts'
import { githubContext, stepVariables, type JobPlace } from '../../../pipeline/ci/context.ts'
import { evaluateTexts } from '../../../pipeline/ci/expression.ts'
import { evaluateMinutes } from '../../../pipeline/ci/time-limit.ts'
import { openDockerDoor } from '../docker/docker-socket.ts'
import { openEngineImages } from '../docker/engine-images.ts'
import { openJobImages } from '../docker/images.ts'
import { createMasker } from './mask.ts'
import { endGroups, endProcessesWith } from './process.ts'
import { type JobInstance, type JobState, type RunPlace, scopeOf } from './job-state.ts'
import { runStep, type StepResult } from './step.ts'

export type JobResult = 'success' | 'failure' | 'cancelled' | 'skipped'

/** How a job went; `cause` names the step and why, secrets masked. */
export type JobEnd = {
  readonly result: JobResult
  readonly outputs: Readonly<Record<string, string>>
  readonly cause: string | undefined
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
  await removeTree(root)
  const groups = new Set<number>()
  const trackingId = `sluice_${randomUUID()}`
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
    const baseEnv = {
      ...baseEnvironment(run, place, join(root, 'home'), door.binFolder),
      RUNNER_TRACKING_ID: trackingId,
    }
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
    endProcessesWith('RUNNER_TRACKING_ID', new Set([trackingId]))
    await removeTreeOrTell(root, run.log)
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
  const minutes = evaluateMinutes(spec.timeoutMinutes, before, DEFAULT_TIMEOUT_MINUTES)
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    cancel.abort()
  }, minutes * 60_000)
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
