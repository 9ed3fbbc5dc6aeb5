import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The process that keeps the pods of a node, as its folder remembers it. */
export type KeeperRecord = { readonly pid: number; readonly startTime: string }

/** The keeper of a folder; `undefined` when it no longer runs. */
export function readKeeper(stateDir: string): KeeperRecord | undefined {
  try {
    const { pid, startTime } = JSON.parse(readFileSync(pathOf(stateDir), 'utf8'))
    const isSame = typeof pid === 'number' && typeof startTime === 'string' && startTimeOf(pid) === startTime
    return isSame ? { pid, startTime } : undefined
  } catch {
    return undefined
  }
}

export function writeKeeper(stateDir: string, pid: number): void {
  writeFileSync(pathOf(stateDir), JSON.stringify({ pid, startTime: startTimeOf(pid) }))
}

export function removeKeeper(stateDir: string): void {
  rmSync(pathOf(stateDir), { force: true })
}

/** Start time of a process in clock ticks since boot, which with the pid names it for good; undefined when it does not run. */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

function pathOf(stateDir: string): string {
  return join(stateDir, 'keeper.json')
}
