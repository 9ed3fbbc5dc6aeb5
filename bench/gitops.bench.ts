/**
 * Many Kustomizations of 4 objects on the real control plane: all at once, a commit that touches none, one that touches one, and nothing at all.
 * Processor time is that of the engine, the API server and etcd together, as the peer's was counted; the controllers of Kubernetes stand beside it.
 * Then the same on kubed, whose controllers are in its one process and counted with it.
 *
 * Those run with their own limit of requests raised. By default (20 a second and controller) a Deployment takes four of them to become ready, so that
 * a thousand are ready after 200 s, whoever applied them and however fast.
 *
 * Where Flux's own controllers are built (`scripts/peers.sh flux-controllers`) they do the same on the real control plane, just before: their figures
 * and the ratio are of the same hour and machine then. Elsewhere the recorded ones stand beside ours.
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
import { fluxIsBuilt, startFlux } from './flux-controllers.ts'
import { childrenOf, ended, lineOf, openProcesses, type Processes } from './processes.ts'
import { readRequestCounts, since, type RequestCounts } from './request-counts.ts'

const plane = join(process.env['SLUICE_PEERS'] ?? join(homedir(), '.cache/sluice/peers'), 'kube-control-plane')
const load = resolve(process.env['SLUICE_TOOLS'] ?? '../shared/tools', 'bench-gitops')
const engineCommand = process.env['SLUICE_BENCH_ENGINE'] ?? 'dist/sluice.mjs'
const PORT = 27_000
const IDLE_S = 60
/** etcd waits for every write to reach the disk: in memory the numbers are the programs' own, whoever else uses the disk. */
const root = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** What Flux 2.9 needs for the same, seconds and processor seconds, by apps and phase. */
type Figures = Readonly<Record<number, Readonly<Record<string, number>>>>

/** Those of another 2-core machine (bench-gitops/RESULTS-flux.md). */
const RECORDED: Figures = {
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

/** What the load is put on: it is started on a server, and its processes are answered. */
type Engine = (
  processes: Processes,
  dir: string,
  kubeconfig: string,
) => Promise<Readonly<Record<string, number | undefined>>>
type Contest = {
  readonly name: string
  readonly apps: number
  readonly phases: string
  readonly server: Start
  readonly engine: Engine
}

const PHASES = 'cold,noop,touch,idle'
/** With 1,000 apps Flux takes minutes for each phase. */
const FLUX_PHASES: Readonly<Record<number, string>> = { 100: 'cold,noop,touch', 1000: 'cold' }

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
async function runAll(name: string, server: Start, sizes: readonly number[]): Promise<void> {
  const costs = new Map<number, number>()
  for (const apps of sizes) {
    const flux = server === startReal ? await figuresOfFlux(apps) : {}
    const lines = await run({ name, apps, phases: PHASES, server, engine: startSluice })
    for (const line of oneOfEach(lines)) print(`${name}, ${apps} apps`, line, flux)
    const cold = lines.find(({ phase }) => phase === 'cold')
    if (apps >= 1000 && cold) costs.set(apps, costOf(cold) / apps)
  }
  const [few, many] = [Math.min(...costs.keys()), Math.max(...costs.keys())]
  const growth = (costs.get(many) ?? 0) / (costs.get(few) ?? 1)
  if (many > few) say(`${name}, cold, processor time of an app, with ${many} to with ${few}`, growth, 'times')
}

/** Those of its own controllers here and now where they are built, else the recorded ones. */
async function figuresOfFlux(apps: number): Promise<Readonly<Record<string, number>>> {
  const phases = FLUX_PHASES[apps]
  if (phases === undefined || !fluxIsBuilt()) return RECORDED[apps] ?? {}
  const engine: Engine = (processes, dir, kubeconfig) => startFlux(processes, dir, kubeconfig, `127.0.0.1:${PORT + 2}`)
  const lines = oneOfEach(await run({ name: 'flux', apps, phases, server: startReal, engine }))
  return Object.fromEntries(
    lines.flatMap((line) => [
      [line.phase ?? '', line.appliedS ?? line.ready?.last ?? 0],
      [`${line.phase} CPU`, costOf(line)],
      [`${line.phase} memory`, line.procs?.['engine']?.peakRssMiB ?? 0],
    ]),
  ) as Record<string, number>
}

/** The lines of a contest, with the median of those that touch one app. */
function oneOfEach(lines: readonly Line[]): readonly Line[] {
  const touches = lines
    .filter(({ phase }) => phase === 'touch 1')
    .toSorted((a, b) => (a.appliedS ?? 0) - (b.appliedS ?? 0))
  const median = touches[Math.floor(touches.length / 2)]
  return [...lines.filter(({ phase }) => phase !== 'touch 1'), ...(median ? [median] : [])]
}

async function run(contest: Contest): Promise<readonly Line[]> {
  const dir = mkdtempSync(join(root, 'bench-gitops-'))
  const processes = openProcesses()
  try {
    return await measure(processes, dir, contest)
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

async function startSluice({ start }: Processes, dir: string, kubeconfig: string) {
  const listen = ['--artifact-listen', `127.0.0.1:${PORT + 2}`, '--receiver-listen', `127.0.0.1:${PORT + 3}`]
  const engine = start(engineCommand, ['engine', '--kubeconfig', kubeconfig, '--state', join(dir, 'state'), ...listen])
  await lineOf(engine, /artifacts/)
  return { engine: engine.pid }
}

async function measure(processes: Processes, dir: string, contest: Contest): Promise<readonly Line[]> {
  const server = await contest.server(processes, dir)
  const { kubeconfig } = server
  const repos = join(dir, 'repos')
  mkdirSync(repos)
  processes.start('node', [join(load, 'gitserver.mjs'), String(PORT + 1), repos])
  const pids = { ...(await contest.engine(processes, dir, kubeconfig)), ...server.pids }
  const procs = Object.entries(pids).map(([process, pid]) => `${process}:${pid ?? 0}`)
  const git = ['--git-url', `http://127.0.0.1:${PORT + 1}`, '--git-dir', repos, '--work', dir]
  const phases = ['--phases', contest.phases, '--idle', String(IDLE_S), '--wait', '--timeout', '3600']
  const words = [
    '--kubeconfig',
    kubeconfig,
    ...git,
    ...phases,
    '--apps',
    String(contest.apps),
    '--engine',
    contest.name,
  ]
  const client = clientFromKubeconfig(kubeconfig)
  let counted = await readRequestCounts(client)
  const watch = processes.start('node', [join(load, 'bench.mjs'), ...words, '--procs', procs.join(',')])
  const over = ended(watch)
  over.catch(() => undefined)
  const lines: Line[] = []
  for await (const text of createInterface({ input: watch.stdout ?? process.stdin })) {
    const counts = await readRequestCounts(client)
    lines.push({ ...(JSON.parse(text) as Omit<Line, 'counts'>), counts: since(counted, counts) })
    counted = counts
  }
  client.close()
  await over
  return lines
}

/** Processor seconds of the engine, the API server and its store. */
function costOf({ procs = {} }: Pick<Line, 'procs'>): number {
  return ['engine', 'source', 'api', 'etcd'].reduce((sum, process) => sum + (procs[process]?.cpu ?? 0), 0)
}

function print(name: string, line: Line, flux: Readonly<Record<string, number>>): void {
  const { phase = '', appliedS, ready, wallS = IDLE_S, procs, counts } = line
  const { engine, api, etcd, controllers } = procs ?? {}
  if (!engine || !api) return
  if (phase === 'idle') return say(`${name}, idle, processor of the engine`, (100 * engine.cpu) / wallS, '%')
  const { [phase]: time, [`${phase} CPU`]: processor, [`${phase} memory`]: memory } = flux
  if (appliedS !== undefined) say(`${name}, ${phase}, object applied`, appliedS, 's', time)
  say(`${name}, ${phase}, all say so`, ready?.last, 's', appliedS === undefined ? time : undefined)
  const parts = { engine: engine.cpu, api: api.cpu, etcd: etcd?.cpu, controllersBeside: controllers?.cpu }
  say(`${name}, ${phase}, processor`, costOf(line), 's', processor, parts)
  say(`${name}, ${phase}, memory of the engine, peak`, engine.peakRssMiB, 'MiB', memory)
  say(`${name}, ${phase}, applies`, counts.applies, 'requests', undefined, { ...counts })
}

function say(name: string, value = 0, unit: string, flux?: number, parts: object = {}): void {
  const rounded = Number(value.toFixed(3))
  const peer = flux === undefined ? {} : { peer: `flux 2.9: ${Number(flux.toFixed(3))} ${unit}`, ratio: flux / rounded }
  console.log(JSON.stringify({ name, value: rounded, unit, ...parts, ...peer }))
}
