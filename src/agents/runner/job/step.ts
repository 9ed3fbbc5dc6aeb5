import { existsSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describeError, SluiceError } from '../../../lib/error/sluice-error.ts'
import { parseCommandFile, parseLogCommand } from '../../../pipeline/ci/command-file.ts'
import { evaluateCondition, evaluateText, evaluateTexts, type Scope } from '../../../pipeline/ci/expression.ts'
import { entryOf } from '../../../pipeline/ci/template.ts'
import { evaluateMinutes } from '../../../pipeline/ci/time-limit.ts'
import { type FailureText, followFailure } from '../../../pipeline/ci/failure-text.ts'
import type { StepSpec } from '../../../pipeline/ci/workflow.ts'
import { findAction } from './built-in.ts'
import { putExchangeFile, takeExchangeFile } from './exchange-file.ts'
import { type JobState, scopeOf } from './job-state.ts'
import { type MaskedLines, maskedLines } from './mask.ts'
import { type ProcessEnd, runProcess } from './process.ts'
import { openStepLog, type StepLog } from './step-log.ts'

/** How a step went; `conclusion` is what counts, after `continue-on-error`. */
export type StepResult = {
  readonly outcome: 'success' | 'failure' | 'cancelled' | 'skipped'
  readonly conclusion: 'success' | 'failure' | 'cancelled' | 'skipped'
  readonly cause: string | undefined
}

/** A step at work. */
type Running = {
  readonly state: JobState
  readonly step: StepSpec
  readonly scope: Scope
  readonly env: Readonly<Record<string, string>>
  readonly log: StepLog
  readonly outputs: Record<string, string>
  readonly where: string
  readonly failure: FailureText
  stopMark: string | undefined
  hasTooManyMasks: boolean
  /** Its process was ended: what it printed last may be half a line. */
  isCut: boolean
}

const LONGEST_CAUSE = 300
const NO_LIMIT_MINUTES = 24 * 60

/** Runs one step and remembers its outputs; a fault of the step is a result, never thrown. */
export async function runStep(state: JobState, step: StepSpec, index: number): Promise<StepResult> {
  const id = step.id ?? `__${index}`
  const where = `${state.run.workflow.path}:${step.at.line}:${step.at.column}`
  const outputs: Record<string, string> = {}
  const log = openStepLog(join(state.logFolder, `${String(index + 1).padStart(3, '0')}.log`), state.run.logCapBytes)
  let outcome: StepResult['outcome'] = 'success'
  let cause: string | undefined
  let isForgiven = false
  try {
    if (!evaluateCondition(step.if, scopeOf(state))) outcome = 'skipped'
    else {
      const env = evaluateTexts(step.env, scopeOf(state))
      const scope = scopeOf(state, env)
      isForgiven = evaluateText(step.continueOnError, scope) === 'true'
      const running: Running = {
        ...{ state, step, scope, env, log, outputs, where },
        failure: followFailure(),
        ...{ stopMark: undefined, hasTooManyMasks: false, isCut: false },
      }
      log.line(`# ${state.masker.mask(nameOf(running))}`)
      await (step.uses === undefined ? runScript(running) : runAction(running, step.uses))
    }
  } catch (error) {
    outcome = state.signal.aborted ? 'cancelled' : 'failure'
    const text = describeError(error).replace(`\n  where: ${where}`, '')
    cause = state.masker.mask(`${where}: ${text.replace(/\n\s*/g, '; ')}`)
    log.line(`ERROR: ${cause}`)
  }
  const lost = closeLog(log)
  if (lost !== undefined) {
    outcome = 'failure'
    cause = `${where}: the log of the step cannot be written: ${lost}${cause === undefined ? '' : `; ${cause}`}`
  }
  const conclusion = outcome === 'failure' && isForgiven ? 'success' : outcome
  state.steps[id] = { outputs: { ...outputs }, outcome, conclusion }
  return { outcome, conclusion, cause: conclusion === 'failure' || conclusion === 'cancelled' ? cause : undefined }
}

/** Answers what kept lines from being written. */
function closeLog(log: StepLog): string | undefined {
  try {
    log.close()
    return undefined
  } catch (error) {
    return describeError(error)
  }
}

function nameOf({ step, scope }: Running): string {
  return (
    evaluateText(step.name, scope) ?? step.uses ?? (evaluateText(step.run, scope) ?? '').trim().split('\n')[0] ?? ''
  )
}

async function runAction(running: Running, uses: string): Promise<void> {
  const { state, step, scope, log, outputs } = running
  const action = findAction(uses, running.where)
  const made = await action({
    with: evaluateTexts(step.with, scope),
    workspace: state.place.workspace,
    env: environmentOf(running),
    event: state.run.event,
    repository: state.run.facts.repository,
    source: state.run.source,
    images: state.images,
    authorization: state.run.authorization,
    log: (line) => log.line(state.masker.mask(line)),
    addMask: state.masker.add,
    signal: state.signal,
  })
  Object.assign(outputs, made)
}

async function runScript(running: Running): Promise<void> {
  const { state, step, scope, log } = running
  const text = evaluateText(step.run, scope) ?? ''
  const files = commandFiles(running)
  const script = join(state.place.temp, 'step.script')
  putExchangeFile(script, text.endsWith('\n') ? text : `${text}\n`, 0o700)
  const minutes = evaluateMinutes(step.timeoutMinutes, scope, NO_LIMIT_MINUTES)
  // each stream has lines of its own: a piece of the other in between would tear a line, and a secret in it
  const newLines = (): MaskedLines => maskedLines(state.masker, (line) => readLine(running, line))
  const [out, err] = [newLines(), newLines()]
  const end = await runProcess({
    argv: shellOf(running, script),
    cwd: workingFolder(running),
    env: { ...environmentOf(running), ...files },
    timeoutMs: minutes * 60_000,
    signal: state.signal,
    onOut: out.write,
    onErr: err.write,
    isTooMuch: () => running.hasTooManyMasks || log.isFull(),
    groups: state.groups,
  })
  running.isCut = end.kind !== 'exit'
  out.end()
  err.end()
  if (end.kind === 'exit') readCommandFiles(running, files)
  checkEnd(running, end, minutes)
}

function checkEnd({ state, where, failure, hasTooManyMasks }: Running, end: ProcessEnd, minutes: number): void {
  if (end.kind === 'exit' && end.code === 0 && !hasTooManyMasks) return
  const job = `job "${state.instance.spec.id}"`
  if (end.kind === 'timeout')
    throw new SluiceError('STEP_LIMIT', `${job}: the step ran longer than ${minutes} minutes`, { where })
  if (end.kind === 'cancelled') throw new SluiceError('STEP_FAILED', `${job}: the step was cancelled`, { where })
  if (hasTooManyMasks)
    throw new SluiceError('STEP_LIMIT', `${job}: the step asked for more texts to be masked than a job may have`, {
      where,
      hint: 'mask the secret itself, once',
    })
  if (end.kind === 'too much output')
    throw new SluiceError('STEP_LIMIT', `${job}: the step printed more than ${state.run.logCapBytes} bytes`, { where })
  const text = failure.text().replaceAll(`${state.place.workspace}/`, '').slice(0, LONGEST_CAUSE)
  const last = text === '' ? '' : `: ${text}`
  throw new SluiceError('STEP_FAILED', `${job}: the step ended with exit code ${end.code}${last}`)
}

/** One masked line of output: a command for the runner, or a line for the log. */
function readLine(running: Running, line: string): void {
  const { state, log, outputs } = running
  const command = parseLogCommand(line)
  if (running.stopMark !== undefined) {
    if (command?.name === running.stopMark) running.stopMark = undefined
    else log.line(line)
    return
  }
  if (command?.name === 'add-mask') {
    if (!running.isCut) running.hasTooManyMasks ||= !state.masker.add(command.text)
    log.line('::add-mask::***')
    return
  }
  if (command?.name === 'set-output' && !running.isCut) outputs[command.properties['name'] ?? ''] = command.text
  if (command?.name === 'stop-commands') running.stopMark = command.text.toLowerCase()
  if (command?.name === 'error') running.failure.tell(command.text)
  else if (command === undefined) running.failure.see(line)
  log.line(line)
}

function shellOf({ state, step, scope }: Running, script: string): readonly string[] {
  const defaults = [state.instance.spec.defaults, state.run.workflow.defaults].map((one) =>
    entryOf(entryOf(one, 'run'), 'shell'),
  )
  const shell = evaluateText(step.shell ?? defaults.find((one) => one !== undefined), scope)
  const hasBash = ['/bin/bash', '/usr/bin/bash', '/usr/local/bin/bash'].some((path) => existsSync(path))
  if (shell === undefined)
    return hasBash ? ['bash', '--noprofile', '--norc', '-eo', 'pipefail', script] : ['sh', '-e', script]
  if (shell === 'bash') return ['bash', '--noprofile', '--norc', '-eo', 'pipefail', script]
  if (shell === 'sh') return ['sh', '-e', script]
  if (shell === 'python') return ['python3', script]
  if (shell.includes('{0}')) return shell.split(/\s+/).map((part) => part.replace('{0}', script))
  throw new SluiceError(
    'STEP_UNSUPPORTED',
    `the shell "${shell}" is not supported: use bash, sh, python or a command with {0}`,
  )
}

function workingFolder({ state, step, scope }: Running): string {
  const defaults = [state.instance.spec.defaults, state.run.workflow.defaults].map((one) =>
    entryOf(entryOf(one, 'run'), 'working-directory'),
  )
  const folder = evaluateText(step.workingDirectory ?? defaults.find((one) => one !== undefined), scope) ?? ''
  const path = resolve(state.place.workspace, folder)
  if (existsSync(path)) return path
  throw new SluiceError('STEP_FAILED', `the working directory "${folder}" does not exist: is a checkout missing?`)
}

function environmentOf({ state, env }: Running): Record<string, string> {
  const { baseEnv } = state
  const all: Record<string, string> = { ...baseEnv, ...state.jobEnv, ...state.env, ...env }
  return { ...all, PATH: [...state.paths, all['PATH'] ?? ''].join(':') }
}

type CommandFiles = Readonly<
  Record<'GITHUB_ENV' | 'GITHUB_OUTPUT' | 'GITHUB_PATH' | 'GITHUB_STATE' | 'GITHUB_STEP_SUMMARY', string>
>

function commandFiles({ state }: Running): CommandFiles {
  const at = (name: string): string => {
    const path = join(state.place.temp, name)
    putExchangeFile(path, '')
    return path
  }
  return {
    GITHUB_ENV: at('env.txt'),
    GITHUB_OUTPUT: at('output.txt'),
    GITHUB_PATH: at('path.txt'),
    GITHUB_STATE: at('state.txt'),
    GITHUB_STEP_SUMMARY: at('summary.md'),
  }
}

function readCommandFiles({ state, outputs, log, where }: Running, files: CommandFiles): void {
  const pairsOf = (name: 'GITHUB_ENV' | 'GITHUB_OUTPUT'): readonly (readonly [string, string])[] => {
    const pairs = parseCommandFile(takeExchangeFile(files[name]))
    if (typeof pairs === 'string') throw new SluiceError('STEP_FAILED', `${name}: ${pairs}`, { where })
    return pairs
  }
  for (const [name, value] of pairsOf('GITHUB_ENV'))
    if (!/^(GITHUB_|RUNNER_|NODE_OPTIONS$|LD_PRELOAD$)/i.test(name)) state.env[name] = value
  for (const [name, value] of pairsOf('GITHUB_OUTPUT')) outputs[name] = value
  state.paths.unshift(
    ...takeExchangeFile(files.GITHUB_PATH)
      .split('\n')
      .filter((line) => line !== '')
      .reverse(),
  )
  const summary = takeExchangeFile(files.GITHUB_STEP_SUMMARY)
  if (summary !== '') log.line(`# summary\n${state.masker.mask(summary)}`)
  rmSync(files.GITHUB_STATE, { force: true })
}
