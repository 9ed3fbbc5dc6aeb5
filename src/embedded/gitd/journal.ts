import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RefCommand } from './commands.ts'

/** A push that was begun and not yet announced. */
export type Pending = {
  readonly repository: string
  readonly user: string
  readonly commands: readonly RefCommand[]
}

/**
 * Remembers pushes from before git may move a ref until the event was handed on, so that a crash in between loses no event.
 *
 * One small file a push, in `folder`; `begin` returns after the file is on disk and answers what removes it.
 */
export type Journal = {
  readonly begin: (pending: Pending) => () => void
  /** What an earlier process left behind, oldest first; `done` forgets it. */
  readonly leftovers: () => readonly { readonly pending: Pending; readonly done: () => void }[]
}

/** Opens the journal, creating its folder. */
export function openJournal(folder: string): Journal {
  mkdirSync(folder, { recursive: true })
  let next = 1 + Math.max(0, ...readdirSync(folder).map((name) => Number.parseInt(name, 10) || 0))
  return {
    begin(pending) {
      const path = join(folder, `${String(next++).padStart(12, '0')}.json`)
      try {
        writeFileSync(path, JSON.stringify(pending), { mode: 0o600, flag: 'wx', flush: true })
      } catch (error) {
        rmSync(path, { force: true })
        throw error
      }
      return () => rmSync(path, { force: true })
    },
    leftovers: () =>
      readdirSync(folder)
        .sort()
        .flatMap((name) => {
          const path = join(folder, name)
          const pending = parsePending(readFileSync(path, 'utf8'))
          if (pending !== undefined) return [{ pending, done: () => rmSync(path, { force: true }) }]
          rmSync(path, { force: true }) // torn by a crash before git was started: nothing had moved
          return []
        }),
  }
}

function parsePending(text: string): Pending | undefined {
  try {
    return JSON.parse(text) as Pending
  } catch {
    return undefined
  }
}
