import vm from 'node:vm'
import { bounded } from '../../../../lib/cel/bounded.ts'
import { readText } from '../../../../lib/kube/read.ts'

const CALL = new vm.Script('run()')
const ROOM = vm.createContext({})

/** Longest processor time that one rule of a definition may take, in milliseconds; definitions come from outside. */
const LONGEST_MS = 200

/**
 * Runs code that must end soon: after 200 ms of processor time the virtual machine itself stops it, wherever it is. Costs 0.1 ms.
 *
 * @throws Error when it was stopped, and what the code throws
 */
export function boundedCall(run: () => unknown): unknown {
  ROOM['run'] = run
  return bounded({ run: (timeout) => CALL.runInContext(ROOM, { timeout }), stopped, spentMs }, LONGEST_MS)
}

function stopped(error: unknown): boolean {
  return readText(error, 'code') === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
}

function spentMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
