import vm from 'node:vm'

const CALL = new vm.Script('run()')
const ROOM = vm.createContext({})

/** Longest time that one rule of a definition may take, in milliseconds; definitions come from outside. */
const LONGEST_MS = 200

/**
 * Carries out a rule, and has the virtual machine stop it where it takes too long.
 *
 * @throws Error when it was stopped, and what the rule throws
 */
export function boundedCall(run: () => unknown): unknown {
  ROOM['run'] = run
  return CALL.runInContext(ROOM, { timeout: LONGEST_MS })
}
