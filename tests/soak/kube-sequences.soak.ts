// The same random writes on kubed and on the real kube-apiserver: how many sequences end in the same objects, with the same answers on the way.
// SLUICE_SEQUENCES (2000) of either kind of sequence, SLUICE_SEED (1).
import { controlPlaneBinary } from '../lib/control-plane.ts'
import { startPair } from '../kube/differential/server-pair.ts'
import { kindSequenceOf } from '../kube/differential/writes.ts'
import { prepareSpace, runSequences } from '../kube/differential/sequences.ts'

const count = Number(process.env.SLUICE_SEQUENCES ?? 2000)
const seed = Number(process.env.SLUICE_SEED ?? 1)
if (controlPlaneBinary() === undefined) console.log('skipped: no kube-control-plane at hand (SLUICE_PEERS)')
else {
  const pair = await startPair()
  try {
    await prepareSpace(pair)
    const seeds = Array.from({ length: count }, (_, index) => seed + index)
    const found = [...(await runSequences(pair, seeds)), ...(await runSequences(pair, seeds, kindSequenceOf))]
    for (const { seed: number, what, why } of found) console.error(`${number}: ${what}: ${why.slice(0, 400)}`)
    console.log(
      JSON.stringify({ seed, sequences: 2 * count, different: found.length, seeds: found.map((each) => each.seed) }),
    )
    if (found.length > 0) process.exitCode = 1
  } finally {
    await pair.stop()
  }
}
