import type { ImagePolicy, ImageUpdateAutomation } from '../../../kinds/image.ts'
import {
  applySetters,
  type ListedObject,
  mayHaveMarkers,
  type MarkerProblem,
  type SetterChange,
  type SetterOptions,
} from '../../../pipeline/image/setters.ts'
import { groupBy } from '../../../lib/value/group-by.ts'
import { cleanPath } from '../../../pipeline/source/safe-path.ts'
import type { FileChange } from '../../git/commit-and-push.ts'
import type { Mirror } from '../../git/mirror.ts'
import { RunFailure } from './run-failure.ts'

/** What the markers of a commit come to. */
export type Edited = {
  readonly files: readonly FileChange[]
  readonly changes: readonly SetterChange[]
  readonly problems: readonly MarkerProblem[]
  /** Names of the policies whose tag or digest a marker carries. */
  readonly marked: ReadonlySet<string>
}

/** What an edit goes by. */
export type EditInput = {
  readonly automation: ImageUpdateAutomation
  readonly policies: readonly ImagePolicy[]
  readonly mirror: Mirror
  /** Hashes of files without markers, so that they are read once. */
  readonly withoutMarkers: Set<string>
  readonly traps: 'safe' | 'flux'
}

/** Files of many commits: those that are there still are read once more. */
const MOST_REMEMBERED = 100_000

/** In Flux's work folder. */
function notThere({ namespace, source }: ImageUpdateAutomation, path: string): string {
  return `lstat /tmp/${namespace}-${source.name}1000000000/${path}: no such file or directory`
}

/** Sets the markers in the files of a commit; nothing is written. */
export async function editFiles(input: EditInput, commit: string): Promise<Edited> {
  const { automation, mirror, withoutMarkers, traps } = input
  const path = cleanPath(automation.updatePath)
  const isInside = (file: string): boolean => path === '' || file === path || file.startsWith(`${path}/`)
  const options: SetterOptions = {
    policies: input.policies.map(({ namespace, name, latestRef }) => ({ namespace, name, latest: latestRef })),
    namespace: automation.namespace,
    traps,
  }
  const all = (await mirror.files(commit)).filter((file) => isInside(file.path))
  const files: FileChange[] = []
  const changes: SetterChange[] = []
  const problems: MarkerProblem[] = []
  const marked = new Set<string>()
  const listed: ListedObject[] = []
  const isMissing = path !== '' && all.length === 0
  if (isMissing && traps === 'flux')
    throw new RunFailure(
      'UpdateFailed',
      `failed to apply policies: walking path for files: ${notThere(automation, path)}`,
    )
  if (isMissing) problems.push({ where: 'spec.update.path', problem: `there is nothing at "${automation.updatePath}"` })
  for (const file of all) {
    if (!mayHaveMarkers(file.path) || withoutMarkers.has(file.hash)) continue
    const text = (await mirror.blob(file.hash)).toString('utf8')
    if (!text.includes('$imagepolicy')) {
      if (withoutMarkers.size === MOST_REMEMBERED) withoutMarkers.clear()
      withoutMarkers.add(file.hash)
      continue
    }
    const result = applySetters(file.path, text, options)
    problems.push(...result.problems)
    for (const policy of result.marked) marked.add(policy)
    changes.push(...result.changes)
    listed.push(...result.listed)
    if (result.text === text) continue
    files.push({ path: file.path, bytes: Buffer.from(result.text), mode: file.isExecutable ? '100755' : '100644' })
  }
  return { files: [...files, ...filesOfLists(listed, path)], changes, problems, marked }
}

/** As Flux has it: as soon as one object of a List changes, each of every List becomes a file, or those of one path become one. */
function filesOfLists(listed: readonly ListedObject[], under: string): FileChange[] {
  if (!listed.some(({ isChanged }) => isChanged)) return []
  return [...groupBy(listed, ({ path }) => path)].map(([path, parts]) => ({
    path: under === '' ? path : `${under}/${path}`,
    bytes: Buffer.from(parts.map(({ text }) => text).join('---\n')),
    mode: '100644',
  }))
}
