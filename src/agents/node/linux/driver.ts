import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { RegistryClient } from '../../../adapters/registry/client.ts'
import type { ContainerStart, ContainerUse, Driver, DriverEvents, RunningContainer, Sandbox } from '../driver.ts'
import { openImageStore } from '../image/store.ts'
import { readProcesses, usageOfMachine, usageOfTree } from '../usage/processes.ts'
import { containerFolder, logFile, podFolder } from '../pod-folder.ts'
import type { Kept, RunRequest } from '../keeper/messages.ts'
import { openCgroups, processesByNamespace } from './cgroup.ts'
import { depthOf, idsOf, startInit, type LinuxPaths } from './container.ts'
import { ENTER_SCRIPT, EXEC_SCRIPT, INIT_SCRIPT } from './init-script.ts'
import { forgetKeeper, launchKeeper, TOOL_ENV, type Launched } from './launch.ts'
import { endOrphans } from './orphans.ts'
import { addRoutes, makeBridge, NETWORK } from './network.ts'
import { groupOf, keyOf, metaOf, type Linux, type Meta } from './kept.ts'
import { attachTo, execIn, findProgram, forwardTo, openIn } from './remote.ts'
import {
  createSandbox,
  DIE_WITH_KEEPER,
  enterSandbox,
  removePod,
  removeUnfinished,
  sandboxOf,
  processesOf,
} from './sandbox.ts'
import { findInner, mountImage, mountMemory } from './mounts.ts'
import { watchMemory, type Watched } from './memory-watch.ts'
import { checkMachine } from './self-check.ts'
import { prepareTools, replaceFile, whyNoTerminals } from './tools.ts'
import { resolveUser } from './user.ts'

/**
 * Starts the Linux driver: namespaces by util-linux, network by iproute2, no root needed. Containers of an earlier server are taken over.
 *
 * @throws SluiceError NODE_DRIVER with the reason why it cannot work on this machine
 */
export async function startLinuxDriver(
  o: { readonly stateDir: string; readonly node: string; readonly registry: RegistryClient },
  events: DriverEvents,
): Promise<Driver> {
  if (process.platform !== 'linux')
    throw new SluiceError('NODE_DRIVER', `this machine runs ${process.platform}, not Linux`)
  mkdirSync(o.stateDir, { recursive: true, mode: 0o755 })
  const stateDir = realpathSync(o.stateDir)
  const paths = makePaths(stateDir)
  prepareTools(paths.tools, paths.hold)
  replaceFile(paths.initScript, (next) => writeFileSync(next, INIT_SCRIPT))
  replaceFile(paths.execScript, (next) => writeFileSync(next, EXEC_SCRIPT))
  replaceFile(paths.enterScript, (next) => writeFileSync(next, ENTER_SCRIPT))
  const removing = new Set<string>()
  let started: Linux | undefined
  const launched = await launchKeeper({
    stateDir,
    isolated: true,
    onExit: (kept) => {
      const meta = metaOf(kept)
      if (meta?.kind === 'container') {
        if (started !== undefined) void endOrphans(started, meta.uid).catch(() => undefined)
        events.onExit(meta)
      }
      if (meta?.kind === 'sandbox' && !removing.has(meta.uid)) events.onSandboxExit(meta.uid)
    },
    onGone: () => events.onLost('the process that keeps the pods ended'),
  })
  if (!launched.isAdopted) await makeBridge(launched.keeper).catch((error) => abandon(launched, stateDir, error))
  await launched.keeper.serveDns(NETWORK.dns)
  const cgroups = openCgroups(o.node)
  const mostProcesses = processesByNamespace(cgroups)
  const overlay = await checkMachine(launched.keeper, paths, stateDir, mostProcesses).catch((error) =>
    abandon(launched, stateDir, error),
  )
  const linux: Linux = {
    paths,
    mode: { overlay, isSingleId: launched.ids.isSingle, mostProcesses },
    launched,
    cgroups,
    octets: new Map(),
    removing,
    routes: new Set(),
    tooLarge: new Set(),
    lastOctet: 1,
  }
  started = linux
  await removeUnfinished(linux)
  for (const { ip, uid } of await sandboxesOf(linux)) linux.octets.set(uid, Number(ip.split('.')[3]))
  // what ended while no server looked
  for (const uid of linux.octets.keys()) void endOrphans(linux, uid).catch(() => undefined)
  const images = openImageStore(
    join(stateDir, 'images'),
    o.registry,
    process.getuid?.() === 0 && !linux.mode.isSingleId,
  )
  return driverOf(linux, images)
}

function driverOf(linux: Linux, images: ReturnType<typeof openImageStore>): Driver {
  const { keeper } = linux.launched
  const memory = linux.cgroups.gap === undefined ? undefined : watchLimits(linux)
  return {
    name: 'linux',
    isSimulated: false,
    gaps: gapsOf(linux),
    findImage: images.find,
    pullImage: images.pull,
    collectImages: images.collect,
    createSandbox: (pod, spec) => createSandbox(linux, pod, spec),
    mountMemory: (uid, mount) => mountMemory(linux, uid, mount),
    mountImage: (uid, folder, image) => mountImage(linux, uid, folder, image),
    findInner: (uid, folder, inner) => findInner(linux, uid, folder, inner),
    ...(linux.cgroups.gap === undefined && {
      resize: async (id, limits, ofPod) => linux.cgroups.change(groupOf(id), limits, ofPod),
    }),
    start: (start) => startContainer(linux, start),
    signal: (id, signal) => signalContainer(linux, keyOf(id), signal),
    exec: (id, command, timeoutMs) => execIn(linux, id, command, timeoutMs),
    open: (id, request) => openIn(linux, id, request),
    attach: (id, request) => attachTo(linux, id, request),
    forward: (uid, port) => forwardTo(linux, uid, port),
    connect: (target) => keeper.streamTo(target),
    greet: keeper.greet,
    removeSandbox: (uid) => removePod(linux, uid),
    forget: async (id) => {
      await keeper.forget(keyOf(id))
      linux.cgroups.close(groupOf(id))
      linux.tooLarge.delete(keyOf(id))
    },
    list: async () => ({ sandboxes: await sandboxesOf(linux), containers: await containersOf(linux) }),
    usage: async () => ({ machine: usageOfMachine(), containers: await usageOf(linux) }),
    logPath: (id) => logFile(linux.paths.stateDir, id),
    writtenFolder: (uid, container) =>
      join(containerFolder(linux.paths.stateDir, { uid, container }), linux.mode.overlay ? 'upper' : 'root'),
    podFolder: (uid) => podFolder(linux.paths.stateDir, uid),
    async setNetwork(table) {
      const addresses = table.ports.flatMap(({ listen }) => listen?.host ?? [])
      await addRoutes(keeper, addresses, linux.routes)
      await keeper.setNetwork(table)
    },
    drain: (host, timeoutMs) => keeper.drain(host, timeoutMs),
    serviceStream: (key) => keeper.serviceStream(key),
    dns: NETWORK.dns,
    hostIp: NETWORK.gateway,
    async close({ stopPods }) {
      memory?.stop()
      if (!stopPods) return keeper.close()
      const sandboxes = await sandboxesOf(linux).catch(() => [])
      for (const { uid } of sandboxes) await removePod(linux, uid).catch(() => undefined)
      await keeper.stop()
      forgetKeeper(linux.paths.stateDir)
    },
  }
}

/** Keeps limits of memory that no control group keeps. */
function watchLimits(linux: Linux): { readonly stop: () => void } {
  const { keeper } = linux.launched
  const list = async (): Promise<Watched[]> =>
    (await keeper.list()).flatMap((kept) => {
      const meta = metaOf(kept)
      if (meta?.kind !== 'container' || kept.exit) return []
      const { uid, memoryBytes, podMemoryBytes } = meta
      return [{ key: kept.key, pid: kept.pid, pod: uid, memoryBytes, podMemoryBytes }]
    })
  return watchMemory(list, async (key) => {
    linux.tooLarge.add(key)
    await signalContainer(linux, key, 'SIGKILL')
  })
}

function watchedOf({ limits, podLimits }: ContainerStart): Pick<Watched, 'memoryBytes' | 'podMemoryBytes'> {
  return { memoryBytes: limits.memoryBytes, podMemoryBytes: podLimits.memoryBytes }
}

function makePaths(stateDir: string): LinuxPaths {
  return {
    stateDir,
    layers: join(stateDir, 'images', 'layers'),
    tools: join(stateDir, 'tools'),
    hold: join(stateDir, 'hold'),
    initScript: join(stateDir, 'init.sh'),
    execScript: join(stateDir, 'exec.sh'),
    enterScript: join(stateDir, 'enter.sh'),
  }
}

async function abandon(launched: Launched, stateDir: string, error: unknown): Promise<never> {
  await launched.keeper.stop()
  forgetKeeper(stateDir)
  throw error
}

function gapsOf({ mode, cgroups }: Linux): string[] {
  const gaps = cgroups.gap === undefined ? [] : [cgroups.gap]
  if (!cgroups.limitsProcesses && mode.mostProcesses === undefined)
    gaps.push('the number of processes of a container is not limited: this needs Linux 6.14 or control groups')
  if (mode.isSingleId)
    gaps.push(
      'USER and runAsUser are not kept: this user has one id, so programs see themselves as root without its powers',
    )
  const terminals = whyNoTerminals()
  if (terminals !== undefined) gaps.push(terminals)
  if (!mode.overlay) gaps.push('images are copied for every container: this file system takes no overlay')
  return gaps
}

async function startContainer(linux: Linux, start: ContainerStart): Promise<RunningContainer> {
  const { keeper } = linux.launched
  const sandbox = await sandboxOf(linux, start.uid)
  const groups = linux.cgroups.open(groupOf(start), start.limits, start.podLimits)
  const { argv, env } = startInit(linux.paths, linux.mode, start, groups)
  const inPod = [...enterSandbox(sandbox), '--', 'sh', '-c', 'cd "$1" && shift && exec "$@"', 'sh', linux.paths.layers]
  const isolate = await isolationOf(linux, start, sandbox)
  const meta: Meta = {
    kind: 'container',
    uid: start.uid,
    container: start.container,
    attempt: start.attempt,
    imageId: start.image.id,
    user: idsOf(linux.mode, resolveUser(start.image.layers, start.user), start).join(':'),
    tty: start.tty,
    ...(linux.cgroups.gap !== undefined && watchedOf(start)),
  }
  const request: RunRequest = {
    key: keyOf(start),
    argv: [...DIE_WITH_KEEPER, ...inPod, ...isolate, ...argv],
    env: { ...TOOL_ENV, ...env },
    cwd: linux.paths.layers,
    ...(start.stdin === 'none' ? {} : { stdin: start.stdin }),
    log: logFile(linux.paths.stateDir, start),
    meta,
  }
  return containerOf(linux, await keeper.run(request), meta)
}

/** A process namespace of its own, or that of its pod or of another container. @throws SluiceError NODE_DRIVER when the other does not run */
async function isolationOf(
  linux: Linux,
  { joins, sharesProcesses }: Pick<ContainerStart, 'joins' | 'sharesProcesses'>,
  sandbox: Kept,
): Promise<readonly string[]> {
  const own = ['unshare', '-m', '--fork', '--kill-child', '--']
  if (sharesProcesses) return ['nsenter', `--pid=${processesOf(sandbox.pid)}`, '--no-fork', '--', ...own]
  if (joins === undefined) return ['unshare', '-m', '-p', '--fork', '--kill-child', '--']
  const target = await findProgram(linux, joins)
  if (target === undefined)
    throw new SluiceError('NODE_DRIVER', 'the target container does not run', { retry: 'backoff' })
  return ['nsenter', '-t', String(target.pid), '-p', '--no-fork', '--', ...own]
}

/** The end of a program is that of its container, by its exit code; the words before it are killed only where there is no program yet. */
async function signalContainer({ launched: { keeper } }: Linux, key: string, signal: string): Promise<void> {
  const kept = (await keeper.list()).find((each) => each.key === key)
  const meta = kept && metaOf(kept)
  const program = depthOf({ tty: meta?.kind === 'container' && meta.tty })
  for (const depth of signal === 'SIGKILL' ? [program, 1, 0] : [program])
    if (await keeper.signal(key, signal, depth)) return
}

async function sandboxesOf(linux: Linux): Promise<Sandbox[]> {
  return (await linux.launched.keeper.list()).flatMap((kept) => {
    const meta = metaOf(kept)
    return meta?.kind === 'sandbox' && !kept.exit ? [{ uid: meta.uid, ip: meta.ip }] : []
  })
}

async function containersOf(linux: Linux): Promise<RunningContainer[]> {
  return (await linux.launched.keeper.list()).flatMap((kept) => {
    const meta = metaOf(kept)
    return meta?.kind === 'container' ? [containerOf(linux, kept, meta)] : []
  })
}

function containerOf({ cgroups, tooLarge }: Linux, kept: Kept, meta: Meta & { kind: 'container' }): RunningContainer {
  const { uid, container, attempt, imageId } = meta
  const running = { uid, container, attempt, imageId, startedAtMs: kept.startedAtMs, user: userOfWords(meta.user) }
  if (kept.exit === undefined) return running
  const isOutOfMemory = tooLarge.has(kept.key) || cgroups.wasOutOfMemory(groupOf(meta))
  return { ...running, exit: { ...kept.exit, isOutOfMemory } }
}

/** Who is meant by `uid:gid:group,group`, in which nothing is root. The first group is one of all, as runtimes say it. */
function userOfWords(words: string): NonNullable<RunningContainer['user']> {
  const [uid = '', gid = '', more = ''] = words.split(':')
  const groups = more === '' ? [] : more.split(',').map(Number)
  return { uid: Number(uid), gid: Number(gid), groups: [...new Set([Number(gid), ...groups])] }
}

/** By the kernel's groups where a container has one, else by its processes. */
async function usageOf({ launched, cgroups }: Linux): Promise<ContainerUse[]> {
  const running = (await launched.keeper.list()).filter(({ exit }) => exit === undefined)
  const processes = readProcesses()
  return running.flatMap((kept) => {
    const meta = metaOf(kept)
    if (meta?.kind !== 'container') return []
    const { uid, container, attempt } = meta
    const { cpuNanos, memoryBytes } = usageOfTree(processes, kept.pid)
    const counted = cgroups.memoryOf(groupOf(meta)) ?? memoryBytes
    return [{ uid, container, attempt, startedAtMs: kept.startedAtMs, cpuNanos, memoryBytes: counted }]
  })
}
