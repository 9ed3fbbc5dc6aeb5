/**
 * Many Kustomizations of 4 objects on the real control plane: all at once, a commit that touches one, one that touches none, and nothing at all.
 * Processor time counts engine and control plane together (API server, etcd, controllers: one process).
 *
 * Needs the peer `kube-control-plane` and the load of `tools/bench-gitops`; prints a JSON line a number and `skipped` where they are absent.
 * Usage: npx tsx bench/gitops.bench.ts [apps]
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const apps = Number(process.argv[2] ?? 100)
const plane = join(process.env['SLUICE_PEERS'] ?? join(homedir(), '.cache/sluice/peers'), 'kube-control-plane')
const load = resolve(process.env['SLUICE_TOOLS'] ?? '../shared/tools', 'bench-gitops')
const engineCommand = process.env['SLUICE_BENCH_ENGINE'] ?? 'dist/sluice.mjs'
const PORT = 27_000
/** etcd waits for every write to reach the disk: in memory the numbers are the programs' own, whoever else uses the disk. */
const root = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** What Flux 2.9 needs for the same on a 2-core machine, seconds (bench-gitops/RESULTS-flux.md). */
const FLUX: Readonly<Record<number, Readonly<Record<string, number>>>> = {
  100: { cold: 26, 'noop commit': 30, 'touch 1': 5 },
  1000: { cold: 223 },
}
const IDLE_S = 20

type Line = {
  readonly phase?: string
  readonly appliedS?: number
  readonly ready?: { readonly last?: number }
  readonly last?: number
  readonly wallS?: number
  readonly procs?: Readonly<Record<string, { readonly cpu: number; readonly peakRssMiB?: number }>>
}

if (!existsSync(plane) || !existsSync(load)) {
  console.log(JSON.stringify({ skipped: 'gitops', why: `no ${existsSync(plane) ? load : plane}` }))
} else await run()

async function run(): Promise<void> {
  const dir = mkdtempSync(join(root, 'bench-gitops-'))
  const children: ChildProcess[] = []
  const start = (
    command: string,
    argv: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): ChildProcess => {
    const child = spawn(command, [...argv], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    children.push(child)
    return child
  }
  try {
    const up = start(plane, ['up', '--dir', join(dir, 'plane'), '--port', String(PORT)], { KCP_STDIN: 'ignore' })
    const { kubeconfig } = JSON.parse(await lineOf(up, /kubeconfig/)) as { kubeconfig: string }
    mkdirSync(join(dir, 'repos'))
    start('node', [join(load, 'gitserver.mjs'), String(PORT + 1), join(dir, 'repos')])
    const listen = ['--artifact-listen', `127.0.0.1:${PORT + 2}`, '--receiver-listen', `127.0.0.1:${PORT + 3}`]
    const engine = start(engineCommand, [
      'engine',
      '--kubeconfig',
      kubeconfig,
      '--state',
      join(dir, 'state'),
      ...listen,
    ])
    await lineOf(engine, /artifacts/)
    const out = join(dir, 'results.jsonl')
    const argv = [
      '--kubeconfig',
      kubeconfig,
      '--git-url',
      `http://127.0.0.1:${PORT + 1}`,
      '--git-dir',
      join(dir, 'repos'),
    ]
    const procs = ['--procs', `engine:${engine.pid ?? 0},plane:${up.pid ?? 0}`, '--out', out]
    const phases = ['--phases', 'cold,noop,touch,idle', '--idle', String(IDLE_S), '--wait']
    const words = ['--apps', String(apps), '--engine', 'sluice', ...phases, ...procs]
    await ended(start('node', [join(load, 'bench.mjs'), ...argv, ...words]))
    for (const text of readFileSync(out, 'utf8').trim().split('\n')) print(JSON.parse(text) as Line)
  } finally {
    for (const child of children.reverse()) child.kill('SIGTERM')
    await new Promise((done) => setTimeout(done, 1500))
    rmSync(dir, { recursive: true, force: true })
  }
}

function print(line: Line): void {
  if (line.phase === undefined) return
  const value = line.phase === 'touch 1' ? line.appliedS : (line.ready?.last ?? line.last)
  const flux = FLUX[apps]?.[line.phase]
  const ratio = flux === undefined || value === undefined ? {} : { peer: `flux 2.9: ${flux} s`, ratio: flux / value }
  const name = `gitops ${line.phase}, ${apps} apps`
  if (line.phase !== 'idle') console.log(JSON.stringify({ name, value, unit: 's', ...ratio }))
  const { engine, plane: api } = line.procs ?? {}
  if (!engine || !api) return
  if (line.phase === 'idle') {
    const share = (100 * engine.cpu) / (line.wallS ?? IDLE_S)
    console.log(
      JSON.stringify({ name: `${name}: processor of the engine`, value: Number(share.toFixed(2)), unit: '%' }),
    )
    return
  }
  const all = Number((engine.cpu + api.cpu).toFixed(2))
  console.log(JSON.stringify({ name: `${name}: CPU in all (engine ${engine.cpu})`, value: all, unit: 's' }))
  if (engine.peakRssMiB)
    console.log(JSON.stringify({ name: `${name}: memory of the engine, peak`, value: engine.peakRssMiB, unit: 'MiB' }))
}

function lineOf(child: ChildProcess, wanted: RegExp): Promise<string> {
  return new Promise((found, failed) => {
    let text = ''
    const take = (chunk: Buffer): void => {
      text += chunk.toString('utf8')
      const line = text.split('\n').find((candidate, at, all) => at < all.length - 1 && wanted.test(candidate))
      if (line !== undefined) found(line)
    }
    child.stdout?.on('data', take)
    child.stderr?.on('data', take)
    child.on('exit', (code) => failed(new Error(`ended with ${code}: ${text.slice(-2000)}`)))
  })
}

function ended(child: ChildProcess): Promise<void> {
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')))
  return new Promise((done, failed) =>
    child.on('exit', (code) =>
      code === 0 ? done() : failed(new Error(`bench ended with ${code}: ${text.slice(-2000)}`)),
    ),
  )
}
