import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/adapters/clock.ts'
import { clientFromKubeconfig } from '../../src/adapters/kube/client.ts'
import type { KubeClient } from '../../src/adapters/kube/types.ts'
import { startWorkloads } from '../../src/agents/workloads/start.ts'
import { serveKubed } from '../../src/embedded/kubed/serve.ts'
import { serveRegistryd } from '../../src/embedded/registryd/serve.ts'
import type { KubeObject } from '../../src/lib/kube/object.ts'
import { processesIn, tryKill } from './processes.ts'

/** The ordinary user that nodes run as when the tests run as root. */
const ORDINARY = 65_534

/** Who the node is. */
export type NodeUser = 'ordinary' | 'root'

/** A cluster with one node of ours, which is a process of its own. */
export type NodeWorld = {
  readonly client: KubeClient
  /** Host of the registry as `pushImage` wants it. */
  readonly registry: string
  /** The node's state folder. */
  readonly state: string
  /** What the node has printed to stderr. */
  readonly printed: () => string
  readonly kill: () => Promise<void>
  readonly start: () => Promise<void>
  readonly pod: (name: string) => Promise<KubeObject | undefined>
  /** `http://127.0.0.1:N` of a Service of the namespace default. */
  readonly serviceUrl: (name: string, port: number) => string
  readonly close: () => Promise<void>
}

/** The words that make a command that of an ordinary user, as far as we are root. */
export function asUser(user: NodeUser): readonly string[] {
  if (user === 'root' || process.getuid?.() !== 0) return []
  return ['setpriv', '--reuid', `${ORDINARY}`, '--regid', `${ORDINARY}`, '--clear-groups', '--']
}

/** Why pods cannot run by namespaces here; undefined when they can. */
export function whyNoNamespaces(user: NodeUser): string | undefined {
  if (process.platform !== 'linux') return 'no Linux'
  const [program = '', ...words] = [...asUser(user), 'unshare', '-Urmn', 'true']
  try {
    execFileSync(program, words, { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message.split('\n').slice(0, 2).join(' ') : String(error)
  }
}

/** Starts kubed, its controllers, a registry and a node. */
export async function startNodeWorld(o: {
  readonly user: NodeUser
  readonly driver: string
  readonly env?: Readonly<Record<string, string>>
}): Promise<NodeWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-world-'))
  chmodSync(folder, 0o755)
  const kubed = await serveKubed({ stateDir: join(folder, 'kube'), port: 0 })
  const client = clientFromKubeconfig(kubed.kubeconfig)
  const workloads = await startWorkloads({ client, clock: systemClock })
  const registryd = await serveRegistryd({ root: join(folder, 'registry'), port: 0 })
  const state = join(folder, 'state')
  const kubeconfig = join(folder, 'node.kubeconfig')
  cpSync(kubed.kubeconfig, kubeconfig)
  mkdirSync(state)
  if (asUser(o.user).length > 0) for (const path of [kubeconfig, state]) chownSync(path, ORDINARY, ORDINARY)
  let printed = ''
  let node: ChildProcess | undefined
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (node === undefined || node.exitCode !== null || node.signalCode !== null) return
    const ended = new Promise((resolve) => node?.once('exit', resolve))
    node.kill(signal)
    await ended
  }
  const start = async (): Promise<void> => {
    const options = { kubeconfig, name: 'node-1', driver: o.driver, state, registry: registryd.host }
    const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
    const [program = '', ...words] = [...asUser(o.user), process.execPath, 'dist/sluice.mjs', 'node', ...flags]
    const child = spawn(program, words, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...o.env },
    })
    node = child
    child.stderr.on('data', (chunk) => (printed += String(chunk)))
    await new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve())
      child.once('exit', (code) => reject(new Error(`the node ended with ${code}: ${printed}`)))
    })
  }
  await start()
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    await end('SIGTERM')
    await workloads.close()
    client.close()
    await kubed.close()
    await registryd.close()
    for (const pid of processesIn(folder)) tryKill(pid)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  return {
    client,
    registry: registryd.host,
    state,
    printed: () => printed,
    kill: () => end('SIGKILL'),
    start,
    pod: (name) => client.get({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name }),
    serviceUrl(name, port) {
      const file = join(state, 'node', 'node-1', 'service-ports.json')
      const ports = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
      return `http://127.0.0.1:${ports[`default/${name}:${port}`] ?? 0}`
    },
    close: () => (closing ??= close()),
  }
}
