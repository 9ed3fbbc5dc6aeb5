import { createHash } from 'node:crypto'
import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { engineClient } from '../../../adapters/container-engine/client.ts'
import { textsOf, type EngineContainer } from '../../../adapters/container-engine/container.ts'
import { findEngineSocket } from '../../../adapters/container-engine/socket.ts'
import type { RegistryClient } from '../../../adapters/registry/client.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { ContainerId, ContainerUse, ContainerStart, Driver, DriverEvents, RunningContainer } from '../driver.ts'
import { addRoutes, NETWORK } from '../linux/network.ts'
import { readProcesses, usageOfMachine, usageOfTree } from '../usage/processes.ts'
import { containerBody, LABELS, nameOf, type Place } from './bodies.ts'
import { makeNetwork, openGateway } from './gateway.ts'
import { handEmptyImage, openEngineImages, tagOf } from './images.ts'
import { followLog } from './logs.ts'
import { logFile, podFolder } from '../pod-folder.ts'
import { createSandbox, look, refresh, removePod, sandboxesOf, type Engine } from './sandbox.ts'
import { attachTo, execIn, openIn } from './streams.ts'

const GAPS = [
  'volumes in memory are folders of the disk',
  'what limits a pod as a whole limits each of its containers',
  'port-forward reaches what listens on the address of the pod, not what listens on its loopback only',
]

/**
 * Starts the driver that runs pods by a container engine of this machine, docker or podman: a container that holds the network for each
 * pod, and one gateway that carries the Services (docs/adr/0106). Containers of an earlier server are taken over.
 *
 * @throws SluiceError NODE_DRIVER with the reason why it cannot work on this machine
 */
export async function startEngineDriver(
  o: { readonly stateDir: string; readonly node: string; readonly registry: RegistryClient },
  events: DriverEvents,
): Promise<Driver> {
  const socket = findEngineSocket(process.env)
  if (process.platform !== 'linux' || socket === undefined)
    throw new SluiceError(
      'NODE_DRIVER',
      'no socket of a container engine on this machine that this user may speak to',
      {
        hint: 'start docker or "podman system service", or name the socket in DOCKER_HOST=unix:///…',
      },
    )
  mkdirSync(join(o.stateDir, 'engine'), { recursive: true, mode: 0o755 })
  const stateDir = realpathSync(join(o.stateDir, 'engine'))
  const client = engineClient(socket)
  // two nodes of one machine share an engine, and never a state folder
  const node = createHash('sha256').update(`${stateDir}\n${o.node}`).digest('hex').slice(0, 10)
  const emptyImage = await handEmptyImage(client)
  const network = `sluice-${node}`
  const gateway = await makeNetwork(client, network, node)
  const onGone = (): void => {
    if (engine?.isClosed === false) events.onLost('the gateway of the pods ended')
  }
  let engine: Engine | undefined
  const { keeper, place } = await openGateway(client, {
    place: { node, network, gateway, emptyImage, ulimits: [] },
    stateDir,
    onGone,
  })
  await keeper.serveDns(NETWORK.dns)
  engine = { client, keeper, place, stateDir, events, known: new Map(), routes: new Set(), isClosed: false }
  for (const container of await refresh(engine)) if (container.isRunning) keepLog(engine, container)
  void watchEnds(engine)
  return driverOf(engine, openEngineImages(join(stateDir, 'images'), o.registry, client))
}

function driverOf(engine: Engine, images: ReturnType<typeof openEngineImages>): Driver {
  const { client, keeper, place } = engine
  return {
    name: 'engine',
    isSimulated: false,
    gaps: GAPS,
    findImage: images.find,
    pullImage: images.pull,
    createSandbox: (pod, spec) => createSandbox(engine, pod, spec),
    mountMemory: async () => undefined,
    mountImage: async () => {
      throw new SluiceError('POD_VOLUME', 'volumes of images are not supported by this driver of the node')
    },
    start: (start) => startContainer(engine, start),
    async signal(id, signal) {
      const { isRunning } = containerOf(engine, id) ?? {}
      if (isRunning)
        await client.ask('POST', `/containers/${keyOf(place, id)}/kill?signal=${signal}`).catch(() => undefined)
    },
    exec: (id, command, timeoutMs) => execIn(client, keyOf(place, id), command, timeoutMs),
    open: (id, request) => openIn(client, keyOf(place, id), request),
    attach: (id, request) => attachTo(client, keyOf(place, id), request),
    async forward(uid, port) {
      const sandbox = sandboxesOf(engine).find((each) => each.uid === uid)
      if (sandbox === undefined) throw new Error('the pod has no network')
      const socket = await keeper.streamTo({ host: sandbox.ip, port })
      return { readable: socket, writable: socket }
    },
    connect: (target) => keeper.streamTo(target),
    greet: keeper.greet,
    removeSandbox: (uid) => removePod(engine, uid),
    async forget(id) {
      const found = containerOf(engine, id)
      await client.ask('DELETE', `/containers/${keyOf(place, id)}?force=1&v=1`).catch(() => undefined)
      if (found) engine.known.delete(found.id)
    },
    list: async () => ({ sandboxes: sandboxesOf(engine), containers: [...engine.known.values()].flatMap(runOf) }),
    usage: async () => ({ machine: usageOfMachine(), containers: usageOf(engine) }),
    logPath: (id) => logFile(engine.stateDir, id),
    podFolder: (uid) => podFolder(engine.stateDir, uid),
    async setNetwork(table) {
      await addRoutes(
        keeper,
        table.ports.flatMap(({ listen }) => listen?.host ?? []),
        engine.routes,
      )
      await keeper.setNetwork(table)
    },
    drain: (host, timeoutMs) => keeper.drain(host, timeoutMs),
    serviceStream: (key) => keeper.serviceStream(key),
    dns: NETWORK.dns,
    hostIp: place.gateway,
    async close({ stopPods }) {
      engine.isClosed = true
      if (stopPods) await removeAll(engine)
      keeper.close()
      client.close()
    },
  }
}

async function startContainer(engine: Engine, start: ContainerStart): Promise<RunningContainer> {
  const { client, place } = engine
  const name = keyOf(place, start)
  // what is left of a start that a server was killed over
  await client.ask('DELETE', `/containers/${name}?force=1&v=1`).catch(() => undefined)
  await client.ask('POST', `/containers/create?name=${name}`, containerBody(place, start, tagOf(start.image.digest)))
  try {
    await client.ask('POST', `/containers/${name}/start`)
  } catch (error) {
    await client.ask('DELETE', `/containers/${name}?force=1&v=1`).catch(() => undefined)
    throw error
  }
  const container = await look(engine, name)
  const [run] = container === undefined ? [] : runOf(container)
  if (container === undefined || run === undefined)
    throw new SluiceError('NODE_DRIVER', 'the container engine lost the container', { retry: 'backoff' })
  keepLog(engine, container)
  return run
}

/** Hears of ends from the engine's events; asks for all when the stream ended, as much may have happened. */
async function watchEnds(engine: Engine): Promise<void> {
  const { client, place } = engine
  const filters = encodeURIComponent(
    JSON.stringify({ type: ['container'], event: ['die'], label: [`${LABELS.node}=${place.node}`] }),
  )
  while (!engine.isClosed) {
    try {
      const stream = await client.follow(`/events?filters=${filters}`)
      for (const container of await refresh(engine)) tellEnd(engine, container)
      let rest = ''
      for await (const chunk of stream) {
        const lines = (rest + String(chunk)).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) for (const id of textsOf(parse(line), 'id')) await ended(engine, id)
      }
    } catch {
      // the engine is begun anew, perhaps
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000).unref())
  }
}

/** The event may come a moment before the engine knows the exit code. */
async function ended(engine: Engine, id: string): Promise<void> {
  for (let turn = 0; turn < 100; turn++) {
    const container = await look(engine, id)
    if (container === undefined) return void engine.known.delete(id)
    if (!container.isRunning) return tellEnd(engine, container)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function tellEnd({ events }: Engine, { isRunning, labels }: EngineContainer): void {
  if (isRunning) return
  const uid = labels[LABELS.uid]
  if (uid === undefined) return
  events.onExit({ uid, container: labels[LABELS.container] ?? '', attempt: Number(labels[LABELS.attempt] ?? 0) })
}

function keepLog(engine: Engine, container: EngineContainer): void {
  const { id, hasTerminal } = container
  const [run] = runOf(container)
  const isOver = (): boolean => engine.isClosed || !engine.known.has(id)
  if (run !== undefined)
    void followLog(engine.client, { id, hasTerminal }, logFile(engine.stateDir, run), isOver).catch(() => undefined)
}

async function removeAll(engine: Engine): Promise<void> {
  const { client, place } = engine
  for (const { uid } of sandboxesOf(engine)) await removePod(engine, uid).catch(() => undefined)
  for (const { id } of await refresh(engine))
    await client.ask('DELETE', `/containers/${id}?force=1&v=1`).catch(() => undefined)
  await client.ask('DELETE', `/networks/${place.network}`).catch(() => undefined)
}

function usageOf({ known }: Engine): ContainerUse[] {
  const processes = readProcesses()
  return [...known.values()].flatMap((container) =>
    runOf(container).flatMap(({ uid, container: name, attempt, startedAtMs }) => {
      if (!container.isRunning || !processes.has(container.pid)) return []
      return [{ uid, container: name, attempt, startedAtMs, ...usageOfTree(processes, container.pid) }]
    }),
  )
}

function runOf({ labels, ...container }: EngineContainer): RunningContainer[] {
  const uid = labels[LABELS.uid]
  const name = labels[LABELS.container]
  if (labels[LABELS.kind] !== 'container' || uid === undefined || name === undefined || !container.wasStarted) return []
  const { startedAtMs, isRunning, exitCode, finishedAtMs, isOutOfMemory } = container
  const attempt = Number(labels[LABELS.attempt] ?? 0)
  const run = { uid, container: name, attempt, startedAtMs, imageId: labels[LABELS.image] ?? '' }
  return [isRunning ? run : { ...run, exit: { code: exitCode, signal: undefined, atMs: finishedAtMs, isOutOfMemory } }]
}

function containerOf({ known }: Engine, id: ContainerId): EngineContainer | undefined {
  return [...known.values()].find((container) =>
    runOf(container).some(
      ({ uid, container: name, attempt }) => uid === id.uid && name === id.container && attempt === id.attempt,
    ),
  )
}

function keyOf(place: Place, { uid, container, attempt }: ContainerId): string {
  return nameOf(place, uid, container, attempt)
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
