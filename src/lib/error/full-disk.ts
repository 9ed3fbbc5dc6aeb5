import { hasCode } from './code-of.ts'
/** What the kernel, git, SQLite and our own servers say; a limit of file watchers has the same code and is none of a disk. */
const FULL =
  /\bENOSPC\b(?!.*watchers)|no space left on device|\bEDQUOT\b|disk quota exceeded|disk .*is full|SQLITE_FULL/i

/** Whether an error's words say that a disk has no room: what failed by it may go through once there is some. */
export function saysDiskIsFull(text: string): boolean {
  return FULL.test(text)
}

/** Whether the system refused a write for what may pass by itself: no room, or a place that takes no writes right now. */
export function isWriteRefusal(error: unknown): error is Error {
  return error instanceof Error && hasCode(error, 'ENOSPC', 'EDQUOT', 'EROFS', 'EACCES')
}
