import { renameSync, rmSync, writeFileSync } from 'node:fs'

/** Small JSON files, each written whole and flushed, in the order of the calls. What the disk refuses is done once it takes it again. */
export type PatientFiles = {
  readonly write: (path: string, value: unknown) => void
  readonly remove: (path: string) => void
  /** Gives up what still waits. */
  readonly close: () => void
}

const RETRY_MS = 1_000

/**
 * Opens them. A process that ends while something waits leaves the older files, as if it had ended before.
 *
 * @param onFault told once each time the disk begins to refuse
 */
export function openPatientFiles(onFault: (error: unknown) => void): PatientFiles {
  /** By path, the oldest first; without a text it is to be removed. */
  const waiting = new Map<string, string | undefined>()
  let timer: NodeJS.Timeout | undefined
  let refusal: Error | undefined
  const drain = (): void => {
    timer = undefined
    for (const [path, text] of waiting) {
      const isFirst = refusal === undefined
      refusal = put(path, text)
      if (refusal !== undefined) {
        timer = setTimeout(drain, RETRY_MS)
        return isFirst ? onFault(refusal) : undefined
      }
      waiting.delete(path)
    }
  }
  const keep = (path: string, text: string | undefined): void => {
    // to the end: what came in between is on disk before it
    waiting.delete(path)
    waiting.set(path, text)
    if (timer === undefined) drain()
  }
  return {
    write: (path, value) => keep(path, JSON.stringify(value)),
    remove: (path) => keep(path, undefined),
    close: () => clearTimeout(timer),
  }
}

/** Answers why the disk refused. */
function put(path: string, text: string | undefined): Error | undefined {
  try {
    if (text === undefined) rmSync(path, { force: true })
    else {
      writeFileSync(`${path}.new`, text, { mode: 0o600, flush: true })
      renameSync(`${path}.new`, path)
    }
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
