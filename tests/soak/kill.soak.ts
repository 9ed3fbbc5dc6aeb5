// `kill -9` at random moments of random deliveries, often again while the next start catches up, half of the time together with the git processes below it: each delivery must end,
// with every border in the record, no commit and no pod twice, the same addresses.
// SLUICE_KILLS (200), SLUICE_SEED; SLUICE_NODE (auto) chooses the driver of the pods.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BORDERS } from '../../src/pipeline/record/delivery.ts'
import {
  assertCommittedOnce,
  assertPodsOnce,
  gitBelow,
  untilAllHealthy,
  untilRecorded,
  urlsOf,
} from '../journeys/crash.ts'
import { processesIn, tryKill } from '../support/processes.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { change, cloneOf, git, type Product, scratch, startProduct, untilDelivered } from '../journeys/product.ts'

const wantedKills = Number(process.env.SLUICE_KILLS ?? 200)
const seed = Number(process.env.SLUICE_SEED ?? Date.now() % 100_000)
const node = process.env.SLUICE_NODE ?? 'auto'
const random = seededRandom(seed)
const space = scratch()
const state = join(space.dir, 'state')
const example = resolve('examples/vps')
const start = (): Promise<Product> => startProduct(state, example, ['--node', node])
const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T

type Round = {
  readonly commit: string
  readonly service: string
  readonly environment: string
  readonly isImage: boolean
}

const stalls: string[] = []
const recoveriesMs: number[] = []
let kills = 0
let product = await start()
try {
  await untilAllHealthy(product)
  const clones = { staging: cloneOf(product, space.dir, 'develop'), production: cloneOf(product, space.dir, 'main') }
  for (let number = 1; kills < wantedKills; number++) await round(number, clones)
  for (const clone of Object.values(clones)) assertNothingLost(clone)
} finally {
  await product.kill('SIGKILL')
  spawnSync(process.execPath, [resolve('dist/sluice.mjs'), 'down', '--state', state])
  for (const pid of processesIn(state)) tryKill(pid)
  space.release()
}
recoveriesMs.sort((a, b) => a - b)
const machine = `${cpus().length} cores, node ${process.versions.node}`
const [medianMs, slowestMs] = [recoveriesMs[recoveriesMs.length >> 1], recoveriesMs.at(-1)]
console.log(JSON.stringify({ seed, node, kills, stalls, medianMs, slowestMs, machine }))
if (stalls.length > 0) process.exitCode = 1

/** One push, killed somewhere on its way, and what comes of it. */
async function round(number: number, clones: { readonly staging: string; readonly production: string }): Promise<void> {
  const environment = pick(['staging', 'staging', 'production'] as const)
  const service = pick(['api-gateway', 'api-generation', 'api-enrichment'])
  const isImage = random() < 0.75
  const urls = urlsOf(product)
  const moment = pickMoment()
  let reached: Promise<unknown> = Promise.resolve()
  const commit = pushTo(clones[environment], { number, service, isImage }, (made) => {
    if (moment.line !== undefined)
      reached = product.printed(moment.line(made.slice(0, 7)), 8_000).catch(() => undefined)
  })
  await reached
  await kill(moment.withinMs)
  while (random() < 0.6) {
    product = await start()
    await kill(3000)
  }
  const startedMs = Date.now()
  product = await start()
  const what = `round ${number}, kill ${kills}: ${isImage ? 'image' : 'manifest'} of ${service} to ${environment}, killed ${moment.at}`
  try {
    await arrives({ commit, service, environment, isImage })
    await untilAllHealthy(product)
    assert.deepEqual(urlsOf(product), urls)
    assertCommittedOnce(state)
    if (node !== 'sim') await assertPodsOnce(product)
    recoveriesMs.push(Date.now() - startedMs)
    console.error(`${what}: ${Date.now() - startedMs} ms`)
  } catch (error) {
    stalls.push(what)
    console.error(`${what}: STALLED\n${error instanceof Error ? error.message : String(error)}`)
    const kept = join(resolve('.'), `node_modules/.stall-${seed}-${number}.log`)
    writeFileSync(kept, product.output())
    spawnSync('cp', ['-r', join(state, 'record.db'), `${kept}.db`])
    console.error(`output and record kept in ${kept}*`)
  }
}

async function kill(withinMs: number): Promise<void> {
  await sleep(random() * withinMs)
  const alsoGit = random() < 0.5 ? gitBelow(product.pid) : []
  const killed = product.kill('SIGKILL')
  alsoGit.forEach(tryKill)
  await killed
  kills++
}

type Moment = { readonly at: string; readonly line?: (commit: string) => RegExp; readonly withinMs: number }

/** At a border, a moment after it, or at any time at all. */
function pickMoment(): Moment {
  const after = (kind: string, line: (commit: string) => string, withinMs: number): Moment => ({
    at: `within ${withinMs} ms of ${kind}`,
    line: (commit) => new RegExp(`${kind} .*${line(commit)}`),
    withinMs,
  })
  return pick<Moment>([
    { at: 'right after the push', withinMs: 0 },
    { at: 'within 4 s of the push', withinMs: 4000 },
    after('run', (commit) => `${commit}: running`, 600),
    after('image', (commit) => `from ${commit}`, pick([0, 20])),
    after('run', (commit) => `${commit}: succeeded`, pick([0, 20])),
    after('policy', (commit) => commit, pick([0, 100])),
    after('write-back', () => 'commits', pick([0, 40])),
    after('source', () => '@', pick([0, 60])),
    after('apply', () => 'Deployment', pick([0, 900])),
    after('pod', () => 'ready', pick([0, 200])),
    after('health', () => 'healthy', 0),
  ])
}

/** Commits and pushes a change of a service's program, or of its manifest only; `made` hears of the commit before it is pushed. */
function pushTo(
  clone: string,
  { number, service, isImage }: { readonly number: number; readonly service: string; readonly isImage: boolean },
  made: (commit: string) => void,
): string {
  const path = isImage ? `${service}/server.mjs` : `apps/${service}/deployment.yaml`
  const edit = (text: string): string =>
    isImage
      ? text.replace(/^const name = .*$/m, (line) => `// round ${number}\n${line}`)
      : text.replace(/terminationGracePeriodSeconds: \d+|^ {6}containers:$/m, (found) =>
          found.includes('containers')
            ? `      terminationGracePeriodSeconds: ${20 + (number % 40)}\n${found}`
            : `terminationGracePeriodSeconds: ${20 + (number % 40)}`,
        )
  const commit = change(clone, path, edit, `round ${number}`, ['--dry-run', 'origin', 'HEAD'])
  made(commit)
  git(clone, 'push', '--quiet', 'origin', 'HEAD')
  return commit
}

/** The delivery is done and the record has every border of it; a change of manifests has none of an image. */
async function arrives({ commit, service, environment, isImage }: Round): Promise<void> {
  if (isImage) await untilDelivered(product, service, environment, commit)
  await untilRecorded(
    product,
    { commit, service, environment },
    isImage ? BORDERS : ['push', 'source', 'build', 'apply', 'health'],
  )
}

/** Every commit that was acknowledged is in its branch. */
function assertNothingLost(clone: string): void {
  const head = git(clone, 'rev-parse', 'HEAD')
  git(clone, 'fetch', '--quiet')
  git(clone, 'merge-base', '--is-ancestor', head, '@{upstream}')
  assert.ok(readFileSync(join(state, 'git', 'vps.git', 'HEAD'), 'utf8').length > 0)
}
