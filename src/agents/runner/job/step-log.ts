import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** The log of one step: a file that cannot grow beyond its cap. */
export type StepLog = {
  readonly line: (text: string) => void
  /** True when something had to be left out. */
  readonly isFull: () => boolean
  /** @throws what kept lines from being written: a full disk */
  readonly close: () => void
}

/** Opens a log file; lines beyond `capBytes` are dropped, and the last line says so. */
export function openStepLog(path: string, capBytes: number): StepLog {
  mkdirSync(dirname(path), { recursive: true })
  const file = openSync(path, 'a', 0o600)
  let size = 0
  let isFull = false
  let waiting: string[] = []
  let waitingSize = 0
  let fault: unknown
  const flush = (): void => {
    try {
      if (waiting.length > 0) writeFileSync(file, waiting.join(''))
    } catch (error) {
      fault ??= error
    }
    waiting = []
    waitingSize = 0
  }
  return {
    line(text) {
      if (isFull) return
      size += text.length + 1
      isFull = size > capBytes
      waiting.push(isFull ? `… the output is larger than ${capBytes} bytes; the rest is left out\n` : `${text}\n`)
      waitingSize += text.length
      if (waiting.length === 1) setImmediate(() => waiting.length > 0 && flush())
      if (waitingSize > 65_536) flush()
    },
    isFull: () => isFull,
    close() {
      flush()
      closeSync(file)
      isFull = true // whoever writes late writes to no file of somebody else
      if (fault !== undefined) throw fault
    },
  }
}
