import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, realpathSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

const conformance = resolve(process.env.SLUICE_CONFORMANCE ?? '../shared/conformance')
const script = join(conformance, 'kubectl', 'run.sh')
const goldens = join(conformance, 'kube-apiserver', 'kubectl')

/** Why the procedures cannot run here; `false` when they can. */
export function whyNot(): string | false {
  if (!existsSync(script)) return `no conformance data: ${script}`
  return findKubectls().length === 0 ? 'no kubectl on the PATH' : false
}

/** The kubectl of the PATH, then its versions `kubectl.1.NN` that lie beside it. */
export function findKubectls(): readonly string[] {
  const folders = (process.env.PATH ?? '').split(':')
  const found = folders.map((folder) => join(folder, 'kubectl')).find((file) => existsSync(file))
  if (found === undefined) return []
  const beside = dirname(realpathSync(found))
  const versions = readdirSync(beside).filter((name) => /^kubectl\.1\.\d+$/.test(name))
  return [found, ...versions.sort().map((name) => join(beside, name))]
}

/** What the real server made a kubectl of that version print; undefined where nobody recorded it. */
function goldenOf(kubectl: string): string | undefined {
  const [version] = /\d+\.\d+$/.exec(kubectl) ?? []
  const golden = join(goldens, `${version}.txt`)
  return version !== undefined && existsSync(golden) ? golden : undefined
}

/** Every kubectl of which there are recorded outputs; the one of the PATH where there is none. */
export function recordedKubectls(): readonly string[] {
  const all = findKubectls()
  const recorded = all.filter((kubectl) => goldenOf(kubectl) !== undefined)
  return recorded.length > 0 ? recorded : all.slice(0, 1)
}

/** How a run of all commands went. */
type Procedures = {
  /** The last line. */
  readonly result: string
  readonly failures: string
  /** Commands that print something else than on the real server, but for names, addresses and times; none where nothing is recorded. */
  readonly differing: readonly string[]
  readonly seconds: number
}

/** Runs all commands against a new kubed of its own, set up as the real server was when its outputs were recorded. */
export function runProcedures(kubectl: string): Promise<Procedures> {
  return withSimulatedPods(async (kubeconfig, dir) => {
    const startedAt = Date.now()
    const output = await outputOf(join(dir, 'out'), { ...process.env, KUBECONFIG: kubeconfig, KUBECTL: kubectl })
    const result = output.trim().split('\n').at(-1) ?? ''
    const failures = output.split('### ').filter((part) => part.includes('!!! FAILED'))
    const seconds = (Date.now() - startedAt) / 1000
    const outputFile = join(dir, 'output.txt')
    writeFileSync(outputFile, output)
    return { result, failures: failures.join('\n'), differing: differing(outputFile, goldenOf(kubectl)), seconds }
  })
}

/** Does something with a new kubed whose pods are simulated, and with a folder; neither is left. */
export async function withSimulatedPods<T>(body: (kubeconfig: string, dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-kubectl-'))
  const args = ['dist/sluice.mjs', 'serve', 'kubed', '--node', 'sim', '--state', join(dir, 'state'), '--port', '0']
  args.push('--disable-admission-plugins', 'ServiceAccount')
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = once(server, 'exit')
  try {
    const ready = await Promise.race([once(createInterface(server.stdout), 'line'), ended])
    if (typeof ready[0] !== 'string') throw new Error('sluice serve kubed ended before it was ready')
    const { kubeconfig } = JSON.parse(ready[0]) as { kubeconfig: string }
    return await body(kubeconfig, dir)
  } finally {
    server.kill('SIGTERM')
    await ended
    rmSync(dir, { recursive: true, force: true })
  }
}

function differing(outputFile: string, golden: string | undefined): string[] {
  if (golden === undefined) return []
  const { stdout } = spawnSync(process.execPath, [join(goldens, 'normalise.mjs'), outputFile, golden])
  return stdout
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('kubectl '))
}

async function outputOf(folder: string, env: NodeJS.ProcessEnv): Promise<string> {
  const run = spawn('bash', [script, folder], {
    env: { ...env, LINES_SHOWN: '1000000' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  run.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  await once(run, 'close')
  return text
}
