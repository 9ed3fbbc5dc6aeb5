import { readdirSync, readFileSync } from 'node:fs'
import { ownBytes } from '../usage/processes.ts'

/** A container with a limit that no control group keeps. */
export type Watched = { readonly key: string; readonly pid: number; readonly memoryBytes: number }

const EVERY_MS = 1_000
const MOST_LOOKED_AT = 10_000

/**
 * Looks once a second what containers use, and tells of those that use more than they may. For users who cannot write control groups:
 * what takes all memory within a second is left to the kernel, which ends pods first.
 */
export function watchMemory(
  list: () => Promise<readonly Watched[]>,
  onTooMuch: (key: string) => Promise<void>,
): { readonly stop: () => void } {
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  const look = async (): Promise<void> => {
    for (const { key, pid, memoryBytes } of await list().catch(() => []))
      if (usedBytes(pid) > memoryBytes) await onTooMuch(key).catch(() => undefined)
    if (!isStopped) timer = setTimeout(() => void look(), EVERY_MS).unref()
  }
  timer = setTimeout(() => void look(), EVERY_MS).unref()
  return {
    stop() {
      isStopped = true
      clearTimeout(timer)
    },
  }
}

/** Memory of a process and all below it. */
function usedBytes(pid: number): number {
  let bytes = 0
  const open = [pid]
  for (let looked = 0; looked < MOST_LOOKED_AT; looked++) {
    const next = open.pop()
    if (next === undefined) break
    try {
      bytes += ownBytes(next)
      for (const task of readdirSync(`/proc/${next}/task`)) open.push(...childrenOf(next, task))
    } catch {
      // ended by itself
    }
  }
  return bytes
}

function childrenOf(pid: number, task: string): number[] {
  const text = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim()
  return text === '' ? [] : text.split(' ').map(Number)
}
