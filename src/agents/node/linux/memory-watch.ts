import { readdirSync, readFileSync } from 'node:fs'
import { groupBy } from '../../../lib/value/group-by.ts'
import { ownBytes } from '../usage/processes.ts'

/** A container with limits that no control group keeps: its own, and that of all of its pod together. */
export type Watched = {
  readonly key: string
  readonly pid: number
  readonly pod: string
  readonly memoryBytes: number | undefined
  readonly podMemoryBytes: number | undefined
}

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
    const watched = (await list().catch(() => [])).filter(isLimited)
    for (const key of tooLarge(watched.map((each) => ({ ...each, usedBytes: usedBytes(each.pid) }))))
      await onTooMuch(key).catch(() => undefined)
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

const isLimited = ({ memoryBytes, podMemoryBytes }: Watched): boolean => (memoryBytes ?? podMemoryBytes) !== undefined

/** Those that use more than they may, and of a pod that does the one that uses most. */
export function tooLarge(watched: readonly (Watched & { readonly usedBytes: number })[]): string[] {
  const over = watched.filter(({ usedBytes, memoryBytes = Infinity }) => usedBytes > memoryBytes)
  const left = watched.filter((each) => !over.includes(each))
  const ofPods = [...groupBy(left, ({ pod }) => pod).values()].flatMap((all) => {
    const [most] = [...all].sort((a, b) => b.usedBytes - a.usedBytes)
    const sum = all.reduce((bytes, { usedBytes }) => bytes + usedBytes, 0)
    return most && sum > (most.podMemoryBytes ?? Infinity) ? [most] : []
  })
  return [...over, ...ofPods].map(({ key }) => key)
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
