import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { controlPlaneBinary } from '../lib/control-plane.ts'
import { compare, compareAll } from './differential/compare.ts'
import { mutationsOf } from './differential/mutations.ts'
import { SEEDS } from './differential/seeds.ts'
import { prepareSpace, runSequences } from './differential/sequences.ts'
import { startPair } from './differential/server-pair.ts'
import { kindSequenceOf } from './differential/writes.ts'

const skip = controlPlaneBinary() === undefined ? 'no kube-control-plane at hand (SLUICE_PEERS)' : false
/** Kinds of which no odd object is answered differently today. */
const EXACT = new Set(['ConfigMap', 'Secret', 'Namespace'])
let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  if (skip !== false) return
  pair = await startPair()
  await prepareSpace(pair)
})
after(async () => {
  if (skip === false) await pair.stop()
})

test('kubed makes of a whole object of every kind what the real server makes of it', { skip }, async () => {
  const found = await compareAll(SEEDS, ({ path, object }) =>
    compare(pair, path, { method: 'POST', path: `${path}?dryRun=All`, body: object }),
  )
  assert.deepEqual(
    found.map(({ what, why }) => `${what} ${why}`),
    [],
  )
})

test('kubed refuses odd objects in the words of the real server', { skip }, async () => {
  const asks = SEEDS.filter(({ object }) => EXACT.has(String(object['kind']))).flatMap(({ path, object }) =>
    mutationsOf(object).map(({ what, object: body }) => ({
      what,
      ask: { method: 'POST', path: `${path}?dryRun=All`, body },
    })),
  )
  const found = await compareAll(asks, ({ what, ask }) => compare(pair, what, ask))
  assert.deepEqual(
    found.map(({ what, why }) => `${what} ${why}`),
    [],
  )
})

test(
  'sixty sequences of writes of three managers to objects of every kind end in the same objects',
  { skip },
  async () => {
    const seeds = Array.from({ length: 60 }, (_, index) => 100_000 + index)
    assert.deepEqual(
      (await runSequences(pair, seeds, kindSequenceOf)).map(({ seed, what, why }) => `${seed}: ${what}: ${why}`),
      [],
    )
  },
)

test('sixty sequences of random writes end in the same objects', { skip }, async () => {
  const seeds = Array.from({ length: 60 }, (_, index) => 2001 + index)
  assert.deepEqual(
    (await runSequences(pair, seeds)).map(({ seed, what, why }) => `${seed}: ${what}: ${why}`),
    [],
  )
})
