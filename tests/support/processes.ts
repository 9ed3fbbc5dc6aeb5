import { readdirSync, readFileSync } from 'node:fs'

/** Processes that name a folder in their arguments, or have it mounted. */
export function processesIn(folder: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid)
    .filter((pid) => ['cmdline', 'mountinfo'].some((file) => procFile(pid, file).includes(folder)))
}

/** A file of a process; empty when it is gone. */
export function procFile(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

/** Ends a process that may have ended by itself. */
export function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it has ended by itself
  }
}
