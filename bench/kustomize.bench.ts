// Builds the trees of bench-kustomize in this warm process, as a process of its own, and with the standalone kustomize, in one run: processor
// and wall time, memory, and whether the bytes are equal. Takes four minutes on a quiet machine, one and a half of them for kustomize at 5,000 resources.
// SLUICE_TOOLS names the folder of the tools, SLUICE_PEERS that of the peers; without them the run says so and ends.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir, loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { diskTree } from '../src/adapters/files/disk-tree.ts'
import { build, renderBuild } from '../src/lib/kustomize/build.ts'

type Tree = { readonly shape: string; readonly resources: number; readonly runs: number; readonly peerRuns: number }
type Cost = { readonly cpuMs: number; readonly wallMs: number; readonly peakMiB: number; readonly text: string }

const TREES: readonly Tree[] = [
  { shape: 'minimal', resources: 1, runs: 300, peerRuns: 11 },
  { shape: 'patch', resources: 1, runs: 100, peerRuns: 5 },
  { shape: 'chain', resources: 50, runs: 60, peerRuns: 5 },
  { shape: 'overlay', resources: 100, runs: 30, peerRuns: 3 },
  // a build of this size is as quick as it gets after some fifteen, and the first third is left out
  { shape: 'overlay', resources: 1000, runs: 45, peerRuns: 2 },
  { shape: 'mixed', resources: 1000, runs: 45, peerRuns: 2 },
  { shape: 'overlay', resources: 5000, runs: 5, peerRuns: 1 },
  { shape: 'overlay', resources: 20_000, runs: 3, peerRuns: 0 },
]
/** Growth is judged between the first tree that is not mostly fixed costs and the largest. */
const FROM = 'kustomize overlay 100'
const TO = 'kustomize overlay 20000'

const generator = join(process.env['SLUICE_TOOLS'] ?? '../shared/tools', 'bench-kustomize', 'gen.mjs')
const peer =
  process.env['KUSTOMIZE'] ?? join(process.env['SLUICE_PEERS'] ?? join(homedir(), '.cache/sluice/peers'), 'kustomize')
const bundle = resolve('dist/sluice.mjs')
/** Processor time a resource, in microseconds, by the name of the tree. */
const warmth = new Map<string, number>()

if (existsSync(generator) && existsSync(peer)) run()
else print('skipped', 0, `no ${generator} (SLUICE_TOOLS) or no ${peer} (SLUICE_PEERS)`)

function run(): void {
  print('load of the machine before', loadavg()[0] ?? 0, 'processes')
  const root = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  try {
    for (const tree of TREES) measure(root, tree)
    print(
      `${FROM} to 20000: warm, growth of the cost of a resource`,
      (warmth.get(TO) ?? 0) / (warmth.get(FROM) ?? 0),
      'times',
    )
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

function measure(root: string, { shape, resources, runs, peerRuns }: Tree): void {
  const name = `kustomize ${shape} ${resources}`
  const out = join(root, `${shape}-${resources}`)
  execFileSync(process.execPath, [resolve(generator), '--resources', String(resources), '--shape', shape, '--out', out])
  const dir = join(out, 'overlay')
  const warm = Array.from({ length: runs }, () => inThisProcess(dir)).slice(Math.ceil(runs / 3))
  const warmMs = median(warm)
  print(`${name}: warm, processor`, warmMs, 'ms')
  warmth.set(name, (warmMs * 1000) / resources)
  print(`${name}: warm, a resource`, warmth.get(name) ?? 0, 'µs')
  const withOrigins = Array.from({ length: runs }, () => inThisProcess(dir, true)).slice(Math.ceil(runs / 3))
  print(`${name}: warm, with origins to without`, median(withOrigins) / warmMs, 'times (at most 2)')
  // In turn, so that a load of the machine meets both.
  const mine: Cost[] = []
  const byNode: Cost[] = []
  const theirs: Cost[] = []
  for (let i = 0; i < Math.max(peerRuns, 1); i++) {
    mine.push(asProcess([bundle, 'build', dir]))
    byNode.push(asProcess([process.execPath, bundle, 'build', dir]))
    if (i < peerRuns) theirs.push(asProcess([peer, 'build', dir]))
  }
  const own = middle(mine)
  print(`${name}: as a process, processor`, own.cpuMs, 'ms')
  print(`${name}: as a process, wall`, own.wallMs, 'ms')
  print(`${name}: as a process, peak memory`, own.peakMiB, 'MiB')
  print(`${name}: by node itself, processor`, middle(byNode).cpuMs, 'ms')
  print(`${name}: by node itself, wall`, middle(byNode).wallMs, 'ms')
  const [first] = theirs
  if (!first) return
  const other = middle(theirs)
  const same = first.text === mine[0]?.text ? 'same bytes' : 'OTHER BYTES'
  print(`${name}: kustomize, processor`, other.cpuMs, 'ms')
  print(`${name}: kustomize, wall`, other.wallMs, 'ms')
  print(`${name}: kustomize, peak memory`, other.peakMiB, 'MiB')
  print(`${name}: warm, ratio of processor`, other.cpuMs / warmMs, `times, ${same}`)
  print(`${name}: as a process, ratio of processor`, other.cpuMs / own.cpuMs, 'times')
  print(`${name}: by node itself, ratio of processor`, other.cpuMs / middle(byNode).cpuMs, 'times')
  print(`${name}: as a process, ratio of wall`, other.wallMs / own.wallMs, 'times')
  print(`${name}: as a process, behind kustomize`, own.wallMs - other.wallMs, 'ms')
}

function inThisProcess(dir: string, origin = false): number {
  const before = process.cpuUsage()
  renderBuild(build(diskTree(), dir, { reorder: 'legacy', origin }))
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** One run of a command, as the kernel accounts it; `bash` takes the times in milliseconds, GNU time (where there is one) the peak memory. */
function asProcess(command: readonly string[]): Cost {
  const gnu = existsSync('/usr/bin/time') ? ['/usr/bin/time', '-q', '-f', '%M'] : []
  const script = `TIMEFORMAT='%3R %3U %3S'; time "$@"`
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...gnu, ...command], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  const [times = '', peak = ''] = stderr.trim().split('\n').reverse()
  const [wall = 0, user = 0, system = 0] = times.split(' ').map(Number)
  const peakMiB = gnu.length > 0 ? Number(peak) / 1024 : 0
  return { cpuMs: (user + system) * 1000, wallMs: wall * 1000, peakMiB, text: stdout }
}

function middle(costs: readonly Cost[]): Omit<Cost, 'text'> {
  const of = (pick: (cost: Cost) => number): number => median(costs.map(pick))
  return { cpuMs: of((cost) => cost.cpuMs), wallMs: of((cost) => cost.wallMs), peakMiB: of((cost) => cost.peakMiB) }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

function print(name: string, value: number, unit: string): void {
  console.log(JSON.stringify({ name, value: Math.round(value * 100) / 100, unit }))
}
