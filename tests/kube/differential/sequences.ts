import { compare, type Difference, type Pair } from './compare.ts'
import { SPACE } from './seed.ts'
import { sequenceOf } from './sequence.ts'

/** Sequences that run at once. */
const AT_ONCE = 8

/** Makes the namespace of all sequences. */
export async function prepareSpace({ kubed, real }: Pair): Promise<void> {
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: SPACE } }
  await Promise.all([kubed, real].map((server) => server.send({ method: 'POST', path: '/api/v1/namespaces', body })))
}

/** Runs sequences on both servers; answers the first difference of each in which they part. */
export async function runSequences(
  pair: Pair,
  seeds: readonly number[],
): Promise<(Difference & { readonly seed: number })[]> {
  const out: (Difference & { readonly seed: number })[] = []
  const queue = seeds.values()
  const work = async (): Promise<void> => {
    for (const seed of queue) {
      const found = await firstDifference(pair, seed)
      if (found !== undefined) out.push({ seed, ...found })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return out
}

async function firstDifference(pair: Pair, seed: number): Promise<Difference | undefined> {
  for (const ask of sequenceOf(seed)) {
    const found = await compare(pair, `${ask.method} ${ask.path}`, ask)
    if (found !== undefined) return found
  }
  return undefined
}
