import { readFileSync } from 'node:fs'
import type { Ulimit } from './bodies.ts'

/** The limits of this process, for engines that may not raise any: without CAP_SYS_RESOURCE the engine's defaults cannot be set. */
export function ownUlimits(): readonly Ulimit[] {
  return parseUlimits(readFileSync('/proc/self/limits', 'utf8'))
}

/** What engines take where nothing is said may be more than they may set; so may what is not limited at all. */
const MOST = { nofile: 1_048_576, nproc: 32_768 } as const

/** Reads `/proc/PID/limits`. */
export function parseUlimits(text: string): readonly Ulimit[] {
  const rows = [
    ['nofile', 'Max open files', MOST.nofile],
    ['nproc', 'Max processes', MOST.nproc],
  ] as const
  return rows.flatMap(([Name, row, most]) => {
    const [, soft, hard] = new RegExp(`^${row}\\s+(\\S+)\\s+(\\S+)\\s`, 'm').exec(text) ?? []
    const amount = (word: string): number => Math.min(word === 'unlimited' ? Infinity : Number(word), most)
    return soft === undefined || hard === undefined ? [] : [{ Name, Soft: amount(soft), Hard: amount(hard) }]
  })
}
