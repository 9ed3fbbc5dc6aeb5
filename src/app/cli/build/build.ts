import { diskTree } from '../../../adapters/files/disk-tree.ts'
import { runBatch } from './build-batch.ts'
import { parseBuildFlags, type BuildFlags } from './build-flags.ts'
import { buildFolder, describeFailure, failureOf } from './build-folder.ts'
import { writeOutput } from './build-output.ts'
import { runWatch } from './build-watch.ts'
import type { BuildResult } from '../../../lib/kustomize/build.ts'
import { renderFinding, type Finding } from '../../../lib/kustomize/findings.ts'
import type { Command, ExitCode, Io } from '../command.ts'

/** `sluice build DIR`: kustomize, with its flags, its texts and its exit codes, 0 and 1. */
export const build: Command = {
  name: 'build',
  summary: 'Build a kustomization, as kustomize build does',
  usage: `sluice build [DIR] [-o FILE|FOLDER] [--load-restrictor LoadRestrictionsRootOnly|LoadRestrictionsNone]
       sluice build [DIR] --compat 5.5|5.8.1|5.8.2   as that release of kustomize, where they differ; 5.8.1 by default
       sluice build [DIR] --origin     says behind every value which file and line it comes from
       sluice build [DIR] --check=false   leaves out the warnings that look at the built objects (docs/warnings.md)
       sluice build [DIR] --watch      builds again when a file that the build read, or looked for, changes
       sluice build --batch            reads a folder a line, answers {"dir","ok","yaml"|"error","ms"} a line, in order
       sluice build kustomization NAME --path DIR [--kustomization-file FILE] [--dry-run] [--ignore-paths PATTERN,…] [--strict-substitute]
             [--recursive --local-sources KIND/NAMESPACE/NAME=DIR,…] [-n NAMESPACE] [--kubeconfig FILE]   what the engine would apply, as flux build does

Every flag of kustomize build is taken: --reorder legacy|none, --enable-helm, --helm-command, --enable-alpha-plugins, …
Functions in containers and plug-ins are refused by name where a kustomization asks for one.`,
  async run(argv, io) {
    if (isOfFlux(argv))
      return (await import('../kustomization/build-kustomization.ts')).buildKustomizationCommand(argv, io, this)
    const flags = parseBuildFlags(argv, io.env)
    for (const note of flags.notes) io.err(note)
    if ('problem' in flags) return refuse(io, flags.problem)
    try {
      if (flags.mode === 'batch') return await runBatch(flags, io)
      if (flags.mode === 'watch') return await runWatch(flags, io)
      return await runOnce(flags, io)
    } catch (error) {
      io.err(describeFailure(failureOf(error)))
      return 1
    }
  },
}

/** `build ks NAME`, or `build ks` with the flags that only Kustomizations of Flux have; anything else is about a folder. */
function isOfFlux([kind = '', ...rest]: readonly string[]): boolean {
  const isKind = /^(ks|kustomizations?)$/.test(kind)
  return isKind && (/^[^-]/.test(rest[0] ?? '') || rest.some((word) => /^--(path|kustomization-file)\b/.test(word)))
}

function refuse(io: Io, problem: string): ExitCode {
  io.err(`Error: ${problem}`)
  return 1
}

async function runOnce(flags: BuildFlags, io: Io): Promise<ExitCode> {
  const outcome = buildFolder(diskTree(), io.cwd, flags.dir, {
    ...flags.options,
    trees: flags.checksObjects,
  })
  if ('error' in outcome) {
    io.err(describeFailure(outcome))
    return 1
  }
  for (const warning of outcome.result.warnings) io.err(warning)
  if (flags.output !== undefined) writeOutput(io.cwd, flags.output, outcome.yaml, outcome.result.objects)
  else if (outcome.yaml !== '') io.out(outcome.yaml.replace(/\n$/, ''))
  await tellFindings(outcome.result, io)
  return 0
}

/** What is probably a mistake, after the output, so that nobody waits for it; the schema is loaded here only. */
async function tellFindings({ findings, trees = [] }: BuildResult, io: Io): Promise<void> {
  const found = [...findings]
  if (trees.length > 0) {
    const { findInObjects } = await import('../../../lib/kustomize/explain/find-in-objects.ts')
    found.push(...findInObjects(trees))
  }
  for (const finding of found) io.err(renderFinding(relativeTo(io.cwd, finding)))
}

function relativeTo(cwd: string, finding: Finding): Finding {
  const { where } = finding
  return where?.startsWith(`${cwd}/`) ? { ...finding, where: where.slice(cwd.length + 1) } : finding
}
