import { readdirSync, readFileSync } from 'node:fs'
import type { Used } from '../driver.ts'

/** A process as the kernel counts it. */
export type ProcessLine = { readonly parent: number; readonly cpuTicks: number }

/** The kernel's unit in /proc is the same on every Linux. */
const NANOS_A_TICK = 10_000_000
const PAGE_BYTES = 4096

/** Every process of this machine by its pid; none where there is no /proc. */
export function readProcesses(): ReadonlyMap<number, ProcessLine> {
  const out = new Map<number, ProcessLine>()
  for (const name of entriesOf('/proc')) {
    const line = /^\d+$/.test(name) ? parseStat(textOf(`/proc/${name}/stat`)) : undefined
    if (line !== undefined) out.set(Number(name), line)
  }
  return out
}

/**
 * What a process and its descendants have used. The time of children that ended and were waited for is in their parents'; memory is what
 * nobody else could be using too, so that a program which runs twice is not counted twice.
 */
export function usageOfTree(processes: ReadonlyMap<number, ProcessLine>, root: number): Used {
  let [ticks, bytes] = [0, 0]
  for (const pid of treeOf(processes, root)) {
    ticks += processes.get(pid)?.cpuTicks ?? 0
    bytes += ownBytes(pid)
  }
  return { cpuNanos: ticks * NANOS_A_TICK, memoryBytes: bytes }
}

/** What the machine as a whole has used; undefined where there is no /proc. */
export function usageOfMachine(): Used | undefined {
  return parseMachine(textOf('/proc/stat'), textOf('/proc/meminfo'))
}

/** Reads /proc/PID/stat, whose second field may have spaces and brackets in it. @see proc(5) */
export function parseStat(text: string): ProcessLine | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  if (fields.length < 15) return undefined
  const [user, system, children, childrenSystem] = fields.slice(11, 15).map(Number)
  return {
    parent: Number(fields[1]),
    cpuTicks: (user ?? 0) + (system ?? 0) + (children ?? 0) + (childrenSystem ?? 0),
  }
}

/** Reads /proc/stat and /proc/meminfo: time that was not idle, and memory that is not to be had. */
export function parseMachine(stat: string, meminfo: string): Used | undefined {
  const [user, nice, system, , , irq, softirq, steal] = (/^cpu +(.*)$/m.exec(stat)?.[1] ?? '').split(' ').map(Number)
  const kib = (name: string): number => Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(meminfo)?.[1] ?? NaN)
  const ticks = [user, nice, system, irq, softirq, steal].reduce<number>((sum, each) => sum + (each ?? 0), 0)
  const memoryBytes = (kib('MemTotal') - kib('MemAvailable')) * 1024
  return ticks > 0 && memoryBytes > 0 ? { cpuNanos: ticks * NANOS_A_TICK, memoryBytes } : undefined
}

function treeOf(processes: ReadonlyMap<number, ProcessLine>, root: number): readonly number[] {
  const children = new Map<number, number[]>()
  for (const [pid, { parent }] of processes) {
    const known = children.get(parent)
    if (known === undefined) children.set(parent, [pid])
    else known.push(pid)
  }
  const tree = processes.has(root) ? [root] : []
  for (const pid of tree) tree.push(...(children.get(pid) ?? []))
  return tree
}

/** Memory of a process: resident pages without those of files and of shared memory; 0 when it has ended. */
export function ownBytes(pid: number): number {
  const [, resident = 0, shared = 0] = textOf(`/proc/${pid}/statm`).split(' ').map(Number)
  return Math.max(0, resident - shared) * PAGE_BYTES
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
