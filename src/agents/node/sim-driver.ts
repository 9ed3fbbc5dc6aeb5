import { SluiceError } from '../../lib/error/sluice-error.ts'
import { digestOf } from '../../lib/oci/digest.ts'
import { parseReference, versionOf } from '../../lib/oci/reference.ts'
import type { RegistryClient } from '../../adapters/registry/client.ts'
import { mkdirSync, rmSync } from 'node:fs'
import type { Image } from './image/store.ts'
import { logFile, podFolder } from './pod-folder.ts'
import type { ContainerUse, Driver, RunningContainer, Sandbox } from './driver.ts'

type OwnRegistry = {
  readonly registry: Pick<RegistryClient, 'headManifest'>
  /** The host of our own registry; no other is ever asked. */
  readonly ownHost: string | undefined
}

type SimOptions = OwnRegistry & {
  readonly stateDir: string
  readonly nowMs: () => number
  readonly onExit: () => void
}

/**
 * A driver that runs nothing: containers are states. For trials of everything around pods; shown as simulated wherever the node is shown.
 *
 * Every image exists; one that our own registry has is told by its true digest, so that the record joins what it ran, others by none. Every probe succeeds at once; init containers and those of a Job end well at once, all others run until told to stop.
 */
export function startSimDriver(o: SimOptions): Driver {
  const sandboxes = new Map<string, Sandbox>()
  const containers = new Map<string, RunningContainer>()
  let serial = 0
  return {
    name: 'sim',
    isSimulated: true,
    gaps: ['nothing runs: this node simulates its pods'],
    ...imagesOf(o),
    async createSandbox({ uid }) {
      serial++
      const sandbox = { uid, ip: `10.244.${(serial >> 8) & 255}.${serial & 255}` }
      mkdirSync(podFolder(o.stateDir, uid), { recursive: true })
      sandboxes.set(uid, sandbox)
      return sandbox
    },
    mountMemory: async () => undefined,
    mountImage: async () => undefined,
    async start({ uid, container, attempt, image: { id }, hasEnd }) {
      const begun = { uid, container, attempt, imageId: id, startedAtMs: o.nowMs() }
      const running = hasEnd ? { ...begun, exit: { code: 0, signal: undefined, atMs: o.nowMs() } } : begun
      containers.set(`${uid}/${container}/${attempt}`, running)
      if (hasEnd) o.onExit()
      return running
    },
    async signal({ uid, container, attempt }, signal) {
      const key = `${uid}/${container}/${attempt}`
      const running = containers.get(key)
      if (running === undefined || running.exit) return
      containers.set(key, { ...running, exit: { code: signal === 'SIGKILL' ? 137 : 0, signal, atMs: o.nowMs() } })
      o.onExit()
    },
    exec: async () => ({ code: 0, output: '', timedOut: false }),
    open: noProgram,
    attach: noProgram,
    forward: noNetwork,
    connect: noNetwork,
    greet: noNetwork,
    async removeSandbox(uid) {
      sandboxes.delete(uid)
      for (const key of containers.keys()) if (key.startsWith(`${uid}/`)) containers.delete(key)
      rmSync(podFolder(o.stateDir, uid), { recursive: true, force: true })
    },
    forget: async ({ uid, container, attempt }) => void containers.delete(`${uid}/${container}/${attempt}`),
    list: async () => ({ sandboxes: [...sandboxes.values()], containers: [...containers.values()] }),
    async usage() {
      const running = [...containers.values()].filter(({ exit }) => exit === undefined)
      return madeUp(running.map((each) => useOf(each, o.nowMs())))
    },
    logPath: (id) => logFile(o.stateDir, id),
    podFolder: (uid) => podFolder(o.stateDir, uid),
    setNetwork: async () => undefined,
    drain: async () => undefined,
    serviceStream: () => undefined,
    dns: undefined,
    hostIp: '127.0.0.1',
    close: async () => undefined,
  }
}

const IDLE_CPU_MILLIS = 1
const IDLE_MEMORY_BYTES = 16 * 1024 * 1024

/** What an idle program uses: no autoscaler may act on load that nobody made. */
function useOf({ uid, container, attempt, startedAtMs }: RunningContainer, nowMs: number): ContainerUse {
  const cpuNanos = (nowMs - startedAtMs) * IDLE_CPU_MILLIS * 1000
  return { uid, container, attempt, startedAtMs, cpuNanos, memoryBytes: IDLE_MEMORY_BYTES }
}

function madeUp(containers: readonly ContainerUse[]): Awaited<ReturnType<Driver['usage']>> {
  const total = (field: 'cpuNanos' | 'memoryBytes'): number => containers.reduce((sum, each) => sum + each[field], 0)
  return { machine: { cpuNanos: total('cpuNanos'), memoryBytes: total('memoryBytes') }, containers }
}

function imagesOf({ registry, ownHost }: OwnRegistry): Pick<Driver, 'findImage' | 'pullImage'> {
  const find = async (name: string): Promise<Image> => {
    const reference = parseReference(name)
    if (reference === undefined || reference.host !== ownHost) return simulatedImage(name)
    const found = await registry.headManifest(reference, versionOf(reference)).catch(() => undefined)
    return simulatedImage(name, found?.digest)
  }
  return { findImage: find, pullImage: find }
}

function simulatedImage(name: string, known?: string): Image {
  const digest = known ?? /@(sha256:[0-9a-f]{64})$/.exec(name)?.[1]
  const id = digest === undefined ? '' : `${name.replace(/@.*$/, '').replace(/:[^/:]*$/, '')}@${digest}`
  return { name, id, digest: digest ?? digestOf(name), config: {}, layers: [], sizeBytes: 0 }
}

async function noNetwork(): Promise<never> {
  throw new SluiceError('NODE_DRIVER', 'simulated pods have no network')
}

async function noProgram(): Promise<never> {
  throw new SluiceError('NODE_DRIVER', 'nothing runs in simulated pods: a node with another driver runs them')
}
