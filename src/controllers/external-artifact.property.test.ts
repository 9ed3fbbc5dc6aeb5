import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../tests/support/seeded-random.ts'
import type { ArtifactStatus } from '../kinds/source.ts'
import { decideExternalArtifact, type ExternalArtifactSeen } from './external-artifact.ts'

/** All there is: what the other controller says, and what this engine has fetched (gone after a crash). */
type World = {
  readonly random: () => number
  /** Share of downloads that fail or are interrupted. */
  trouble: number
  published: ArtifactStatus | undefined
  offered: string | undefined
  failed: ExternalArtifactSeen['failed']
  downloads: number
  told: number
}

class Crash extends Error {}
const SEEDS = 500

function anyArtifact(random: () => number): ArtifactStatus | undefined {
  const version = Math.floor(random() * 4)
  if (version === 3) return undefined
  const digest = version === 2 ? '' : `sha256:${version}`
  return { digest, revision: `r${version}`, path: '', url: 'http://other/a', lastUpdateTime: '', size: 1 }
}

/** One wake, as the engine's loop does it; how long it then waits. */
function reconcile(world: World): number | undefined {
  for (let round = 0; round < 64; round++) {
    const { published, offered, failed } = world
    const decision = decideExternalArtifact({
      artifact: published,
      offeredDigest: offered,
      ...(failed ? { failed } : {}),
    })
    if (decision.kind === 'act') {
      for (const change of decision.changes)
        if (change === 'withdraw') world.offered = undefined
        else fetch(world, change)
      continue
    }
    if (world.failed) world.failed = { ...world.failed, message: '' }
    if (decision.status !== '') world.told++
    return decision.kind === 'wait' ? decision.afterMs : decision.againAfterMs
  }
  throw new Error('it spins')
}

function fetch(world: World, artifact: ArtifactStatus): void {
  if (world.random() < world.trouble / 2) throw new Crash()
  world.downloads++
  if (world.random() < world.trouble) {
    world.failed = { count: (world.failed?.count ?? 0) + 1, message: 'status 503' }
    return
  }
  world.offered = artifact.digest
  world.failed = undefined
  if (world.random() < world.trouble / 2) throw new Crash()
}

function live(world: World): void {
  for (let turn = 0; turn < 30; turn++) {
    if (turn === 20) world.trouble = 0
    if (turn < 20 && world.random() < 0.3) world.published = anyArtifact(world.random)
    try {
      reconcile(world)
    } catch (error) {
      if (!(error instanceof Crash)) throw error
      Object.assign(world, { offered: undefined, failed: undefined })
    }
  }
}

test(`an ExternalArtifact is offered as its controller says, from any of ${SEEDS} states, and then fetched no more`, () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = seededRandom(seed)
    const fresh = { offered: undefined, failed: undefined, downloads: 0, told: 0 }
    const world: World = { random, trouble: 0.4, published: anyArtifact(random), ...fresh }
    live(world)
    const { published, offered, downloads, told } = world
    const isThere = published !== undefined && published.digest !== ''
    if (isThere) assert.equal(offered, published.digest, `seed ${seed}`)
    if (!published) assert.equal(offered, undefined, `seed ${seed}: what is published no more is offered no more`)
    reconcile(world)
    assert.deepEqual([world.downloads, world.told], [downloads, told], `seed ${seed}: a second run does nothing`)
    Object.assign(world, { offered: undefined })
    reconcile(world)
    reconcile(world)
    assert.equal(world.downloads, downloads + (isThere ? 1 : 0), `seed ${seed}: after a restart it is fetched once`)
  }
})

test('a failure is told once a try, and tries grow apart', () => {
  const artifact = { digest: 'sha256:1', revision: 'r', path: '', url: '', lastUpdateTime: '', size: 1 }
  const waitFor = (count: number): number => {
    const decision = decideExternalArtifact({ artifact, offeredDigest: undefined, failed: { count, message: 'no' } })
    assert.deepEqual([decision.kind, 'status' in decision && decision.status], ['wait', 'no'])
    return decision.kind === 'wait' ? decision.afterMs : 0
  }
  assert.ok(waitFor(1) < waitFor(2) && waitFor(2) < waitFor(5))
  const told = decideExternalArtifact({ artifact, offeredDigest: undefined, failed: { count: 1, message: '' } })
  assert.deepEqual(told, { kind: 'act', changes: [artifact] })
})
