/**
 * Many Kustomizations of 4 objects on the real control plane: all at once, a commit that touches none, one that touches one, and nothing at all.
 * Processor time is that of the engine, the API server and etcd together, as the peer's was counted; the controllers of Kubernetes stand beside it.
 * Then the same on kubed, whose controllers are in its one process and counted with it.
 *
 * Those run with their own limit of requests raised. By default (20 a second and controller) a Deployment takes four of them to become ready, so that
 * a thousand are ready after 200 s, whoever applied them and however fast.
 *
 * Needs the load of `tools/bench-gitops` and, for the first part, the peer `kube-control-plane`; prints a JSON line a number and `skipped` where they
 * are absent.
 * Usage: npx tsx bench/gitops.bench.ts [kubed] [apps…]   default: 100 1000 5000, then kubed with 1000
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

/** What runs beside the engine: how to reach it, and its processes. */
type Server = { readonly kubeconfig: string; readonly pids: Readonly<Record<string, number | undefined>> }
type Start = (processes: Processes, dir: string) => Promise<Server>

const [first, ...rest] = process.argv.slice(2)
const isKubedAlone = first === 'kubed'
const sizes = (isKubedAlone || first === undefined ? rest : [first, ...rest]).map(Number)
if (!existsSync(load)) skip(load)
else {
  if (isKubedAlone) await runAll('gitops on kubed', startKubed, sizes.length > 0 ? sizes : [1000])
  else if (!existsSync(plane)) skip(plane)
  else await runAll('gitops', startReal, sizes.length > 0 ? sizes : [100, 1000, 5000])
  if (first === undefined) await runAll('gitops on kubed', startKubed, [1000])
}

function skip(missing: string): void {
  console.log(JSON.stringify({ skipped: 'gitops', why: `no ${missing}` }))
}

/** Ends with how the processor time of an app has grown, from 1,000 apps on: what is fixed is a large part of fewer. */
async function runAll(name: string, start: Start, sizes: readonly number[]): Promise<void> {
  const costs = new Map<number, number>()
  for (const apps of sizes) {
    const costS = await run(name, start, apps)
    if (apps >= 1000) costs.set(apps, costS / apps)
  }
  const [few, many] = [Math.min(...costs.keys()), Math.max(...costs.keys())]
  const growth = (costs.get(many) ?? 0) / (costs.get(few) ?? 1)
  if (many > few) say(`${name}, cold, processor time of an app, with ${many} to with ${few}`, growth, 'times')
}

/** Answers the processor time of the cold start in seconds. */
async function run(name: string, start: Start, apps: number): Promise<number> {
  const dir = mkdtempSync(join(root, 'bench-gitops-'))
  const processes = openProcesses()
  try {
    return await measure(processes, dir, await start(processes, dir), `${name}, ${apps} apps`, apps)
  } finally {
    await processes.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

async function startReal({ start }: Processes, dir: string): Promise<Server> {
  const home = join(dir, 'plane')
  const bare = ['up', '--dir', home, '--port', String(PORT), '--controllers', '']
  const up = start(plane, bare, { KCP_STDIN: 'ignore' })
  const { kubeconfig } = JSON.parse(await lineOf(up, /kubeconfig/)) as { kubeconfig: string }
  const controllers = start(plane, ['kube-controller-manager', ...controllerFlags(home)])
  const api = childrenOf(up.pid ?? 0).get('kube-apiserver')
  return { kubeconfig, pids: { etcd: up.pid, api, controllers: controllers.pid } }
}

async function startKubed({ start }: Processes, dir: string): Promise<Server> {
  const kubed = start(engineCommand, ['serve', 'kubed', '--state', join(dir, 'kubed'), '--node', 'none'])
  const { kubeconfig } = JSON.parse(await lineOf(kubed, /kubeconfig/)) as { kubeconfig: string }
  return { kubeconfig, pids: { api: kubed.pid } }
}

async function measure({ start }: Processes, dir: string, server: Server, name: string, apps: number): Promise<number> {
  const { kubeconfig } = server
  const repos = join(dir, 'repos')
  mkdirSync(repos)
  start('node', [join(load, 'gitserver.mjs'), String(PORT + 1), repos])
  const listen = ['--artifact-listen', `127.0.0.1:${PORT + 2}`, '--receiver-listen', `127.0.0.1:${PORT + 3}`]
  const engine = start(engineCommand, ['engine', '--kubeconfig', kubeconfig, '--state', join(dir, 'state'), ...listen])
  await lineOf(engine, /artifacts/)
  const pids = { engine: engine.pid, ...server.pids }
  const procs = Object.entries(pids).map(([process, pid]) => `${process}:${pid ?? 0}`)
  const git = ['--git-url', `http://127.0.0.1:${PORT + 1}`, '--git-dir', repos, '--work', dir]
  const phases = ['--phases', 'cold,noop,touch,idle', '--idle', String(IDLE_S), '--wait', '--timeout', '3600']
  const words = ['--kubeconfig', kubeconfig, ...git, ...phases, '--apps', String(apps), '--engine', 'sluice']
  const client = clientFromKubeconfig(kubeconfig)
  let counted = await readRequestCounts(client)
  const watch = start('node', [join(load, 'bench.mjs'), ...words, '--procs', procs.join(',')])
  const over = ended(watch)
  over.catch(() => undefined)
  const lines: Line[] = []
  for await (const text of createInterface({ input: watch.stdout ?? process.stdin })) {
    const counts = await readRequestCounts(client)
    const line = { ...(JSON.parse(text) as Omit<Line, 'counts'>), counts: since(counted, counts) }
    lines.push(line)
    if (line.phase !== 'touch 1') print(name, apps, line)
    counted = counts
  }
  const touches = lines.filter(({ phase }) => phase === 'touch 1')
  const byTime = touches.toSorted((a, b) => (a.appliedS ?? 0) - (b.appliedS ?? 0))
  const median = byTime[Math.floor(byTime.length / 2)]
  if (median) print(name, apps, median)
  client.close()
  await over
  return costOf(lines.find(({ phase }) => phase === 'cold'))
}

/** Processor seconds of the engine, the API server and its store. */
function costOf({ procs = {} }: Pick<Line, 'procs'> = {}): number {
  return (procs['engine']?.cpu ?? 0) + (procs['api']?.cpu ?? 0) + (procs['etcd']?.cpu ?? 0)
}

function print(name: string, apps: number, line: Line): void {
  const { phase = '', appliedS, ready, wallS = IDLE_S, procs, counts } = line
  const { engine, api, etcd, controllers } = procs ?? {}
  if (!engine || !api) return
  if (phase === 'idle') return say(`${name}, idle, processor of the engine`, (100 * engine.cpu) / wallS, '%')
  const flux = name.startsWith('gitops,') ? FLUX[apps] : undefined
  const { [phase]: time, [`${phase} CPU`]: processor } = flux ?? {}
  if (appliedS !== undefined) say(`${name}, ${phase}, object applied`, appliedS, 's', time)
  say(`${name}, ${phase}, all say so`, ready?.last, 's', appliedS === undefined ? time : undefined)
  const parts = { engine: engine.cpu, api: api.cpu, etcd: etcd?.cpu, controllersBeside: controllers?.cpu }
  say(`${name}, ${phase}, processor`, costOf(line), 's', processor, parts)
  say(`${name}, ${phase}, memory of the engine, peak`, engine.peakRssMiB, 'MiB')
  say(`${name}, ${phase}, applies`, counts.applies, 'requests', undefined, { ...counts })
}

function say(name: string, value = 0, unit: string, flux?: number, parts: object = {}): void {
  const rounded = Number(value.toFixed(3))
  const peer = flux === undefined ? {} : { peer: `flux 2.9: ${flux} ${unit}`, ratio: flux / rounded }
  console.log(JSON.stringify({ name, value: rounded, unit, ...parts, ...peer }))
}
