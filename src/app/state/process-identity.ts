import { readFileSync } from 'node:fs'
import { isAlive } from '../../machine/is-alive.ts'

/** A process that is not mistaken for a later one with the same number: its number and when it started (clock ticks since boot). */
export type ProcessIdentity = { readonly pid: number; readonly startedTicks: string }

/** The identity of a running process; `undefined` when there is none. Where /proc is missing, the start is unknown and the number must do. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z') return undefined
    return { pid, startedTicks: fields[19] ?? '' }
  } catch {
    return isAlive(pid) ? { pid, startedTicks: '' } : undefined
  }
}

/** Whether exactly this process still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  const now = identityOf(identity.pid)
  return now !== undefined && now.startedTicks === identity.startedTicks
}
