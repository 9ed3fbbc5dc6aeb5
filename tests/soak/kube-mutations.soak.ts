// Every seed with every field changed, one at a time, on kubed and on the real kube-apiserver: new objects, changes of standing ones, and of their
// statuses. How many answers differ, by kind. SLUICE_MUTATIONS_KINDS (all), SLUICE_MUTATIONS_VERBOSE (each difference on the error output).
import { controlPlaneBinary } from '../lib/control-plane.ts'
import { compare, compareAll, type Difference } from '../kube/differential/compare.ts'
import { mutationsOf } from '../kube/differential/mutations.ts'
import { SEEDS } from '../kube/differential/seeds.ts'
import { prepareSpace } from '../kube/differential/sequences.ts'
import { startPair, type Ask } from '../kube/differential/server-pair.ts'
import { prepareUpdates, updateAsks } from '../kube/differential/updates.ts'

type Item = {
  readonly group: 'create' | 'update' | 'status'
  readonly kind: string
  readonly what: string
  readonly ask: Ask
}

const kinds = new RegExp(`^(${process.env.SLUICE_MUTATIONS_KINDS ?? '.*'})$`)

/** What is asked of an empty space. */
const creations = (): Item[] =>
  SEEDS.flatMap(({ path, object }) =>
    mutationsOf(object).map(({ what, object: body }) => ({
      group: 'create' as const,
      kind: String(object['kind']),
      what,
      ask: { method: 'POST', path: `${path}?dryRun=All`, body },
    })),
  )

function summary(items: readonly Item[], found: readonly (Difference & { readonly item: Item })[]): object {
  const count = (group: string): object => {
    const of = found.filter(({ item }) => item.group === group)
    const byKind: Record<string, number> = {}
    for (const { item } of of) byKind[item.kind] = (byKind[item.kind] ?? 0) + 1
    return { asked: items.filter((item) => item.group === group).length, different: of.length, byKind }
  }
  return { create: count('create'), update: count('update'), status: count('status') }
}

if (controlPlaneBinary() === undefined) console.log('skipped: no kube-control-plane at hand (SLUICE_PEERS)')
else {
  const pair = await startPair()
  try {
    await prepareSpace(pair)
    const asked: Item[] = []
    const found: (Difference & { item: Item })[] = []
    const askAll = async (items: readonly Item[]): Promise<void> => {
      const wanted = items.filter(({ kind }) => kinds.test(kind))
      asked.push(...wanted)
      await compareAll(wanted, async (item) => {
        const difference = await compare(pair, item.what, item.ask)
        if (difference !== undefined) found.push({ ...difference, item })
        return difference
      })
    }
    await askAll(creations())
    const [, lives] = await Promise.all([prepareUpdates(pair.kubed), prepareUpdates(pair.real)])
    await askAll(
      lives.flatMap((live) =>
        updateAsks(live).map(({ type, what, ask }) => ({ group: type, kind: String(live.object['kind']), what, ask })),
      ),
    )
    if (process.env.SLUICE_MUTATIONS_VERBOSE !== undefined)
      for (const { item, why } of found) console.error(`${item.group} ${item.kind} ${item.what}: ${why.slice(0, 1000)}`)
    console.log(JSON.stringify(summary(asked, found)))
    if (found.length > 0) process.exitCode = 1
  } finally {
    await pair.stop()
  }
}
