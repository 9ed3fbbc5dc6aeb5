import { randomUUID } from 'node:crypto'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasCode } from '../../lib/error/code-of.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { read } from '../../lib/kube/read.ts'
import { makeStateFolder, unreadable, unwritable } from './state-folder.ts'

/**
 * How this program keeps its state. Whoever changes it so that an older program would misread it raises it, and brings the way from the number before.
 * Since 2 kubed's journal counts versions by its rows, where a program of before would give them out again; what it wrote is read as it is.
 */
const FORMAT = 2

/** `{"format": N}`, in every version for ever. Folders of before there were numbers are of format 1, and have none. */
const FILE = 'format.json'

/**
 * Makes a state folder, or a part of it, where there is none yet; the number of its format is looked at before anything is touched.
 *
 * @param root the folder that --state names
 * @returns the folder of the part
 * @throws SluiceError as {@link needFormat}, STATE_UNWRITABLE
 */
export function openStateFolder(root: string, part: string): string {
  needFormat(root)
  for (const dir of [root, join(root, part)]) makeStateFolder(dir)
  return join(root, part)
}

/**
 * Refuses a state folder that a newer program wrote (docs/adr/0273).
 *
 * @returns the number that is written there
 * @throws SluiceError STATE_NEWER, STATE_UNREADABLE
 */
export function needFormat(root: string): number | undefined {
  const path = join(root, FILE)
  const text = readIfThere(path)
  if (text === undefined) return undefined
  const format = parseFormat(text)
  if (format === undefined)
    throw new SluiceError('STATE_UNREADABLE', `the format of the state folder ${root} is damaged`, {
      where: path,
      hint: `nothing was touched; restore the file from a backup, or, where no newer sluice ever ran, remove it: the next start writes it again`,
    })
  if (format <= FORMAT) return format
  throw new SluiceError(
    'STATE_NEWER',
    `the state folder ${root} is of format ${format}, and this sluice reads format ${FORMAT}`,
    {
      where: path,
      hint: 'nothing was touched; start the newer sluice that wrote it, or restore a backup of before the upgrade',
    },
  )
}

/**
 * Writes the number where there is none yet or a lower one, whole or not at all. Commands that share a folder may do so at once: they write the same.
 *
 * @throws SluiceError as {@link needFormat}, STATE_UNWRITABLE
 */
export function markFormat(root: string): void {
  if (needFormat(root) === FORMAT) return
  const next = join(root, `.${FILE}.${randomUUID()}`)
  try {
    writeFileSync(next, `${JSON.stringify({ format: FORMAT })}\n`, { flush: true })
    renameSync(next, join(root, FILE))
  } catch (error) {
    throw unwritable(root, error)
  } finally {
    rmSync(next, { force: true })
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw unreadable(path, error)
  }
}

function parseFormat(text: string): number | undefined {
  try {
    const format = read(JSON.parse(text), 'format')
    return typeof format === 'number' && Number.isSafeInteger(format) && format > 0 ? format : undefined
  } catch {
    return undefined
  }
}
