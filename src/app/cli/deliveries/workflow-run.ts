import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { readSteps, shownJob } from '../../../agents/runner/job/read-steps.ts'
import { readRuns, type RunRecord } from '../../../agents/runner/records.ts'
import { branchOf, describeRun } from '../../first-delivery/describe-run.ts'
import { renderAge } from '../../terminal/age.ts'
import { renderTable } from '../../terminal/table.ts'
import { cancelRun } from './cancel.ts'
import { outputOption, STATE_OPTION, stateDirOf } from '../cluster.ts'
import { type Command, type ExitCode, type Io, usageError } from '../command.ts'
import { noSuch, refuseMore } from '../misread.ts'
import { parseCount } from './count.ts'
import { renderAnswer } from '../output.ts'
import { printRunLog } from './run-log.ts'
import { findRun, runsFolder } from './runs.ts'

const OPTIONS = {
  ...STATE_OPTION,
  ...outputOption('table'),
  limit: { type: 'string', short: 'L', default: '20' },
  workflow: { type: 'string', short: 'w' },
  job: { type: 'string', short: 'j' },
  log: { type: 'boolean', default: false },
  'log-failed': { type: 'boolean', default: false },
} as const

export const workflowRun: Command = {
  name: 'run',
  summary: 'List, show, follow and cancel workflow runs, as gh run does',
  usage: `sluice run list [-w WORKFLOW] [-L NUMBER] [--state DIR] [-o table|json|yaml]
       sluice run view <RUN> [--log | --log-failed] [-j JOB] [--state DIR] [-o table|json|yaml]
       sluice run watch <RUN> [-j JOB] [--state DIR]      its log until it ends
       sluice run cancel <RUN> [--state DIR]`,
  async run(argv, io) {
    const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: OPTIONS })
    const [verb, word] = positionals
    refuseMore(positionals, verb === 'list' ? 1 : 2)
    const stateDir = stateDirOf(values, io)
    const { job, 'log-failed': onlyFailed } = values
    if (verb === 'list') return list(stateDir, values, io)
    if (verb === undefined) return usageError(io, workflowRun, 'list, view, watch or cancel?')
    if (verb !== 'view' && verb !== 'watch' && verb !== 'cancel')
      return usageError(io, workflowRun, noSuch('verb', verb, ['list', 'view', 'watch', 'cancel']))
    if (word === undefined) return usageError(io, workflowRun, 'which run?')
    if (verb === 'cancel') return cancelRun(word, values, io)
    if (verb === 'watch') return printRunLog(word, stateDir, { job, follow: true }, io)
    if (values.log || onlyFailed) return printRunLog(word, stateDir, { job, follow: false, onlyFailed }, io)
    return view(stateDir, findRun(stateDir, word), values.output, io)
  },
}

type ListValues = { readonly limit: string; readonly workflow?: string | undefined; readonly output: string }

function list(stateDir: string, { limit, workflow, output }: ListValues, io: Io): ExitCode {
  const most = parseCount('--limit', limit)
  const runs = readRuns(runsFolder(stateDir))
    .filter((run) => workflow === undefined || run.workflow === workflow || run.path.endsWith(`/${workflow}`))
    .reverse()
    .slice(0, most)
  const header = ['STATE', 'WORKFLOW', 'BRANCH', 'COMMIT', 'EVENT', 'RUN', 'AGE']
  const table = (): string => (runs.length === 0 ? 'no workflow run yet' : renderTable(header, runs.map(rowOf)))
  io.out(renderAnswer(runs, output, 'table', table))
  return 0
}

function rowOf({ state, workflow, number, event, id, queuedAtMs }: RunRecord): string[] {
  const age = renderAge(new Date(queuedAtMs).toISOString(), Date.now())
  return [state, `${workflow} #${number}`, branchOf(event.ref), event.commit.slice(0, 7), event.name, id, age]
}

function view(stateDir: string, run: RunRecord, output: string, io: Io): ExitCode {
  const steps = readSteps(runsFolder(stateDir), run.id).map(({ job, path }) => {
    const lines = readFileSync(path, 'utf8').split('\n')
    const error = lines.find((line) => line.startsWith('ERROR: '))?.slice('ERROR: '.length)
    return { job: shownJob(job), step: lines[0]?.replace(/^# /, '') || '(skipped)', error, path }
  })
  const lines = steps.map(({ job, step, error }) => `  ${error === undefined ? '·' : '✗'} ${job}  ${step}`)
  const text = [
    `${describeRun(run)}: ${run.state}${run.cause === undefined ? '' : `\n  ${run.cause}`}`,
    ...(lines.length === 0 ? ['  no step has begun'] : lines),
    `log: sluice logs run/${run.id}`,
  ].join('\n')
  io.out(renderAnswer({ ...run, steps }, output, 'table', () => text))
  return 0
}
