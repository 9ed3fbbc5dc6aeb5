import { hasCode } from '../lib/error/code-of.ts'

/** Whether a process runs that has this number; one that is somebody else's is alive as well. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !hasCode(error, 'ESRCH')
  }
}
