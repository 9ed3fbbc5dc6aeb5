import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAlive } from './is-alive.ts'

const NAME = /^sluice-(\d+)-[a-z]+-[A-Za-z0-9]{6}$/

/** Makes a folder of our own (mode 0700) for as long as something takes; whoever makes it removes it. Its name holds the number of this process. */
export function makeScratch(of: string): string {
  return mkdtempSync(join(tmpdir(), `sluice-${process.pid}-${of}-`))
}

/** Removes such folders of processes of this user that were killed over them: keys and passwords may lie in them. */
export function removeAbandonedScratch(): void {
  for (const name of namesIn(tmpdir())) {
    const pid = Number(NAME.exec(name)?.[1])
    if (Number.isInteger(pid) && !isAlive(pid)) removeOwn(join(tmpdir(), name))
  }
}

/** What another start removes at the same moment, or what cannot be removed, keeps nobody from starting. */
function removeOwn(path: string): void {
  try {
    if (lstatSync(path).uid === process.getuid?.()) rmSync(path, { recursive: true, force: true })
  } catch {
    // the next start tries again
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
