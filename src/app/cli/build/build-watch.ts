import { dirname, resolve } from 'node:path'
import { diskTree } from '../../../adapters/files/disk-tree.ts'
import { watchPaths, type PathWatch } from '../../../adapters/files/watch-paths.ts'
import { watchTree, type Looks } from '../../../lib/kustomize/files/watch-tree.ts'
import type { BuildFlags } from './build-flags.ts'
import { buildFolder, describeFailure, failureOf, type Outcome } from './build-folder.ts'
import { writeOutput } from './build-output.ts'
import type { ExitCode, Io } from '../command.ts'

/** Editors and `git checkout` write several files at once: a build waits until nothing has happened for so long. */
const QUIET_MS = 30

/**
 * Builds, and builds again whenever something that the build looked at changes, until the signal.
 *
 * Each outcome that differs from the last one is shown: the whole text with `...` (YAML's mark of an end) behind it, so that two of
 * them can be compared line by line; or written to `-o`.
 */
export async function runWatch(flags: BuildFlags, io: Io): Promise<ExitCode> {
  let shown: string | undefined
  let watch: PathWatch | undefined
  while (!io.signal.aborted) {
    const { tree, looks } = watchTree(diskTree())
    const outcome = buildFolder(tree, io.cwd, flags.dir, flags.options)
    const seen = watchedPaths(resolve(io.cwd, flags.dir), looks)
    const text = 'error' in outcome ? describeFailure(outcome) : outcome.yaml
    if (text !== shown) show(outcome, flags, io)
    shown = text
    if (watch !== undefined && watch.isOf(seen)) await watch.changed(io.signal)
    else {
      // Nobody watched while this build read its files: build once more, watched.
      watch?.close()
      watch = watchPaths(seen, QUIET_MS)
    }
  }
  watch?.close()
  return 0
}

/** What the build looked at, and the folders above: each of them may be moved away or become a link. */
function watchedPaths(dir: string, { filesRead, filesMissed }: Looks): Set<string> {
  const paths = new Set<string>()
  for (const path of [dir, ...filesRead, ...filesMissed])
    for (let at = path; !paths.has(at); at = dirname(at)) paths.add(at)
  return paths
}

function show(outcome: Outcome, flags: BuildFlags, io: Io): void {
  if ('error' in outcome) return io.err(describeFailure(outcome))
  for (const warning of outcome.result.warnings) io.err(warning)
  if (flags.output === undefined) return io.out(`${outcome.yaml}...`)
  try {
    writeOutput(io.cwd, flags.output, outcome.yaml, outcome.result.objects)
    io.err(`built ${flags.dir}: ${outcome.result.objects.length} objects in ${flags.output}`)
  } catch (error) {
    io.err(describeFailure(failureOf(error)))
  }
}
