import assert from 'node:assert/strict'
import type { Controllers, RunOptions, SimulatedCluster } from './simulated-cluster.ts'

/** Lets processes of controllers work in trouble, each for so many steps at most; each ends wherever it is. */
export async function workInTrouble(
  { chance, run }: SimulatedCluster,
  controllers: Controllers,
  options: RunOptions,
  mostSteps: number,
): Promise<void> {
  for (let processes = chance.int(2); processes > 0; processes--)
    await run(controllers, { faults: chance.int(8), ...options, steps: chance.int(mostSteps) })
}

/** Lets a process of controllers work until nothing is written any more, at first in trouble; then begins another one, which must write nothing. */
export async function untilSettled(
  { chance, run }: SimulatedCluster,
  controllers: Controllers,
  options: RunOptions,
  again: RunOptions = {},
): Promise<void> {
  await run(controllers, { faults: chance.int(8), ...options })
  assert.deepEqual(await run(controllers, { ...options, faults: 0, ...again }), [], 'a second run wrote')
}
