import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, test } from 'node:test'
import { BORDERS } from '../../src/pipeline/record/delivery.ts'
import { assertCommittedOnce, assertPodsOnce, untilAllHealthy, untilRecorded, urlsOf } from './crash.ts'
import { processesIn, tryKill } from '../support/processes.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { change, cloneOf, git, keptPorts, type Product, scratch, startProduct, untilDelivered } from './product.ts'
import { LONG_MS, PATIENCE_MS, until } from '../support/wait.ts'

// `kill -9` at every border of the way; each test goes on with the state that the one before left.
const bundle = resolve('dist/sluice.mjs')
const example = resolve('examples/vps')
/** Every gate kills at the same moments; other seeds are tried by `npm run soak -- kill`. */
const seed = Number(process.env.SLUICE_SEED ?? 401)
const random = seededRandom(seed)
const space = scratch()
const state = join(space.dir, 'state')
let product: Product
let develop = ''
let main = ''

const ports = await keptPorts()
const start = (): Promise<Product> => startProduct(state, example, ports)

before(() => console.log(`seed ${seed} (repeat with SLUICE_SEED=${seed})`))
after(async () => {
  await product?.kill('SIGTERM')
  for (const pid of processesIn(state)) tryKill(pid)
  space.release()
})

test('kill -9 in the first delivery: the second start finishes it', { timeout: LONG_MS }, async () => {
  product = await start()
  await product.printed(/run .*: running/)
  await killAfter(random() * 1500)
  product = await start()
  await untilAllHealthy(product)
  develop = cloneOf(product, space.dir, 'develop')
  main = cloneOf(product, space.dir, 'main')
  assertCommittedOnce(state)
})

test('kill -9 before the runner heard of a push that was acknowledged', { timeout: LONG_MS }, async () => {
  const commit = pushTo(develop, 'acknowledged')
  await killAfter(0)
  await restartAndFinish(commit, 'staging')
})

const borders: { readonly at: string; readonly line: (commit: string) => string; readonly withinMs: number }[] = [
  { at: 'in the CI run', line: (commit) => `run .* ${commit}: running`, withinMs: 400 },
  { at: 'right after an image push', line: (commit) => `image .* from ${commit}`, withinMs: 0 },
  { at: 'between policy and write-back', line: (commit) => `policy .*${commit}`, withinMs: 0 },
  { at: 'right after the write-back', line: (commit) => `write-back .*${commit}`, withinMs: 40 },
  { at: 'in the apply', line: () => 'source .*develop@', withinMs: 60 },
  { at: 'in the rollout', line: () => 'apply .*Deployment', withinMs: 900 },
]
for (const { at, line, withinMs } of borders)
  test(`kill -9 ${at}: the second start finishes the delivery`, { timeout: LONG_MS }, async () => {
    const before = git(develop, 'rev-parse', 'HEAD')
    let fact: Promise<string> | undefined
    const commit = pushTo(develop, at, (made) => (fact = product.printed(new RegExp(line(made.slice(0, 7))))))
    assert.notEqual(commit, before)
    await fact
    await killAfter(random() * withinMs)
    await restartAndFinish(commit, 'staging')
  })

test('a rollout of production that is killed serves on, and ends', { timeout: LONG_MS }, async () => {
  let fact: Promise<string> | undefined
  const commit = pushTo(main, 'production', () => (fact = product.printed(/apply .*Deployment/)))
  await fact
  await killAfter(random() * 600)
  await restartAndFinish(commit, 'production')
})

test('a second start on the same state is refused and names the process', { timeout: LONG_MS }, () => {
  const { status, stderr } = runUp([])
  assert.equal(status, 3)
  assert.match(stderr, new RegExp(`process ${product.pid} already runs on the state folder`))
})

test(
  'SIGTERM stops cleanly, leaves nothing running; the next start is healthy in seconds',
  { timeout: LONG_MS },
  async () => {
    const urls = urlsOf(product)
    product.kill('SIGTERM').catch(() => undefined)
    assert.equal(await product.exited, 0, product.output().slice(-2000))
    await untilNothingRuns()
    const started = Date.now()
    product = await start()
    await untilAllHealthy(product)
    console.log(`a clean second start: healthy after ${Date.now() - started} ms`)
    assert.deepEqual(urlsOf(product), urls)
  },
)

test('a second Ctrl-C ends at once; the next start finds everything', { timeout: LONG_MS }, async () => {
  const heard = product.printed(/stopping; once more Ctrl-C ends at once/)
  process.kill(product.pid, 'SIGINT')
  await heard // two signals at once are one
  process.kill(product.pid, 'SIGINT')
  const code = await Promise.race([product.exited, sleep(PATIENCE_MS, 'still there', { ref: false })])
  assert.ok(code === 130 || code === 0, String(code))
  product = await start()
  await untilAllHealthy(product)
  await assertPodsOnce(product)
})

test('sluice down stops it, --once says how it went, a taken port is named', { timeout: LONG_MS }, async () => {
  const { port } = new URL(product.access.page.url)
  assert.equal(spawnSync(process.execPath, [bundle, 'down', '--state', state]).status, 0)
  assert.equal(await product.exited, 0)
  await untilNothingRuns()

  const taken = createServer()
  await new Promise<void>((listening) => taken.listen(Number(port), '127.0.0.1', listening))
  const refused = runUp(['--once'])
  await new Promise((closed) => taken.close(closed))
  assert.equal(refused.status, 3)
  assert.match(refused.stderr, new RegExp(`port ${port} of the page listener is taken`))

  const fresh = join(space.dir, 'fresh')
  const late = runUp(['--once', '--timeout', '1', '--node', 'none'], fresh)
  assert.equal(late.status, 3, late.stdout)
  assert.match(late.stdout, /not healthy after .*\n {2}still waiting for \S/)

  const broken = join(space.dir, 'broken')
  mkdirSync(join(broken, 'clusters/one'), { recursive: true })
  writeFileSync(join(broken, 'clusters/one/kustomization.yaml'), 'resources:\n  - missing.yaml\n')
  const stuck = runUp(['--once', '--node', 'none'], join(space.dir, 'stuck'), broken)
  assert.equal(stuck.status, 3, stuck.stdout)
  assert.match(stuck.stdout, /not healthy .*\n {2}Kustomization \S+: clusters\/one\/kustomization.yaml:2:5: .*missing/)

  product = await start()
  const commit = pushTo(develop, 'once')
  await product.kill('SIGKILL')
  const healthy = runUp(['--once'])
  assert.equal(healthy.status, 0, healthy.stdout + healthy.stderr)
  assert.match(
    healthy.stdout,
    new RegExp(`api-gateway +staging +\\S+ +${commit.slice(0, 7)} +healthy[^]*everything is healthy`),
  )
  await untilNothingRuns()
})

function runUp(
  flags: readonly string[],
  folder = state,
  repository = example,
): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [bundle, 'up', repository, '--state', folder, ...flags], {
    encoding: 'utf8',
    timeout: LONG_MS,
  })
}

/** Pushes a change of the gateway; `made` hears of the commit before it is pushed. */
function pushTo(clone: string, text: string, made: (commit: string) => void = () => undefined): string {
  const edit = (source: string): string => source.replace(/^const name = .*$/m, (line) => `// ${text}\n${line}`)
  const commit = change(clone, 'api-gateway/server.mjs', edit, `feat: ${text}`, ['--dry-run', 'origin', 'HEAD'])
  made(commit)
  git(clone, 'push', '--quiet', 'origin', 'HEAD')
  return commit
}

async function killAfter(ms: number): Promise<void> {
  await sleep(ms)
  await product.kill('SIGKILL')
}

/** Starts again after a kill and holds what must hold: delivered, acknowledged pushes kept, no commit and no pod twice, the same URLs. */
async function restartAndFinish(commit: string, environment: string): Promise<void> {
  const urls = urlsOf(product)
  const started = Date.now()
  product = await start()
  await untilDelivered(product, 'api-gateway', environment, commit)
  console.log(`delivered ${Date.now() - started} ms after the second start`)
  await untilRecorded(product, { commit, service: 'api-gateway', environment }, BORDERS)
  await untilAllHealthy(product)
  assert.deepEqual(urlsOf(product), urls)
  assertCommittedOnce(state)
  for (const clone of [develop, main]) {
    const head = git(clone, 'rev-parse', 'HEAD')
    git(clone, 'fetch', '--quiet')
    git(clone, 'merge-base', '--is-ancestor', head, '@{upstream}')
  }
  await assertPodsOnce(product)
}

async function untilNothingRuns(): Promise<void> {
  await until(
    'no process and no mount is left',
    () => processesIn(state).length === 0,
    () => execFileSync('ps', ['-o', 'pid,ppid,etime,args', '-p', processesIn(state).join()], { encoding: 'utf8' }),
  )
}
