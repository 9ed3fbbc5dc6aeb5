import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { RegistryClient } from '../../../adapters/registry/client.ts'
import type { RemoteProgram } from '../remote-program.ts'
import type {
  ContainerId,
  ContainerStart,
  ContainerUse,
  Driver,
  DriverEvents,
  RemoteRequest,
  RunningContainer,
  Sandbox,
} from '../driver.ts'
import { openImageStore } from '../image/store.ts'
import type { Kept } from '../keeper/messages.ts'
import { containerFolder, logFile, logsFolder, podFolder, podsFolder } from '../pod-folder.ts'
import { onTerminal } from '../linux/enter.ts'
import { ENTER_SCRIPT } from '../linux/init-script.ts'
import { forgetKeeper, launchKeeper, TOOL_ENV, type Launched } from '../linux/launch.ts'
import { removeTreeSync } from '../../../machine/remove-tree.ts'
import { whyNoTerminals } from '../linux/tools.ts'
import { readProcesses, usageOfMachine, usageOfTree } from '../usage/processes.ts'
import { openAddresses, type Addresses } from './addresses.ts'
import { mapServiceEnv, planLoopback, type LoopbackNetwork } from './network.ts'
import { resolveProgram, unpackRoot, type Files, type Program } from './program.ts'
import { renderShim, SHIM_ENV } from './shim.ts'

/** What the keeper remembers for us about a process. */
type Meta = ContainerId & {
  readonly imageId: string
  /** For programs that are run in it later. */
  readonly files: Files
  readonly workingDir: string
  readonly env: Program['env']
}

type Processes = {
  readonly stateDir: string
  readonly launched: Launched
  readonly addresses: Addresses
  readonly dieWithKeeper: readonly string[]
  network: Pick<LoopbackNetwork, 'byClusterIp'>
}

const NOT_KEPT =
  'pods are not isolated: they are processes of this user that see the whole machine, and everybody on it reaches them'
const GAPS = [
  NOT_KEPT,
  'USER, runAsUser, readOnlyRootFilesystem, read-only mounts and limits are not kept',
  'only Node programs get an address of their own; of any other that listens on all addresses one replica can run',
]

/**
 * Starts the driver that runs pods as plain processes, for machines without namespaces. Only on demand: it isolates nothing.
 *
 * Containers of an earlier server are taken over, found by the pid and start time of their keeper.
 * @throws SluiceError NODE_DRIVER with the reason why it cannot work on this machine
 */
export async function startProcessDriver(
  o: { readonly stateDir: string; readonly registry: RegistryClient },
  events: DriverEvents,
): Promise<Driver> {
  if (process.platform !== 'linux')
    throw new SluiceError('NODE_DRIVER', `this machine runs ${process.platform}, not Linux`)
  // a keeper of its own: that of the Linux driver has another network
  mkdirSync(join(o.stateDir, 'process'), { recursive: true, mode: 0o755 })
  const stateDir = realpathSync(join(o.stateDir, 'process'))
  const addresses = await openAddresses(stateDir)
  const dieWithKeeper = await findSetpriv()
  writeFileSync(shimPath(stateDir), renderShim())
  writeFileSync(enterPath(stateDir), ENTER_SCRIPT)
  const launched = await launchKeeper({
    stateDir,
    isolated: false,
    onExit(kept) {
      endGroup(kept.pid)
      const meta = metaOf(kept)
      if (meta) events.onExit(meta)
    },
    onGone: () => events.onLost('the process that keeps the pods ended'),
  })
  if (!launched.isAdopted) endSandboxes(stateDir)
  const processes: Processes = { stateDir, launched, addresses, dieWithKeeper, network: { byClusterIp: new Map() } }
  for (const { uid, ip } of sandboxesOf(stateDir)) addresses.keepPod(uid, ip)
  return driverOf(processes, openImageStore(join(stateDir, 'images'), o.registry, false))
}

function driverOf(processes: Processes, images: ReturnType<typeof openImageStore>): Driver {
  const { stateDir, addresses, dieWithKeeper } = processes
  const { keeper } = processes.launched
  const orphans = 'where setpriv is missing, programs go on when the process that keeps them is killed'
  return {
    name: 'process',
    isSimulated: false,
    gaps: dieWithKeeper.length > 0 ? GAPS : [...GAPS, orphans],
    ...{ findImage: images.find, pullImage: images.pull, collectImages: images.collect },
    createSandbox: async ({ uid }) => createSandbox(processes, uid),
    // a folder does as well
    mountMemory: async () => undefined,
    mountImage: async () => {
      throw new SluiceError('POD_VOLUME', 'volumes of images are not supported by this driver of the node')
    },
    start: (start) => startContainer(processes, start),
    async signal(id, signal) {
      if (signal === 'SIGKILL') return void (await keeper.signal(keyOf(id), signal, 0))
      const kept = await findKept(processes, id)
      if (kept !== undefined && !kept.exit) tryKill(kept.pid, signal)
    },
    exec: (id, command, timeoutMs) => execIn(processes, id, command, timeoutMs),
    open: (id, request) => openIn(processes, id, request),
    async attach(id, { stdin, stdout, stderr }) {
      if ((await findRunning(processes, id)) === undefined) throw notRunning()
      return keeper.attach(keyOf(id), [stdin, stdout, stderr])
    },
    async forward(uid, port) {
      const sandbox = sandboxesOf(stateDir).find((each) => each.uid === uid)
      if (sandbox === undefined) throw new Error('the pod has no network')
      const socket = await keeper.streamTo({ host: sandbox.ip, port })
      return { readable: socket, writable: socket }
    },
    connect: (target) => keeper.streamTo(target),
    greet: keeper.greet,
    removeSandbox: (uid) => removeSandbox(processes, uid),
    forget: (id) => keeper.forget(keyOf(id)),
    usage: async () => ({ machine: usageOfMachine(), containers: usageOf(await keeper.list()) }),
    list: async () => ({ sandboxes: sandboxesOf(stateDir), containers: (await keeper.list()).flatMap(containerOf) }),
    logPath: (id) => logFile(stateDir, id),
    podFolder: (uid) => podFolder(stateDir, uid),
    async setNetwork(table) {
      const plan = planLoopback(table, addresses)
      processes.network = plan
      replaceFile(namesPath(stateDir), JSON.stringify(plan.names))
      await keeper.setNetwork(plan.table)
    },
    drain: (host, timeoutMs) => keeper.drain(host, timeoutMs),
    serviceStream: (key) => keeper.serviceStream(key),
    dns: undefined,
    hostIp: '127.0.0.1',
    async close({ stopPods }) {
      if (!stopPods) return keeper.close()
      for (const { uid } of sandboxesOf(stateDir)) await removeSandbox(processes, uid).catch(() => undefined)
      await keeper.stop()
      forgetKeeper(stateDir)
    },
  }
}

function createSandbox({ stateDir, addresses }: Processes, uid: string): Sandbox {
  const sandbox = { uid, ip: addresses.pod(uid) }
  mkdirSync(logsFolder(stateDir, uid), { recursive: true })
  replaceFile(join(podFolder(stateDir, uid), 'sandbox.json'), JSON.stringify(sandbox))
  return sandbox
}

async function startContainer(processes: Processes, start: ContainerStart): Promise<RunningContainer> {
  const { stateDir, launched, dieWithKeeper } = processes
  const sandbox = sandboxesOf(stateDir).find(({ uid }) => uid === start.uid)
  if (sandbox === undefined)
    throw new SluiceError('NODE_DRIVER', 'the sandbox of the pod is gone', { retry: 'backoff' })
  const root = containerFolder(stateDir, start)
  await unpackRoot(root, start)
  const env = new Map([
    ...mapServiceEnv(start.env, processes.network),
    ...Object.entries(shimEnv(stateDir, start, sandbox.ip)),
  ])
  const [port] = start.ports
  if (!env.has('HOST')) env.set('HOST', sandbox.ip)
  if (!env.has('PORT') && port !== undefined) env.set('PORT', String(port))
  const program = await resolveProgram(root, start, { ...start, env })
  mkdirSync(program.cwd, { recursive: true })
  const { uid, container, attempt, binds, workingDir, image } = start
  const files = { binds, image: { name: image.name, layers: image.layers } }
  const meta: Meta = { uid, container, attempt, imageId: image.id, files, workingDir, env: Object.fromEntries(env) }
  const kept = await launched.keeper.run({
    key: keyOf(start),
    ...started(stateDir, dieWithKeeper, program, start.tty),
    ...(start.stdin === 'none' ? {} : { stdin: start.stdin }),
    log: logFile(stateDir, start),
    meta,
  })
  return { uid, container, attempt, imageId: meta.imageId, startedAtMs: kept.startedAtMs }
}

function shimEnv(stateDir: string, { env, pod }: ContainerStart, ip: string): Record<string, string> {
  const own = new Map(env).get('NODE_OPTIONS')
  return {
    NODE_OPTIONS: [`--require ${JSON.stringify(shimPath(stateDir))}`, ...(own === undefined ? [] : [own])].join(' '),
    [SHIM_ENV.ip]: ip,
    [SHIM_ENV.namespace]: pod.namespace,
    [SHIM_ENV.names]: namesPath(stateDir),
  }
}

async function execIn(processes: Processes, id: ContainerId, command: readonly string[], timeoutMs: number) {
  const program = await programIn(processes, id, command)
  if (program === undefined) return { code: 126, output: 'the container does not run', timedOut: false }
  const argv = ['/bin/sh', '-c', 'cd "$1" && shift && exec "$@"', 'sh', program.cwd, ...program.argv]
  return processes.launched.keeper.exec({ argv, env: program.env, timeoutMs })
}

async function openIn(processes: Processes, id: ContainerId, request: RemoteRequest): Promise<RemoteProgram> {
  const program = await programIn(processes, id, request.command)
  if (program === undefined) throw notRunning()
  const streams = [request.stdin, request.stdout, request.stderr] as const
  return processes.launched.keeper.spawn({ ...started(processes.stateDir, [], program, request.tty), streams })
}

const notRunning = (): SluiceError => new SluiceError('NODE_DRIVER', 'the container does not run', { retry: 'backoff' })

async function programIn(
  processes: Processes,
  id: ContainerId,
  command: readonly string[],
): Promise<Program | undefined> {
  const meta = await findRunning(processes, id)
  if (meta === undefined) return undefined
  const { files, workingDir, env } = meta
  return resolveProgram(containerFolder(processes.stateDir, id), files, {
    command,
    workingDir,
    env: new Map(Object.entries(env)),
  })
}

/** How a program is started: with a terminal by words that set its surroundings themselves. */
function started(stateDir: string, before: readonly string[], { argv, env, cwd }: Program, tty: boolean): Program {
  if (!tty) return { argv: [...before, ...argv], env, cwd }
  const why = whyNoTerminals()
  if (why !== undefined) throw new SluiceError('NODE_DRIVER', why)
  const variables = Object.entries({ TERM: 'xterm', ...env }).map(([name, value]) => `${name}=${value}`)
  const terminal = onTerminal(['env', '-i', '--', ...variables, ...argv], enterPath(stateDir), '')
  return { argv: [...before, ...terminal.argv], env: { ...TOOL_ENV, ...terminal.env }, cwd }
}

async function findRunning(processes: Processes, id: ContainerId): Promise<Meta | undefined> {
  const kept = await findKept(processes, id)
  return kept === undefined || kept.exit ? undefined : metaOf(kept)
}

async function removeSandbox({ stateDir, addresses, launched: { keeper } }: Processes, uid: string): Promise<void> {
  const mine = async (): Promise<Kept[]> => (await keeper.list()).filter((kept) => metaOf(kept)?.uid === uid)
  for (const kept of await mine()) if (!kept.exit) await keeper.signal(kept.key, 'SIGKILL', 0)
  for (let turn = 0; turn < 250 && (await mine()).some(({ exit }) => !exit); turn++)
    await new Promise((resolve) => setTimeout(resolve, 20))
  for (const kept of await mine()) await keeper.forget(kept.key)
  addresses.freePod(uid)
  removeTreeSync(podFolder(stateDir, uid))
}

/** With the keeper all programs ended: the pods get new places, and what their volumes hold stays. */
function endSandboxes(stateDir: string): void {
  for (const uid of list(podsFolder(stateDir))) rmSync(join(podFolder(stateDir, uid), 'sandbox.json'), { force: true })
}

function sandboxesOf(stateDir: string): Sandbox[] {
  return list(podsFolder(stateDir)).flatMap((uid) => {
    try {
      const { ip } = JSON.parse(readFileSync(join(podFolder(stateDir, uid), 'sandbox.json'), 'utf8'))
      return typeof ip === 'string' ? [{ uid, ip }] : []
    } catch {
      return []
    }
  })
}

function containerOf(kept: Kept): RunningContainer[] {
  const meta = metaOf(kept)
  if (meta === undefined) return []
  const { uid, container, attempt, imageId } = meta
  const running = { uid, container, attempt, imageId, startedAtMs: kept.startedAtMs }
  return [kept.exit === undefined ? running : { ...running, exit: kept.exit }]
}

function usageOf(kept: readonly Kept[]): ContainerUse[] {
  const processes = readProcesses()
  if (processes.size === 0) return []
  return kept.flatMap((each) => {
    const meta = metaOf(each)
    if (meta === undefined || each.exit !== undefined) return []
    const { uid, container, attempt } = meta
    return [{ uid, container, attempt, startedAtMs: each.startedAtMs, ...usageOfTree(processes, each.pid) }]
  })
}

async function findKept({ launched }: Processes, id: ContainerId): Promise<Kept | undefined> {
  return (await launched.keeper.list()).find(({ key }) => key === keyOf(id))
}

/** Words before a program that make the kernel end it with the keeper; none where they do not work. */
async function findSetpriv(): Promise<readonly string[]> {
  for (const path of ['/usr/bin/setpriv', '/bin/setpriv']) {
    const words = [path, '--pdeathsig', 'KILL', '--']
    const works = await promisify(execFile)(path, [...words.slice(1), '/bin/true']).then(
      () => true,
      () => false,
    )
    if (works) return words
  }
  return []
}

/** What a program left behind when it ended. */
function endGroup(pid: number): void {
  if (pid > 1) tryKill(-pid, 'SIGKILL')
}

function tryKill(pid: number, signal: string): void {
  try {
    process.kill(pid, signal)
  } catch {
    // it is gone already
  }
}

function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.next`, text)
  renameSync(`${path}.next`, path)
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function keyOf({ uid, container, attempt }: ContainerId): string {
  return `container/${uid}/${container}/${attempt}`
}

function shimPath(stateDir: string): string {
  return join(stateDir, 'shim.cjs')
}

function enterPath(stateDir: string): string {
  return join(stateDir, 'enter.sh')
}

function namesPath(stateDir: string): string {
  return join(stateDir, 'names.json')
}

function metaOf({ meta }: Kept): Meta | undefined {
  return typeof meta === 'object' && meta !== null && 'container' in meta ? (meta as Meta) : undefined
}
