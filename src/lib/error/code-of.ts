import { readText } from '../kube/read.ts'

/** What Node, the system or SQLite call an error, as `ENOENT`; `''` for one that they do not. */
export function codeOf(error: unknown): string {
  return readText(error, 'code')
}

/** Whether an error is one of those that are called so. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes(codeOf(error))
}
