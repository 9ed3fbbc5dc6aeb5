// The whole product on examples/vps: start to healthy, what it costs at rest, a push and an image until they are applied. JSON lines.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { systemClock } from '../src/adapters/clock.ts'
import { clientFromKubeconfig } from '../src/adapters/kube/client.ts'
import type { WatchCache } from '../src/adapters/kube/types.ts'
import { watchCache } from '../src/adapters/kube/watch-cache.ts'
import { createRegistryClient } from '../src/adapters/registry/client.ts'
import type { Access } from '../src/app/state/access.ts'
import type { KubeObject } from '../src/lib/kube/object.ts'

const ROUNDS = 7
const REST_MS = 30_000
const CPU_MS = 20_000
const bundle = resolve('dist/sluice.mjs')
const temp = mkdtempSync(join(tmpdir(), 'bench-up-'))
const state = join(temp, 'state')

// Times on a machine that is busy with other work say little: above its number of cores, measure again.
print('load of the machine before', loadavg()[0] ?? 0, 'processes')
print('sluice version', median(times(9, () => spawnSync(bundle, ['version']))), 'ms')
print('sluice version by node itself', median(times(9, () => spawnSync('node', [bundle, 'version']))), 'ms')
print('node that does nothing', median(times(9, () => spawnSync('node', ['-e', '0']))), 'ms')
const startedMs = performance.now()
const product = spawn(bundle, ['up', resolve('examples/vps'), '--state', state], {
  stdio: ['ignore', 'pipe', 'ignore'],
})
try {
  await said(product, /everything is healthy/)
  print('start to all healthy', (performance.now() - startedMs) / 1000, 's')
  await measureRest(product.pid ?? 0)
  await measureDelivery(JSON.parse(readFileSync(join(state, 'access.json'), 'utf8')) as Access)
  print('memory after that', rssMib(product.pid ?? 0), 'MiB')
} finally {
  const ended = new Promise((done) => product.once('exit', done))
  product.kill('SIGTERM')
  await ended
  rmSync(temp, { recursive: true, force: true })
}

async function measureRest(pid: number): Promise<void> {
  await pause(REST_MS)
  print('memory at rest', rssMib(pid), 'MiB')
  const keeper = keeperPid()
  if (keeper !== undefined) print('memory at rest of the keeper of the pods', rssMib(keeper), 'MiB')
  const before = cpuMs(pid)
  await pause(CPU_MS)
  print('processor at rest', ((cpuMs(pid) - before) / CPU_MS) * 100, '% of a core')
}

async function measureDelivery({ git, registry, kube }: Access): Promise<void> {
  const client = clientFromKubeconfig(kube.kubeconfig)
  const cacheOf = (apiVersion: string, kind: string): WatchCache =>
    watchCache(client, { apiVersion, kind, namespace: 'staging' }, { clock: systemClock })
  const services = cacheOf('v1', 'Service')
  const deployments = cacheOf('apps/v1', 'Deployment')
  await Promise.all([services.ready, deployments.ready])
  const pushes: number[] = []
  const clone = join(temp, 'clone')
  run(temp, 'clone', '-q', '-b', 'develop', git.url.replace('://', `://git:${git.token}@`), clone)
  for (let round = 1; round <= ROUNDS; round++) pushes.push(await pushManifest(clone, services, round))
  print('push of a manifest change, acknowledged to applied', median(pushes), 'ms')
  const images: number[] = []
  for (let round = 1; round <= ROUNDS; round++) images.push(await pushImage(registry.url, deployments, round))
  print('image pushed to committed and applied', median(images), 'ms')
  services.close()
  deployments.close()
  client.close()
}

/** Changes an annotation of a Service in staging; answers the time from the end of `git push`. */
async function pushManifest(clone: string, services: WatchCache, round: number): Promise<number> {
  run(clone, 'pull', '-q', '--rebase')
  const file = join(clone, 'apps/api-gateway/service.yaml')
  const text = readFileSync(file, 'utf8').replace(/ {2}annotations:\n {4}bench: .*\n/, '')
  writeFileSync(file, text.replace(/^( {2}name: .*)$/m, `$1\n  annotations:\n    bench: "${round}"`))
  run(clone, '-c', 'user.name=b', '-c', 'user.email=b@b', 'commit', '-qam', `bench ${round}`)
  const applied = appearance(services, ({ metadata }) => metadata.annotations?.['bench'] === String(round))
  run(clone, 'push', '-q', 'origin', 'HEAD')
  const pushedMs = performance.now()
  return (await applied) - pushedMs
}

/** Gives the image that runs in staging a tag with a higher run number; answers the time from the end of the push. */
async function pushImage(registryUrl: string, deployments: WatchCache, round: number): Promise<number> {
  const image = imageOf(deployments.get('staging', 'api-gateway'))
  const [, repository = '', run = '0', commit = ''] = /^[^/]+\/(.+):develop-(\d+)-(.+)$/.exec(image) ?? []
  const registry = createRegistryClient()
  const of = { host: new URL(registryUrl).host, repository }
  const manifest = await registry.getManifest(of, `develop-${run}-${commit}`)
  if (!manifest) throw new Error(`no manifest of ${image}`)
  const tag = `develop-${Number(run) + 100 + round}-${commit}`
  const applied = appearance(deployments, (object) => imageOf(object).endsWith(`:${tag}`))
  await registry.putManifest(of, tag, manifest)
  const pushedMs = performance.now()
  const tookMs = (await applied) - pushedMs
  registry.close()
  await pause(3000) // the rolling update ends
  return tookMs
}

function imageOf(object: KubeObject | undefined): string {
  return /"image":"([^"]+)"/.exec(JSON.stringify(object ?? {}))?.[1] ?? ''
}

/** When an object of the copy first is as wanted. */
function appearance(cache: WatchCache, isWanted: (object: KubeObject) => boolean): Promise<number> {
  return new Promise((found, failed) => {
    const late = setTimeout(() => failed(new Error('not applied within 60 s')), 60_000)
    const stop = cache.onChange((object) => {
      if (!isWanted(object)) return
      stop()
      clearTimeout(late)
      found(performance.now())
    })
  })
}

function said(child: ChildProcess, wanted: RegExp): Promise<void> {
  return new Promise((done, failed) => {
    let text = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (wanted.test(text)) done()
    })
    child.once('exit', (code) => failed(new Error(`sluice up ended with ${code}: ${text.slice(-2000)}`)))
  })
}

function keeperPid(): number | undefined {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const found = pids.find((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(join(state, 'node', 'keeper.mjs'))
    } catch {
      return false
    }
  })
  return found === undefined ? undefined : Number(found)
}

function rssMib(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

/** User and system time; the kernel counts in hundredths of a second. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

function run(cwd: string, ...args: string[]): void {
  execFileSync('git', args, { cwd, stdio: 'pipe' })
}

function times(count: number, work: () => void): number[] {
  return Array.from({ length: count }, () => {
    const fromMs = performance.now()
    work()
    return performance.now() - fromMs
  })
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms))
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function print(name: string, value: number, unit: string): void {
  console.log(JSON.stringify({ name, value: Math.round(value * 100) / 100, unit }))
}
