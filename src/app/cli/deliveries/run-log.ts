import { closeSync, openSync, readSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { readSteps, shownJob, type StepFile } from '../../../agents/runner/job/read-steps.ts'
import { isActive, readRuns, type RunRecord } from '../../../agents/runner/records.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { describeRun } from '../../first-delivery/describe-run.ts'
import type { ExitCode, Io } from '../command.ts'
import { findRun, runsFolder } from './runs.ts'

/** Which log, and how. */
export type RunLogOptions = {
  readonly job?: string | undefined
  /** Until the run ends. */
  readonly follow: boolean
  /** The last lines of each step alone. */
  readonly tail?: number | undefined
  /** Of the steps that failed alone. */
  readonly onlyFailed?: boolean
}

const LOOK_MS = 200
const CHUNK_BYTES = 1 << 16

/**
 * Prints the log of a workflow run as `gh run view --log` does: job, step and line, a tab between them. The logs are files of the state
 * folder, so that they can be read when nothing runs, too.
 *
 * @param word `run/ID`, `run/ID/JOB`, or what {@link findRun} takes
 * @throws SluiceError OBJECT_MISSING for a run or a job that there is not
 */
export async function printRunLog(word: string, stateDir: string, options: RunLogOptions, io: Io): Promise<ExitCode> {
  const [id = '', job = options.job] = word.replace(/^run\//, '').split('/')
  const run = findRun(stateDir, id)
  const folder = runsFolder(stateDir)
  const isWanted = (step: StepFile): boolean => job === undefined || step.job === job || step.job.startsWith(`${job}-`)
  const readers = new Map<string, StepReader>()
  let isSilent = true
  let isFirst = true
  const look = (isLast: boolean): void => {
    for (const step of readSteps(folder, run.id).filter(isWanted)) {
      const reader = readers.get(step.path) ?? openReader(step)
      readers.set(step.path, reader)
      // what comes while one looks on is no end
      const { tail } = isFirst ? options : { tail: undefined }
      for (const line of linesWanted(reader.read(isLast), { ...options, tail })) {
        isSilent = false
        io.out(line)
      }
    }
    isFirst = false
  }
  const stateOf = (): RunRecord => readRuns(folder).find((one) => one.id === run.id) ?? run
  while (options.follow && isActive(stateOf()) && !io.signal.aborted) {
    look(false)
    await sleep(LOOK_MS)
  }
  look(true)
  const now = stateOf()
  if (isSilent && job !== undefined) throw missingJob(folder, run, job)
  io.err(`${describeRun(now)}: ${now.state}${now.cause === undefined ? '' : `: ${now.cause}`}`)
  return 0
}

function missingJob(folder: string, run: RunRecord, job: string): SluiceError {
  const jobs = [...new Set(readSteps(folder, run.id).map((step) => step.job.replace(/-\d+$/, '')))]
  return new SluiceError('OBJECT_MISSING', `${describeRun(run)} has no log of a job "${job}"`, {
    hint: jobs.length === 0 ? 'no job of it has begun' : `it has: ${jobs.join(', ')}`,
  })
}

function linesWanted(lines: readonly string[], { tail, onlyFailed = false }: RunLogOptions): readonly string[] {
  if (onlyFailed && !lines.some((line) => line.split('\t')[2]?.startsWith('ERROR: '))) return []
  return tail === undefined ? lines : lines.slice(Math.max(0, lines.length - tail))
}

/** `read` answers the whole lines that came since; the last time also one without an end. */
type StepReader = { readonly read: (isLast: boolean) => readonly string[] }

/** The first line of a step's log is its name. */
function openReader({ job, path }: StepFile): StepReader {
  const decoder = new TextDecoder()
  let at = 0
  let rest = ''
  let name: string | undefined
  return {
    read(isLast) {
      const bytes = readFrom(path, at)
      at += bytes.length
      const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      if (isLast && rest !== '') lines.push(rest)
      if (name === undefined && lines[0]?.startsWith('# ') === true) name = lines.shift()?.slice(2)
      return lines.map((line) => `${shownJob(job)}\t${name ?? '-'}\t${line}`)
    },
  }
}

function readFrom(path: string, at: number): Buffer {
  const file = openSync(path, 'r')
  try {
    const chunks: Buffer[] = []
    for (let position = at; ;) {
      const chunk = Buffer.alloc(CHUNK_BYTES)
      const size = readSync(file, chunk, 0, CHUNK_BYTES, position)
      if (size === 0) return Buffer.concat(chunks)
      chunks.push(chunk.subarray(0, size))
      position += size
    }
  } finally {
    closeSync(file)
  }
}
