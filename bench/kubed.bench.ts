import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'esbuild'
import { sqliteJournal } from '../src/embedded/kubed/storage/journal.ts'
import { openStore } from '../src/embedded/kubed/storage/store.ts'
import { controlPlaneBinary, startControlPlane } from '../tests/lib/control-plane.ts'

/**
 * The load of tools/bench-kube on kubed and, where it is at hand, on the real etcd and kube-apiserver (whose etcd does not sync), one after the other
 * in one run, each in processes of its own, without controllers. OBJECTS (5000) sets the size. Prints a JSON line a number.
 */
const driver = join(process.env.SLUICE_TOOLS ?? '../shared/tools', 'bench-kube/bench.mjs')
const objects = process.env.OBJECTS ?? '5000'
const MANY = Number(process.env.MANY ?? 50_000)
/** Where the bundle finds the libraries beside it. */
const bundle = resolve('node_modules/.cache/sluice-bench/kubed.mjs')

type Server = { readonly server: string; readonly token: string; readonly pids: readonly number[] }
type Row = { name: string; perSecond: number; p99ms: number; serverCpuMsPerOp: number; rssMiB: number; bad?: number }

async function main(): Promise<void> {
  if (!existsSync(driver)) throw new Error(`no load driver at ${driver}`)
  print('load of the machine before', loadavg()[0] ?? 0, 'processes')
  const dir = mkdtempSync(join(tmpdir(), 'kubed-bench-'))
  try {
    await bundleServer()
    await loadKubed(join(dir, 'few'), 'kubed', objects)
    if (controlPlaneBinary() !== undefined) await loadReal()
    await loadKubed(join(dir, 'hundred'), 'kubed, 100 objects', '100')
    await fill(join(dir, 'many'))
    await startProduct(join(dir, 'many'))
    await loadKubed(join(dir, 'many'), `kubed with ${MANY} more objects`, objects)
    await loadKubed(join(dir, 'memory'), 'kubed, 10000 objects', '10000', ['--only', 'create'])
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** The API server alone, bundled and under the settings of V8 that the product has. */
async function bundleServer(): Promise<void> {
  const contents = `import { inlineLess } from './src/app/process/inline-less.ts'
    import { dropIdleCode, poolBuffersInBulk } from './src/app/process/release-memory.ts'
    import { serveKubed } from './src/embedded/kubed/serve.ts'
    dropIdleCode()
    inlineLess()
    poolBuffersInBulk()
    const { server, token } = await serveKubed({ stateDir: process.argv[2], port: 0 })
    console.log(JSON.stringify({ server, token }))`
  const stdin = { contents, resolveDir: process.cwd(), loader: 'ts' } as const
  const external = ['libsql']
  await build({ stdin, bundle: true, platform: 'node', format: 'esm', outfile: bundle, external })
}

async function loadKubed(dir: string, name: string, count: string, more: readonly string[] = []): Promise<void> {
  const { child, server } = await started([bundle, dir])
  await load(name, server, count, more)
  await stopped(child)
}

/** The product's own bundle, API server and controllers, until it says that it is ready. */
async function startProduct(dir: string): Promise<void> {
  for (const moment of ['first start (index is read, nothing cached)', 'start']) {
    const beganMs = performance.now()
    const { child } = await started(['dist/sluice.mjs', 'serve', 'kubed', '--state', dir, '--node', 'none'])
    print(`serve kubed with ${MANY} objects, ${moment}`, performance.now() - beganMs, 'ms')
    print(`serve kubed with ${MANY} objects, memory`, rssOf(child.pid ?? 0), 'MiB')
    await stopped(child)
  }
}

async function loadReal(): Promise<void> {
  const beganMs = performance.now()
  const plane = await startControlPlane({ controllers: false })
  print('kube-apiserver start, empty', performance.now() - beganMs, 'ms')
  await load('kube-apiserver', { ...plane, pids: withChildren(plane.pid) }, objects)
  await plane.stop()
}

async function started(args: readonly string[]): Promise<{ child: ChildProcess; server: Server }> {
  // Node reads these certificates before anything else, 50 ms for the usual file; the server asks nobody who needs them.
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env })
  for await (const line of createInterface({ input: child.stdout })) {
    const { server, token } = JSON.parse(line) as { server: string; token: string }
    return { child, server: { server, token, pids: [child.pid ?? 0] } }
  }
  throw new Error('the server ended before it was ready')
}

function stopped(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    child.once('exit', () => done())
    child.kill()
  })
}

async function load(name: string, server: Server, count: string, more: readonly string[] = []): Promise<void> {
  const args = ['--server', server.server, '--token', server.token, '--objects', count, '--pids', server.pids.join()]
  const child = spawn(process.execPath, [driver, ...args, ...more], { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{')) continue
    const row = JSON.parse(line) as Row
    print(`${name}: ${row.name}`, row.perSecond, '1/s')
    print(`${name}: ${row.name}, CPU of the server`, row.serverCpuMsPerOp, 'ms')
    print(`${name}: ${row.name}, memory of the server`, row.rssMiB, 'MiB')
    if (row.bad !== undefined) print(`${name}: ${row.name}, refused`, row.bad, 'requests')
  }
}

/** Writes many objects into a state folder, as a server would have. */
async function fill(dir: string): Promise<void> {
  const { child } = await started([bundle, dir])
  await stopped(child)
  const failed = (error: unknown): never => {
    throw error
  }
  const store = openStore(sqliteJournal(join(dir, 'kubed/objects.db')), { nowMs: () => Date.now(), failed })
  for (let index = 0; index < MANY; index++) {
    store.put('/configmaps', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: `many-${index}`,
        namespace: 'default',
        uid: crypto.randomUUID(),
        labels: { app: `a${index % 100}` },
      },
      data: { key: 'a', text: 'x'.repeat(512) },
    })
    if (index % 1000 === 0) await store.settled()
  }
  await store.close()
}

/** A process and all below it; each of its threads may have started some. */
function withChildren(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`)
    .flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' '))
    .filter((each) => each !== '')
  return [pid, ...children.flatMap((each) => withChildren(Number(each)))]
}

function rssOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

function print(name: string, value: number, unit: string): void {
  console.log(JSON.stringify({ name, value: Math.round(value * 1000) / 1000, unit }))
}

void main()
