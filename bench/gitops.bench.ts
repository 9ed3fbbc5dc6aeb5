/**
 * Many Kustomizations of 4 objects on the real control plane: all at once, a commit that touches none, one that touches one, and nothing at all.
 * Processor time is that of the engine, the API server and etcd together, as the peer's was counted; the controllers of Kubernetes stand beside it.
 *
 * Those run with their own limit of requests raised. By default (20 a second and controller) a Deployment takes four of them to become ready, so that
 * a thousand are ready after 200 s, whoever applied them and however fast.
 *
 * Needs the peer `kube-control-plane` and the load of `tools/bench-gitops`; prints a JSON line a number and `skipped` where they are absent.
 * Usage: npx tsx bench/gitops.bench.ts [apps…]   default: 100 1000
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { clientFromKubeconfig } from '../src/adapters/kube/client.ts'
import { controllerFlags } from './control-plane.ts'
import { childrenOf, ended, lineOf, openProcesses, type Processes } from './processes.ts'
import { readRequestCounts, since, type RequestCounts } from './request-counts.ts'

const plane = join(process.env['SLUICE_PEERS'] ?? join(homedir(), '.cache/sluice/peers'), 'kube-control-plane')
const load = resolve(process.env['SLUICE_TOOLS'] ?? '../shared/tools', 'bench-gitops')
const engineCommand = process.env['SLUICE_BENCH_ENGINE'] ?? 'dist/sluice.mjs'
const PORT = 27_000
const IDLE_S = 60
/** etcd waits for every write to reach the disk: in memory the numbers are the programs' own, whoever else uses the disk. */
const root = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** What Flux 2.9 needs for the same on a 2-core machine, seconds and processor seconds (bench-gitops/RESULTS-flux.md). */
const FLUX: Readonly<Record<number, Readonly<Record<string, number>>>> = {
  100: { cold: 26, 'noop commit': 30, 'touch 1': 5 },
  1000: { cold: 223, 'cold CPU': 353 },
}

type Line = {
  readonly phase?: string
  readonly appliedS?: number
  readonly ready?: { readonly last?: number }
  readonly wallS?: number
  readonly procs?: Readonly<Record<string, { readonly cpu: number; readonly peakRssMiB?: number }>>
  readonly counts: RequestCounts
}

if (!existsSync(plane) || !existsSync(load)) {
  console.log(JSON.stringify({ skipped: 'gitops', why: `no ${existsSync(plane) ? load : plane}` }))
} else {
  const sizes = process.argv.slice(2).map(Number)
  for (const apps of sizes.length > 0 ? sizes : [100, 1000]) await run(apps)
}

async function run(apps: number): Promise<void> {
  const dir = mkdtempSync(join(root, 'bench-gitops-'))
  const processes = openProcesses()
  try {
    await measure(processes, dir, apps)
  } finally {
    await processes.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

async function measure({ start }: Processes, dir: string, apps: number): Promise<void> {
  const home = join(dir, 'plane')
  const bare = ['up', '--dir', home, '--port', String(PORT), '--controllers', '']
  const up = start(plane, bare, { KCP_STDIN: 'ignore' })
  const { kubeconfig } = JSON.parse(await lineOf(up, /kubeconfig/)) as { kubeconfig: string }
  const controllers = start(plane, ['kube-controller-manager', ...controllerFlags(home)])
  const repos = join(dir, 'repos')
  mkdirSync(repos)
  start('node', [join(load, 'gitserver.mjs'), String(PORT + 1), repos])
  const listen = ['--artifact-listen', `127.0.0.1:${PORT + 2}`, '--receiver-listen', `127.0.0.1:${PORT + 3}`]
  const engine = start(engineCommand, ['engine', '--kubeconfig', kubeconfig, '--state', join(dir, 'state'), ...listen])
  await lineOf(engine, /artifacts/)
  const pids = {
    engine: engine.pid,
    etcd: up.pid,
    api: childrenOf(up.pid ?? 0).get('kube-apiserver'),
    controllers: controllers.pid,
  }
  const procs = Object.entries(pids).map(([name, pid]) => `${name}:${pid ?? 0}`)
  const git = ['--git-url', `http://127.0.0.1:${PORT + 1}`, '--git-dir', repos, '--work', dir]
  const phases = ['--phases', 'cold,noop,touch,idle', '--idle', String(IDLE_S), '--wait']
  const words = ['--kubeconfig', kubeconfig, ...git, ...phases, '--apps', String(apps), '--engine', 'sluice']
  const client = clientFromKubeconfig(kubeconfig)
  let counted = await readRequestCounts(client)
  const watch = start('node', [join(load, 'bench.mjs'), ...words, '--procs', procs.join(',')])
  const over = ended(watch)
  over.catch(() => undefined)
  const touches: Line[] = []
  for await (const text of createInterface({ input: watch.stdout ?? process.stdin })) {
    const counts = await readRequestCounts(client)
    const line = { ...(JSON.parse(text) as Omit<Line, 'counts'>), counts: since(counted, counts) }
    if (line.phase === 'touch 1') touches.push(line)
    else print(apps, line)
    counted = counts
  }
  const byTime = touches.toSorted((a, b) => (a.appliedS ?? 0) - (b.appliedS ?? 0))
  const median = byTime[Math.floor(byTime.length / 2)]
  if (median) print(apps, median)
  client.close()
  await over
}

function print(apps: number, { phase = '', appliedS, ready, wallS = IDLE_S, procs, counts }: Line): void {
  const { engine, api, etcd, controllers } = procs ?? {}
  if (!engine || !api || !etcd) return
  if (phase === 'idle') return say(apps, 'idle, processor of the engine', (100 * engine.cpu) / wallS, '%')
  const { [phase]: time, [`${phase} CPU`]: processor } = FLUX[apps] ?? {}
  if (appliedS !== undefined) say(apps, `${phase}, object applied`, appliedS, 's', time)
  say(apps, `${phase}, all say so`, ready?.last, 's', appliedS === undefined ? time : undefined)
  const parts = { engine: engine.cpu, api: api.cpu, etcd: etcd.cpu, controllersBeside: controllers?.cpu }
  say(apps, `${phase}, processor`, engine.cpu + api.cpu + etcd.cpu, 's', processor, parts)
  say(apps, `${phase}, memory of the engine, peak`, engine.peakRssMiB, 'MiB')
  say(apps, `${phase}, applies`, counts.applies, 'requests', undefined, { ...counts })
}

function say(apps: number, what: string, value = 0, unit: string, flux?: number, parts: object = {}): void {
  const rounded = Number(value.toFixed(3))
  const peer = flux === undefined ? {} : { peer: `flux 2.9: ${flux} ${unit}`, ratio: flux / rounded }
  console.log(JSON.stringify({ name: `gitops, ${apps} apps, ${what}`, value: rounded, unit, ...parts, ...peer }))
}
