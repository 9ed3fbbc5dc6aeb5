import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { diskTree } from '../../adapters/files/disk-tree.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { build as buildTree, renderBuild, type BuildOptions } from '../../lib/kustomize/build.ts'
import { usageError, type Command, type ExitCode, type Io } from './command.ts'
import { realFolder } from './real-folder.ts'

type Flags = { readonly output: string | undefined; readonly options: BuildOptions }
type Outcome =
  | { readonly yaml: string; readonly warnings: readonly string[] }
  | { readonly error: string; readonly where: string | undefined; readonly hint: string | undefined }

/** `sluice build DIR`: kustomize; exit codes are the original's, 0 and 1. */
export const build: Command = {
  name: 'build',
  summary: 'Build a kustomization, as kustomize build does',
  usage:
    'sluice build [DIR] [-o FILE] [--load-restrictor LoadRestrictionsRootOnly|LoadRestrictionsNone] [--reorder legacy|none] | sluice build --batch',
  async run(argv, io) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        output: { type: 'string', short: 'o' },
        'load-restrictor': { type: 'string', default: 'LoadRestrictionsRootOnly' },
        reorder: { type: 'string', default: 'legacy' },
        'enable-helm': { type: 'boolean', default: false },
        'helm-command': { type: 'string' },
        'enable-alpha-plugins': { type: 'boolean', default: false },
        batch: { type: 'boolean', default: false },
      },
    })
    const loadRestrictions = restrictionsOf(values['load-restrictor'])
    const { reorder } = values
    if (loadRestrictions === undefined)
      return usageError(
        io,
        this,
        `illegal flag value --load-restrictor ${values['load-restrictor']}; legal values: [LoadRestrictionsRootOnly LoadRestrictionsNone]`,
      )
    if (reorder !== 'legacy' && reorder !== 'none')
      return usageError(io, this, `illegal flag value --reorder ${reorder}; legal values: [legacy none]`)
    if (values['enable-helm'] || values['enable-alpha-plugins'])
      return usageError(
        io,
        this,
        '--enable-helm and --enable-alpha-plugins are not supported: render charts into files first',
      )
    const flags: Flags = { output: values.output, options: { loadRestrictions, reorder } }
    if (values.batch) return runBatch(flags, io)
    if (positionals.length > 1) return usageError(io, this, 'specify one path to a folder with a kustomization file')
    return runOne(positionals[0] ?? '.', flags, io)
  },
}

function restrictionsOf(flag: string): BuildOptions['loadRestrictions'] | undefined {
  if (flag === 'LoadRestrictionsRootOnly' || flag === 'rootOnly') return 'rootOnly'
  return flag === 'LoadRestrictionsNone' || flag === 'none' ? 'none' : undefined
}

function runOne(dir: string, flags: Flags, io: Io): ExitCode {
  const outcome = buildFolder(realFolder(io, dir), flags.options)
  if ('error' in outcome) {
    io.err(`Error: ${outcome.error}`)
    if (outcome.where !== undefined) io.err(`  where: ${outcome.where}`)
    if (outcome.hint !== undefined) io.err(`  hint: ${outcome.hint}`)
    return 1
  }
  for (const warning of outcome.warnings) io.err(warning)
  if (flags.output !== undefined) writeFileSync(resolve(io.cwd, flags.output), outcome.yaml)
  else if (outcome.yaml !== '') io.out(outcome.yaml.replace(/\n$/, ''))
  return 0
}

function buildFolder(dir: string, options: BuildOptions): Outcome {
  try {
    const result = buildTree(diskTree(), dir, options)
    return { yaml: renderBuild(result), warnings: result.warnings }
  } catch (error) {
    if (error instanceof SluiceError) return { error: error.message, where: error.where, hint: error.hint }
    const message = systemMessage(error)
    if (message === undefined) throw error
    return { error: message, where: undefined, hint: undefined }
  }
}

/** What the operating system refused, for example a file without read permission. */
function systemMessage(error: unknown): string | undefined {
  return error instanceof Error && 'syscall' in error ? error.message : undefined
}

/** Builds a folder for each line of standard input and answers a line of JSON, in order. */
async function runBatch(flags: Flags, io: Io): Promise<ExitCode> {
  const lines = createInterface({ input: process.stdin, crlfDelay: Infinity })
  io.signal.addEventListener('abort', () => lines.close(), { once: true })
  for await (const line of lines) {
    const dir = line.trim()
    if (dir === '') continue
    const started = performance.now()
    const outcome = buildFolder(realFolder(io, dir), flags.options)
    const ms = Math.round((performance.now() - started) * 1000) / 1000
    if ('error' in outcome) {
      const { error, where, hint } = outcome
      io.out(JSON.stringify({ dir, ok: false, error, where, hint, ms }))
    } else io.out(JSON.stringify({ dir, ok: true, yaml: outcome.yaml, ms }))
  }
  return 0
}
