import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { fdatasync, ftruncate, write } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { isChange, type Change } from './catalog.ts'

const writeAsync = promisify(write)
const syncAsync = promisify(fdatasync)
const truncateAsync = promisify(ftruncate)

/** The log of every change of names: one JSON line each. What `append` has resolved survives `kill -9` and power loss. */
export type Journal = {
  /** Writes changes in one piece; changes that come at the same time share one write and one sync. */
  readonly append: (changes: readonly Change[]) => Promise<void>
  readonly close: () => Promise<void>
}

/** What a journal says, and the numbers of lines in its middle that say nothing: what they held is lost. */
export type JournalContent = { readonly changes: readonly Change[]; readonly damagedLines: readonly number[] }

/**
 * Reads a journal; what a crash cut off at its end, be it only a newline, is dropped: it was never acknowledged.
 *
 * A line that cannot be read with readable ones behind it is no crash of ours but damage: the others still count.
 */
export function readJournal(path: string): JournalContent {
  if (!existsSync(path)) return { changes: [], damagedLines: [] }
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1).map(parseLine)
  const end = lines.findLastIndex((changes) => changes !== undefined) + 1
  const changes: Change[] = []
  const damagedLines: number[] = []
  for (const [index, line] of lines.slice(0, end).entries())
    if (line === undefined) damagedLines.push(index + 1)
    else for (const change of line) changes.push(change)
  return { changes, damagedLines }
}

/** Keeps a damaged journal aside, whole, for whoever wants to mend it; answers where. */
export function keepDamaged(path: string): string {
  for (let number = 1; ; number++) {
    const aside = `${path}.damaged-${number}`
    if (existsSync(aside)) continue
    copyFileSync(path, aside)
    return aside
  }
}

/** Replaces a journal by one that says the same in fewer lines; whole or not at all. */
export function rewriteJournal(path: string, changes: readonly Change[]): void {
  const file = openSync(`${path}.new`, 'w')
  let text = ''
  for (const change of changes) {
    text += `${JSON.stringify([change])}\n`
    if (text.length < 1 << 20) continue
    writeFileSync(file, text)
    text = ''
  }
  writeFileSync(file, text) // all of it: `writeSync` may take a part
  fsyncSync(file)
  closeSync(file)
  renameSync(`${path}.new`, path)
  syncFolder(dirname(path))
}

/** Opens a journal for appending; cuts off what stands behind the last line that can be read. */
export function openJournal(path: string): Journal {
  const file = openSync(path, 'a+')
  let length = endOfLastLine(path)
  ftruncateSync(file, length)
  let waiting: { text: string; resolve: () => void; reject: (error: unknown) => void }[] = []
  let running: Promise<void> | undefined
  /** The file may have more than `length`: of a batch that was refused. Lines behind a torn one would be lost at the next start. */
  let hasRest = false

  const cutRest = async (): Promise<void> => {
    await truncateAsync(file, length)
    hasRest = false
  }
  const put = async (batch: string): Promise<void> => {
    if (hasRest) await cutRest()
    hasRest = true
    const bytes = Buffer.from(batch)
    await writeWhole(file, bytes)
    await syncAsync(file)
    length += bytes.length
    hasRest = false
  }
  const drain = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      try {
        await put(batch.map(({ text }) => text).join(''))
        for (const { resolve } of batch) resolve()
      } catch (error) {
        await cutRest().catch(() => undefined) // the next batch tries again, and is refused as long as it fails
        for (const { reject } of batch) reject(error)
      }
    }
    running = undefined
  }
  return {
    append: (changes) =>
      new Promise((resolve, reject) => {
        waiting.push({ text: `${JSON.stringify(changes)}\n`, resolve, reject })
        running ??= drain()
      }),
    async close() {
      await running
      closeSync(file)
    },
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

async function writeWhole(file: number, bytes: Buffer): Promise<void> {
  for (let offset = 0; offset < bytes.length;) {
    const { bytesWritten } = await writeAsync(file, bytes, offset, bytes.length - offset)
    offset += bytesWritten
  }
}

/** Where the last line that can be read ends. */
function endOfLastLine(path: string): number {
  const bytes = readFileSync(path)
  for (let end = bytes.lastIndexOf(10) + 1; end > 0;) {
    const start = end < 2 ? 0 : bytes.lastIndexOf(10, end - 2) + 1
    if (parseLine(bytes.toString('utf8', start, end - 1)) !== undefined) return end
    end = start
  }
  return 0
}

function parseLine(line: string): readonly Change[] | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return Array.isArray(value) && value.every(isChange) ? value : undefined
  } catch {
    return undefined
  }
}
