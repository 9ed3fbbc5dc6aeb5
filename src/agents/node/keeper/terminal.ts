import type { TerminalSize } from '../remote-program.ts'

/** Terminals of processes, and the end of processes with all below them. */
export type Terminals = {
  /** Tells the terminal of a process, or of one below it, its size; a terminal that is not there yet is waited for. */
  readonly resize: (pid: number, size: TerminalSize) => void
  readonly killTree: (pid: number) => void
}

/** Runs inside the keeper: uses nothing of this module's surroundings but its own functions. */
export function makeTerminals(): Terminals {
  const { execFile } = process.getBuiltinModule('node:child_process')
  /** The newest size of each, until its terminal has it. */
  const wanted = new Map<number, TerminalSize>()
  const apply = (pid: number, turnsLeft: number): void => {
    const size = wanted.get(pid)
    const owner = findTerminal(pid)
    if (size === undefined) return
    if (owner === undefined) {
      if (turnsLeft === 0) return void wanted.delete(pid)
      return void setTimeout(() => apply(pid, turnsLeft - 1), 20)
    }
    const words = ['-F', `/proc/${owner}/fd/0`, 'columns', String(size.columns), 'rows', String(size.rows)]
    execFile('stty', words, { timeout: 5_000 }, () => {
      if (wanted.get(pid) === size) wanted.delete(pid)
      else apply(pid, turnsLeft)
    })
  }
  return {
    resize(pid, size) {
      const isUnderWay = wanted.has(pid)
      wanted.set(pid, size)
      if (!isUnderWay) apply(pid, 100)
    },
    killTree,
  }
}

function killTree(pid: number): void {
  for (const each of [pid, ...descendants(pid)]) {
    try {
      process.kill(each, 'SIGKILL')
    } catch {
      // ended by itself
    }
  }
}

/** A process at or below `pid` whose input is a terminal. */
function findTerminal(pid: number): number | undefined {
  const fs = process.getBuiltinModule('node:fs')
  return [pid, ...descendants(pid)].find((each) => {
    try {
      return fs.readlinkSync(`/proc/${each}/fd/0`).startsWith('/dev/pts/')
    } catch {
      return false
    }
  })
}

function descendants(pid: number): number[] {
  const fs = process.getBuiltinModule('node:fs')
  const found: number[] = []
  const visit = (parent: number): void => {
    if (found.length > 10_000) return
    let children: number[] = []
    try {
      children = fs
        .readdirSync(`/proc/${parent}/task`)
        .flatMap((task) => fs.readFileSync(`/proc/${parent}/task/${task}/children`, 'utf8').trim().split(' '))
        .map(Number)
        .filter((child) => child > 0)
    } catch {
      // ended by itself
    }
    for (const child of children) {
      found.push(child)
      visit(child)
    }
  }
  visit(pid)
  return found
}

/** The functions that travel to the keeper; the first is the entrance. */
export const TERMINAL_PARTS = [makeTerminals, killTree, findTerminal, descendants]
