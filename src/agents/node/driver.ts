import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import type { RegistryClient } from '../../adapters/registry/client.ts'
import type { ExecAnswer, Exit, NetworkTable, Target } from './keeper/messages.ts'
import type { RemoteProgram } from './remote-program.ts'
import type { Image, NeededImages } from './image/store.ts'

/** Which pod. */
export type PodId = { readonly uid: string; readonly namespace: string; readonly name: string }

/** Which run of which container of which pod. */
export type ContainerId = { readonly uid: string; readonly container: string; readonly attempt: number }

/** A folder or file of the host shown inside a container. */
export type Bind = { readonly source: string; readonly target: string; readonly readOnly: boolean }

/** The two directions of a connection to a pod; `close` on `readable` is its end. */
export type Forwarded = { readonly readable: Readable; readonly writable: Writable }

/** Opens a connection to a port of a pod; rejects with the reason. */
export type Dial = (port: number) => Promise<Forwarded>

/** What is run in a container for somebody; with a terminal there is no stderr. */
export type RemoteRequest = {
  readonly command: readonly string[]
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly tty: boolean
}

/** A setting of the kernel. */
export type Sysctl = { readonly name: string; readonly value: string }

/** What the place of a pod is to be like. */
export type SandboxSpec = {
  /** Settings of the kernel that each pod has for itself: `net.ipv4.ip_local_port_range` and the like. */
  readonly sysctls: readonly Sysctl[]
  /** Its containers see the processes of each other; the first of all is nobody's, and takes care of those that lose their parent. */
  readonly sharesProcesses: boolean
}

/** A volume in memory. */
export type MemoryMount = {
  readonly folder: string
  readonly sizeBytes: number
  readonly group: number | undefined
}

/** What a container may use, and what it asked for. */
export type Limits = {
  readonly memoryBytes?: number
  readonly cpuMillis?: number
  readonly cpuRequestMillis?: number
  /** How soon the kernel ends it when the machine has no memory left: 0 like the server itself, 1000 first of all. */
  readonly outOfMemoryScore?: number
}

/** What a container is started from; nothing in it is ever read by a shell. */
export type ContainerStart = ContainerId & {
  readonly pod: PodId
  readonly image: Image
  /** Program and arguments, after the pod's and the image's words were put together. */
  readonly command: readonly string[]
  readonly env: readonly (readonly [name: string, value: string])[]
  readonly workingDir: string
  /** `USER` or `runAsUser`: `uid`, `uid:gid`, or names of the image's /etc/passwd. */
  readonly user: string
  /** More groups of its processes: supplementalGroups and fsGroup. */
  readonly groups: readonly number[]
  /** Whether it is in the groups, too, that the image's /etc/group gives its user. */
  readonly hasImageGroups: boolean
  /** Powers of root that its processes may have, by the kernel's names in small letters; missing: the usual ones. */
  readonly capabilities?: readonly string[]
  readonly readOnlyRoot: boolean
  readonly binds: readonly Bind[]
  /** Whether its work has an end: an init container, or a container of a Job. A driver that only simulates ends it at once. */
  readonly hasEnd: boolean
  /** What the container says that it listens on, its first port first. */
  readonly ports: readonly number[]
  /** Whose processes it sees, and who sees its; a container of the same pod. */
  readonly joins?: ContainerId
  /** Whether the containers of its pod see the processes of each other. */
  readonly sharesProcesses: boolean
  /** Whether somebody may write to the program; and whether the first who does closes its input when done. */
  readonly stdin: 'none' | 'once' | 'open'
  /** Whether the program has a terminal. */
  readonly tty: boolean
  readonly limits: Limits
  /** What all containers of its pod together may use, and what they asked for. */
  readonly podLimits: Limits
}

/** A container that runs or ran. */
export type RunningContainer = ContainerId & {
  readonly startedAtMs: number
  readonly imageId: string
  /** Who its program began as, in numbers of its own namespace; missing where others keep that. */
  readonly user?: { readonly uid: number; readonly gid: number; readonly groups: readonly number[] }
  readonly exit?: Exit & { readonly isOutOfMemory?: boolean }
}

/** Processor time since the start, and memory in use now. */
export type Used = { readonly cpuNanos: number; readonly memoryBytes: number }

/** What a running container has used. */
export type ContainerUse = ContainerId & Used & { readonly startedAtMs: number }

/** A pod that has a place to run in. */
export type Sandbox = { readonly uid: string; readonly ip: string }

/**
 * How pods run. One driver a node; everything it started is found again by `list` after a restart of the server.
 *
 * Errors are SluiceError; whatever it does not do it refuses by name.
 */
export type Driver = {
  readonly name: 'linux' | 'engine' | 'process' | 'sim'
  /** Label `sluice.dev/simulated`, and every other thing people must see. */
  readonly isSimulated: boolean
  /** What this machine keeps us from doing, a line each; said once when the node starts. */
  readonly gaps: readonly string[]
  readonly findImage: (name: string) => Promise<Image | undefined>
  /** @param o.registry a client that knows the pod's login */
  readonly pullImage: (name: string, o?: { readonly registry?: RegistryClient }) => Promise<Image>
  /** Removes the images that are not needed; missing where others keep them. See `ImageStore.collect`. */
  readonly collectImages?: (needed: NeededImages, o: { readonly dryRun: boolean }) => Promise<number | undefined>
  readonly createSandbox: (pod: PodId, spec: SandboxSpec) => Promise<Sandbox>
  /** Mounts a file system of memory on a folder of the pod, for the containers that start after. */
  readonly mountMemory: (uid: string, mount: MemoryMount) => Promise<void>
  /** Shows an image's files on a folder of the pod, for the containers that start after. @throws SluiceError POD_VOLUME */
  readonly mountImage: (uid: string, folder: string, image: Image) => Promise<void>
  /**
   * Where `inner` is of a folder of which the pod alone sees what is in it (memory, an image); a folder is made there where nothing is and one may be made.
   * Missing where the node sees all folders itself. @throws SluiceError POD_VOLUME when there is nothing, or it leads out
   */
  readonly findInner?: (uid: string, folder: string, inner: string) => Promise<string>
  readonly start: (start: ContainerStart) => Promise<RunningContainer>
  /** Gives a running container, and all of its pod, other amounts; missing where they cannot be changed. */
  readonly resize?: (id: ContainerId, limits: Limits, ofPod: Limits) => Promise<void>
  /** Signals the container's program itself; SIGKILL ends all its processes. */
  readonly signal: (id: ContainerId, signal: string) => Promise<void>
  readonly exec: (id: ContainerId, command: readonly string[], timeoutMs: number) => Promise<ExecAnswer>
  /** Runs a program in a container for somebody who listens. */
  readonly open: (id: ContainerId, request: RemoteRequest) => Promise<RemoteProgram>
  /** Listens to a container's own program, and writes to it where it takes input. */
  readonly attach: (id: ContainerId, request: Omit<RemoteRequest, 'command'>) => Promise<RemoteProgram>
  /** Opens a TCP connection to a port of a pod as its own programs see it, on loopback; rejects with the reason. */
  readonly forward: (uid: string, port: number) => Promise<Forwarded>
  /** Opens a TCP connection to a pod. */
  readonly connect: (target: Target) => Promise<Socket>
  /** Opens a TCP connection to a pod, says `request` (nothing when empty) and answers the first line; rejects with the reason. */
  readonly greet: (target: Target, request: string, timeoutMs: number) => Promise<string>
  /** Ends what is left of a pod and gives its address back. */
  readonly removeSandbox: (uid: string) => Promise<void>
  readonly forget: (id: ContainerId) => Promise<void>
  readonly list: () => Promise<{
    readonly sandboxes: readonly Sandbox[]
    readonly containers: readonly RunningContainer[]
  }>
  /** What the machine and the containers that run have used; nothing where the machine does not say. A driver that only simulates says what idle programs use. */
  readonly usage: () => Promise<{ readonly machine: Used | undefined; readonly containers: readonly ContainerUse[] }>
  readonly logPath: (id: ContainerId) => string
  /** Folder of what a container has written over its image; missing where others keep it. */
  readonly writtenFolder?: (uid: string, container: string) => string
  /** Folder of a pod for volumes and files we make. */
  readonly podFolder: (uid: string) => string
  readonly setNetwork: (table: NetworkTable) => Promise<void>
  readonly drain: (host: string, timeoutMs: number) => Promise<void>
  /** A stream to a Service; undefined where there is nothing to connect to. */
  readonly serviceStream: (key: string) => Socket | undefined
  /** Address of the DNS server and host that pods see; undefined where they have none. */
  readonly dns: string | undefined
  /** Gateway address, `hostIP` of pods. */
  readonly hostIp: string
  readonly close: (o: { readonly stopPods: boolean }) => Promise<void>
}

/** What a driver tells the node. */
export type DriverEvents = {
  readonly onExit: (id: ContainerId) => void
  /** What a pod had its place in ended by itself, and its containers with it. */
  readonly onSandboxExit: (uid: string) => void
  /** The driver lost everything it ran. */
  readonly onLost: (why: string) => void
}
