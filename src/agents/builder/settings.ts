import type { Dockerfile, Instruction } from '../../lib/dockerfile/instruction.ts'
import { splitWords } from '../../lib/dockerfile/expand.ts'
import { readList, syntax } from '../../lib/dockerfile/parse.ts'
import { envOf, expandAll, expandOne, lookupOf, type Stage } from './stage.ts'

const DEFAULT_SHELL = ['/bin/sh', '-c']

/** `KEY=VALUE` words, or docker's old form `KEY VALUE`. */
function pairs(step: Instruction, stage: Stage, file: Dockerfile): [string, string][] {
  const lookup = lookupOf(stage)
  const words = splitWords(step.rest, file.escape)
  if (!words[0]?.includes('=')) {
    const [key = '', ...value] = words
    if (value.length === 0) throw syntax(`${step.name} must have two arguments`, file.path, step.line)
    const rest = step.rest.slice(step.rest.indexOf(key) + key.length).trim()
    return [[expandOne(key, lookup, file, step.line), expandOne(rest, lookup, file, step.line)]]
  }
  return words.map((word) => {
    const equals = word.indexOf('=')
    if (equals < 1) throw syntax(`cannot find = in "${word}": write KEY=VALUE`, file.path, step.line)
    const key = expandOne(word.slice(0, equals), lookup, file, step.line)
    return [key, expandOne(word.slice(equals + 1), lookup, file, step.line)]
  })
}

/** The command of CMD, ENTRYPOINT or a RUN: the list as it is, a text through the shell. */
export function commandOf(step: Pick<Instruction, 'list' | 'rest'>, stage: Stage): readonly string[] {
  return step.list ?? [...(stage.config.Shell ?? DEFAULT_SHELL), step.rest]
}

/**
 * Carries out an instruction that only changes how the image is run. WORKDIR's folder is made by the caller.
 * @returns false when the instruction is none of these
 */
export function applySetting(
  stage: Stage,
  step: Instruction,
  file: Dockerfile,
  args: ReadonlyMap<string, string>,
): boolean {
  const { config } = stage
  const lookup = lookupOf(stage)
  const one = (): string => expandOne(step.rest, lookup, file, step.line)
  switch (step.name) {
    case 'ENV': {
      const env = envOf(stage)
      for (const [key, value] of pairs(step, stage, file)) env.set(key, value)
      config.Env = [...env].map(([key, value]) => `${key}=${value}`)
      return true
    }
    case 'LABEL':
      config.Labels = merge(config.Labels, pairs(step, stage, file))
      return true
    case 'ARG':
      declareArgs(stage.args, step, file, args, lookup)
      return true
    case 'WORKDIR':
      config.WorkingDir = absolute(config.WorkingDir ?? '/', one())
      return true
    case 'USER':
      config.User = one()
      return true
    default:
      return applyStart(stage, step, file)
  }
}

/** The instructions about how the program of the image is started and met. */
function applyStart(stage: Stage, step: Instruction, file: Dockerfile): boolean {
  const { config } = stage
  const lookup = lookupOf(stage)
  const words = (): string[] => expandAll(step.rest, lookup, file, step.line)
  switch (step.name) {
    case 'EXPOSE':
      config.ExposedPorts = merge(
        config.ExposedPorts,
        words().flatMap((word) => ports(word, file, step)),
      )
      return true
    case 'VOLUME':
      config.Volumes = merge(
        config.Volumes,
        (step.list?.map((path) => expandOne(path, lookup, file, step.line)) ?? words()).map((path) => [path, {}]),
      )
      return true
    case 'STOPSIGNAL':
      config.StopSignal = expandOne(step.rest, lookup, file, step.line)
      return true
    case 'CMD':
      config.Cmd = commandOf(step, stage)
      return true
    case 'ENTRYPOINT':
      config.Entrypoint = commandOf(step, stage)
      if (!hasOwnCommand(stage, step)) delete config.Cmd
      return true
    case 'SHELL':
      if (!step.list?.length) throw syntax('SHELL requires the arguments to be in JSON form', file.path, step.line)
      config.Shell = step.list
      return true
    case 'HEALTHCHECK':
      config.Healthcheck = healthcheck(step, file)
      return true
    case 'MAINTAINER':
      return true
    default:
      return false
  }
}

/** A CMD of this stage stays when ENTRYPOINT comes after it; the base image's is for another program. */
function hasOwnCommand({ plan }: Stage, entrypoint: Instruction): boolean {
  return plan.steps.slice(0, plan.steps.indexOf(entrypoint)).some(({ name }) => name === 'CMD')
}

function merge<T>(
  before: Readonly<Record<string, T>> | undefined,
  more: readonly (readonly [string, T])[],
): Record<string, T> {
  return { ...before, ...Object.fromEntries(more) }
}

/** Reads `ARG a b=c`; a value from the command line wins over the default. */
export function declareArgs(
  into: Map<string, string | undefined>,
  step: Instruction,
  file: Dockerfile,
  given: ReadonlyMap<string, string>,
  lookup: (name: string) => string | undefined,
): void {
  for (const word of splitWords(step.rest, file.escape)) {
    const equals = word.indexOf('=')
    const key = equals < 0 ? word : word.slice(0, equals)
    if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(key)) throw syntax(`"${key}" is no name for an ARG`, file.path, step.line)
    const fallback = equals < 0 ? undefined : expandOne(word.slice(equals + 1), lookup, file, step.line)
    into.set(key, given.get(key) ?? fallback ?? into.get(key))
  }
}

/** A path as WORKDIR and COPY mean it: relative to the folder that is current. Keeps a trailing `/`. */
export function absolute(workdir: string, path: string): string {
  const parts: string[] = []
  for (const part of `${path.startsWith('/') ? '' : `${workdir}/`}${path}`.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') parts.pop()
    else parts.push(part)
  }
  return `/${parts.join('/')}`
}

function ports(word: string, file: Dockerfile, step: Instruction): [string, object][] {
  const found = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/i.exec(word)
  const from = Number(found?.[1])
  const to = Number(found?.[2] ?? found?.[1])
  if (!found || to < from || to > 65_535) throw syntax(`invalid containerPort: ${word}`, file.path, step.line)
  const protocol = (found[3] ?? 'tcp').toLowerCase()
  return Array.from({ length: to - from + 1 }, (_, index) => [`${from + index}/${protocol}`, {}])
}

const HEALTH_FLAGS = { interval: 'Interval', timeout: 'Timeout', 'start-period': 'StartPeriod' } as const

function healthcheck(step: Instruction, file: Dockerfile): NonNullable<Stage['config']['Healthcheck']> {
  if (/^NONE$/i.test(step.rest)) return { Test: ['NONE'] }
  if (!/^CMD\s/i.test(step.rest)) throw syntax('HEALTHCHECK wants CMD or NONE', file.path, step.line)
  const rest = step.rest.slice(3).trim()
  const list = readList(rest)
  const times: Record<string, number> = {}
  for (const [flag, value] of step.flags) {
    if (flag === 'retries') times['Retries'] = retries(value, file, step)
    else if (flag in HEALTH_FLAGS)
      times[HEALTH_FLAGS[flag as keyof typeof HEALTH_FLAGS]] = nanoseconds(value, file, step)
    else throw syntax(`unknown flag: ${flag}`, file.path, step.line)
  }
  return { Test: list ? ['CMD', ...list] : ['CMD-SHELL', rest], ...times }
}

function retries(text: string, file: Dockerfile, step: Instruction): number {
  if (!/^\d+$/.test(text)) throw syntax(`--retries is a number, not "${text}"`, file.path, step.line)
  return Number(text)
}

function nanoseconds(text: string, file: Dockerfile, step: Instruction): number {
  const units: Readonly<Record<string, number>> = { ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 }
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text))
    throw syntax(`"${text}" is no duration: write 30s`, file.path, step.line)
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce(
    (sum, [, number, unit]) => sum + Number(number) * (units[unit ?? ''] ?? 0),
    0,
  )
}
