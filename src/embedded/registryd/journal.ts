import {
  closeSync,
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
import type { Change } from './catalog.ts'

const writeAsync = promisify(write)
const syncAsync = promisify(fdatasync)
const truncateAsync = promisify(ftruncate)

/** The log of every change of names: one JSON line each. What `append` has resolved survives `kill -9` and power loss. */
export type Journal = {
  /** Writes changes in one piece; changes that come at the same time share one write and one sync. */
  readonly append: (changes: readonly Change[]) => Promise<void>
  readonly close: () => Promise<void>
}

/** Reads a journal; a last line that was cut by a crash, be it only of its newline, is dropped. */
export function readJournal(path: string): Change[] {
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  const found: Change[] = []
  for (const line of lines) {
    const changes = parseLine(line)
    if (changes === undefined) break
    for (const change of changes) found.push(change)
  }
  return found
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

/** Opens a journal for appending; cuts off a line that a crash left unfinished. */
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

function endOfLastLine(path: string): number {
  const bytes = readFileSync(path)
  let end = 0
  for (let start = 0; start < bytes.length; start = end) {
    const next = bytes.indexOf(10, start)
    if (next < 0 || parseLine(bytes.toString('utf8', start, next)) === undefined) return end
    end = next + 1
  }
  return end
}

function parseLine(line: string): Change[] | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return Array.isArray(value) ? (value as Change[]) : undefined
  } catch {
    return undefined
  }
}
