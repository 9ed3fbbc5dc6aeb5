// Builds the trees of bench-kustomize in this warm process and with the standalone kustomize, side by side: CPU and wall.
// SLUICE_TOOLS names the folder of the tools, SLUICE_PEERS that of the peers; without them the run says so and ends.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { diskTree } from '../src/adapters/files/disk-tree.ts'
import { build, renderBuild } from '../src/lib/kustomize/build.ts'

type Tree = { readonly shape: string; readonly resources: number; readonly runs: number; readonly peerRuns: number }

const TREES: readonly Tree[] = [
  { shape: 'minimal', resources: 1, runs: 200, peerRuns: 5 },
  { shape: 'chain', resources: 50, runs: 30, peerRuns: 5 },
  { shape: 'overlay', resources: 1000, runs: 7, peerRuns: 2 },
  { shape: 'mixed', resources: 1000, runs: 7, peerRuns: 2 },
  ...(process.env['BENCH_LARGE'] ? [{ shape: 'overlay', resources: 5000, runs: 3, peerRuns: 1 }] : []),
]

const generator = join(process.env['SLUICE_TOOLS'] ?? '../shared/tools', 'bench-kustomize', 'gen.mjs')
const peer =
  process.env['KUSTOMIZE'] ?? join(process.env['SLUICE_PEERS'] ?? join(homedir(), '.cache/sluice/peers'), 'kustomize')

if (existsSync(generator)) run()
else print('skipped', 0, `no ${generator} (SLUICE_TOOLS)`)

function run(): void {
  const root = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  try {
    for (const tree of TREES) measure(root, tree)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

function measure(root: string, { shape, resources, runs, peerRuns }: Tree): void {
  const name = `kustomize ${shape} ${resources}`
  const out = join(root, `${shape}-${resources}`)
  execFileSync(process.execPath, [resolve(generator), '--resources', String(resources), '--shape', shape, '--out', out])
  const dir = folderToBuild(out)
  const mine = Array.from({ length: runs }, () => ours(dir)).slice(Math.ceil(runs / 3))
  print(`${name} cpu warm`, median(mine), 'ms')
  const withOrigins = Array.from({ length: runs }, () => ours(dir, true)).slice(Math.ceil(runs / 3))
  print(`${name} with origin`, median(withOrigins) / median(mine), 'times (promise 2)')
  if (!existsSync(peer)) return print(`${name} peer`, 0, `no kustomize at ${peer}`)
  const theirs = Array.from({ length: peerRuns }, () => peerCpu(dir))
  const same =
    renderBuild(build(diskTree(), dir, { reorder: 'legacy' })) ===
    spawnSync(peer, ['build', dir], { encoding: 'utf8', maxBuffer: 1 << 28 }).stdout
  print(`${name} cpu kustomize`, median(theirs), 'ms')
  print(`${name} ratio`, median(theirs) / median(mine), same ? 'times, same bytes' : 'times, OTHER BYTES')
}

function folderToBuild(out: string): string {
  return readdirSync(out).includes('overlay') ? join(out, 'overlay') : out
}

function ours(dir: string, origin = false): number {
  const before = process.cpuUsage()
  renderBuild(build(diskTree(), dir, { reorder: 'legacy', origin }))
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** CPU of one run of the peer, by the shell's own clock of its children. */
function peerCpu(dir: string): number {
  const script = '"$1" build "$2" > /dev/null && times'
  const { stdout } = spawnSync('sh', ['-c', script, 'sh', peer, dir], { encoding: 'utf8' })
  const children = stdout.trim().split('\n').at(-1) ?? ''
  return [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1000,
    0,
  )
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

function print(name: string, value: number, unit: string): void {
  console.log(JSON.stringify({ name, value: Math.round(value * 100) / 100, unit }))
}
