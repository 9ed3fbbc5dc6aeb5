import assert from 'node:assert/strict'
import { ApiError } from '../../src/adapters/kube/api-error.ts'
import type { Bench } from '../../src/agents/workloads/bench.ts'
import type { ConvergeOptions, RunningController } from '../../src/engine/converge.ts'
import { CALM, type Trouble, type TroubledCluster } from './troubled-cluster.ts'

/** A controller in a cluster with others. */
export type Course = {
  readonly start: (bench: Bench, options: ConvergeOptions) => Promise<RunningController>
  /** What kubelets and other controllers do for a while; answers whether they did anything. */
  readonly others: () => boolean
  /** How far the clock goes on between two looks. */
  readonly stepMs: number
  /** Default: everything that can go wrong. */
  readonly trouble?: Trouble
}

/** Everything that can go wrong, all of it now and then. */
export const TROUBLE: Trouble = { refused: 0.1, lost: 0.05, raced: 0.3, late: 0.3 }

const MOST_ROUNDS = 400
/** So long nothing may happen before all counts as quiet: with steps of a minute longer than any controller waits before it tries again. */
const QUIET_ROUNDS = 15

/** So long a controller waits after a conflict. */
const AFTER_CONFLICT_MS = 20

/** Lets processes of a controller work in trouble, each for so many rounds at most; each ends wherever it is. */
export async function workInTrouble(cluster: TroubledCluster, course: Course, mostRounds: number): Promise<void> {
  const { chance } = cluster
  for (let processes = chance.int(2); processes > 0; processes--) {
    const rounds = chance.int(mostRounds)
    await work(cluster, course, { rounds, troubled: rounds })
  }
}

/** Lets a controller work until nothing is written any more, at first in trouble; then begins another process, which must write nothing. */
export async function untilQuiet(cluster: TroubledCluster, course: Course): Promise<void> {
  const { attempts, chance } = cluster
  const isQuiet = await work(cluster, course, { rounds: MOST_ROUNDS, troubled: chance.int(6) })
  assert.ok(isQuiet, `still writing: ${JSON.stringify(attempts.slice(-6))}`)
  const before = attempts.length
  await work(cluster, course, { rounds: 3, troubled: 0 })
  assert.deepEqual(attempts.slice(before), [], 'a second run wrote')
}

/** One process; answers whether all has become quiet. */
async function work(
  cluster: TroubledCluster,
  { start, others, stepMs, trouble = TROUBLE }: Course,
  { rounds, troubled }: { readonly rounds: number; readonly troubled: number },
): Promise<boolean> {
  const { clock, attempts } = cluster
  const { bench, leave } = cluster.join()
  const faults: unknown[] = []
  cluster.trouble = troubled > 0 ? trouble : CALM
  const running = await start(bench, { clock, onError: (_kind, _key, error) => void faults.push(error) })
  let quietRounds = 0
  for (let round = 0; round < rounds && quietRounds < QUIET_ROUNDS; round++) {
    if (round === troubled) cluster.trouble = CALM
    const before = attempts.length
    await turning(clock, running.whenIdle())
    const isBusy = others()
    const hasTold = cluster.deliver()
    await turning(clock, running.whenIdle())
    quietRounds = isBusy || hasTold || attempts.length > before ? 0 : quietRounds + 1
    clock.advance(stepMs)
  }
  await turning(clock, running.whenIdle())
  leave()
  await turning(clock, running.close())
  for (const fault of faults) if (!(fault instanceof ApiError)) throw fault
  return quietRounds === QUIET_ROUNDS
}

/** Waits for what is done beside a clock that stands still: who waits in the middle of it gets the clock turned. */
export async function turning(clock: TroubledCluster['clock'], work: Promise<void>): Promise<void> {
  let isDone = false
  const done = work.finally(() => (isDone = true))
  for (;;) {
    await new Promise(setImmediate)
    if (isDone) return done
    clock.advance(AFTER_CONFLICT_MS)
  }
}

/** Proves a property of as many seeds as the gate asks for, of others where somebody hunts, and names the one that breaks it. */
export async function everySeed(count: number, prove: (seed: number) => Promise<void>): Promise<void> {
  const first = Number(process.env['SLUICE_SEED'] ?? 1)
  const seeds = Array.from({ length: Number(process.env['SLUICE_SEEDS'] ?? count) }, (_, at) => first + at)
  await Promise.all(
    seeds.map(async (seed) => {
      try {
        await prove(seed)
      } catch (error) {
        throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
      }
    }),
  )
}
