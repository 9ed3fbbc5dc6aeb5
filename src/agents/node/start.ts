import { join, resolve } from 'node:path'
import type { Clock } from '../../adapters/clock.ts'
import type { KubeClient, WatchCache } from '../../adapters/kube/types.ts'
import { type SharedCaches, shareCaches } from '../../adapters/kube/shared-caches.ts'
import { createRegistryClient } from '../../adapters/registry/client.ts'
import type { Credentials } from '../../adapters/registry/session.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { newestNode, type Refusal, stillThere, whyRefused } from './admission/admit.ts'
import { askNode } from './admission/ask-node.ts'
import type { Felt } from './admission/pressure.ts'
import { measureMachine, type PressureWatch, watchPressure } from './admission/watch-pressure.ts'
import { chooseDriver, type Chosen, type DriverWord } from './choose-driver.ts'
import type { Driver, DriverEvents } from './driver.ts'
import type { NeededImages } from './image/store.ts'
import { makeRecorder, type Recorder } from './events.ts'
import { startHeartbeat } from './heartbeat.ts'
import { followNetwork } from './network/follow-network.ts'
import { makeGate } from './kubelet/kubelet-access.ts'
import { serveKubelet } from './kubelet/kubelet-server.ts'
import { kubeletTargets } from './kubelet/kubelet-targets.ts'
import { sayWhyPending } from './no-driver.ts'
import { registerNode, type NodeFacts } from './node-object.ts'
import { endLeftovers } from './leftovers.ts'
import { markNotReady } from './not-ready.ts'
import { parsePod, type Pod, uidOf } from './pod/shapes.ts'
import { startPodWorker, type PodWorker } from './pod/worker.ts'
import { type ApiRelay, startApiRelay } from './network/api-relay.ts'
import { socketOf } from './linux/launch.ts'
import { keepCertificates } from './pod/content/certificates.ts'
import { keepTokens } from './pod/content/tokens.ts'
import { PROVISIONER } from './provision/plan.ts'
import { startProvisioner } from './provision/start.ts'
import { portKey } from './network/services.ts'
import { startSampler } from './usage/sampler.ts'

/** How a node is started. */
export type NodeOptions = {
  readonly client: KubeClient
  readonly clock: Clock
  /** Live copies of the same client to share with others; without them the node has its own. */
  readonly caches?: SharedCaches
  readonly name: string
  readonly driver: DriverWord
  readonly stateDir: string
  /** Images of the host `alias` come from `url`. */
  readonly registry: { readonly alias: string; readonly url: string }
  /** The cluster's authority: who shows a certificate of it to the node's own server is who it says. */
  readonly caPem?: string | undefined
  /** The URL of the API server, for pods that talk to it. */
  readonly apiServer?: string
  readonly log?: (line: string) => void
}

/** A running node. */
export type RunningNode = {
  /** The driver in use, or `none: why`. */
  readonly driver: string
  /** Where the node's own server listens, on this machine. */
  readonly kubeletPort: number
  /** `http://127.0.0.1:N` of a Service of the cluster, the same after a restart; its first port unless one is named. */
  readonly serviceUrl: (namespace: string, name: string, port?: number) => string | undefined
  /** Removes the images that no pod needs and answers the bytes; undefined when others keep them, or images are being pulled. */
  readonly collectImages: (o: { readonly dryRun: boolean }) => Promise<number | undefined>
  /** Without `stopPods` the pods go on and are taken over by the next start on the same state folder. */
  readonly close: (o: { readonly stopPods: boolean }) => Promise<void>
}

type Node = {
  readonly options: NodeOptions
  readonly log: (line: string) => void
  driver: Driver | undefined
  isClosing: boolean
  wakeNetwork?: () => void
  readonly apiRelay: ApiRelay | undefined
  readonly workers: Map<string, PodWorker>
  /** Pods that seem to be none for this node, until that is certain. */
  readonly doubted: Set<string>
  readonly caches: Readonly<Record<'pods' | 'services' | 'slices' | 'claims' | 'volumes' | 'nodes', WatchCache>>
  /** The Node as it was registered. */
  registered?: KubeObject
  /** What the machine is short of. */
  felt: () => readonly Felt[]
}

/**
 * Starts a node: registers it, runs the pods that are bound to it, serves their logs and carries the cluster's Services; the kubelet and the
 * kube-proxy of this machine, as a plain client of any API server.
 *
 * @throws SluiceError NODE_DRIVER when a driver was named that does not work here
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const { client, clock, name, registry } = options
  const log = options.log ?? (() => undefined)
  const registryClient = createRegistryClient({ aliases: aliasesOf(options) })
  let node: Node | undefined
  const events = eventsOf(
    () => node,
    (why) => node && void recover(node, why, choose),
  )
  const ownHost = registry.url === '' ? undefined : registry.alias
  const place = { stateDir: options.stateDir, node: name, registry: registryClient, ownHost, clock }
  const choose = () => chooseDriver({ word: options.driver, ...place }, events)
  const chosen = await choose()
  const driver = 'driver' in chosen ? chosen.driver : undefined
  const apiRelay = driver === undefined || driver.isSimulated ? undefined : await relayTo(options, log)
  node = {
    ...{ options, log, driver, isClosing: false, apiRelay, workers: new Map(), doubted: new Set() },
    ...{ caches: openCaches(options, log), felt: () => [] },
  }
  const self = node
  const gate = makeGate({ client, node: name, clock })
  const sampler = startSampler(() => self.driver, clock)
  const kubelet = await serveKubelet({ name, clock, gate, sampler, caPem: options.caPem, ...kubeletTargets(self) })
  const facts = factsOf(name, chosen, kubelet.port)
  const record = makeRecorder({ client, clock, node: name, log })
  const pressure = watchNode(self, record)
  await announce(self, facts, pressure, record)
  const heartbeat = startHeartbeat({ client, clock, facts, pressure, log })
  await Promise.all(Object.values(self.caches).map(({ ready }) => ready))
  if (facts.notReady !== undefined) await markNotReady(client, clock, { name, why: facts.notReady })
  const network = followNetwork({
    ...{ caches: self.caches, stateDir: options.stateDir, apiSocket: apiRelay?.path, record, log },
    driver: () => self.driver,
  })
  self.wakeNetwork = network.wake
  const pods = facts.notReady === undefined ? runPods(self, record) : sayWhyPending(options, facts.notReady, record)
  const provisioner = makeFolders(self)
  return {
    driver: 'why' in chosen ? `none: ${chosen.why}` : chosen.driver.name,
    kubeletPort: kubelet.port,
    serviceUrl(namespace, service, port) {
      const object = self.caches.services.get(namespace, service)
      const key = object && portKey(object, port)
      const hostPort = key === undefined ? undefined : network.portOf(key)
      return hostPort === undefined ? undefined : `http://127.0.0.1:${hostPort}`
    },
    collectImages: (o) => collect(self, o),
    async close({ stopPods }) {
      self.isClosing = true
      network.stop()
      for (const each of [heartbeat, sampler, pods, provisioner]) each.close()
      await Promise.all([...self.workers.values()].map((worker) => worker.close()))
      for (const cache of Object.values(self.caches)) cache.close()
      await Promise.all([network.close(), kubelet.close(), self.apiRelay?.close()])
      await self.driver?.close({ stopPods })
      registryClient.close()
    },
  }
}

/** What the driver tells wakes whom it concerns. */
function eventsOf(started: () => Node | undefined, onLost: DriverEvents['onLost']): DriverEvents {
  return {
    onLost,
    onExit({ uid }) {
      const workers = started()?.workers
      if (uid === '') workers?.forEach((worker) => worker.wake())
      else workers?.get(uid)?.wake()
    },
    onSandboxExit(uid) {
      const node = started()
      if (node === undefined || node.isClosing) return
      node.log(`node ${node.options.name}: the sandbox of pod ${uid} ended`)
      node.workers.get(uid)?.wake()
    },
  }
}

/** Makes the Node known, and what keeps it from doing. */
async function announce(node: Node, facts: NodeFacts, { look, felt }: PressureWatch, record: Recorder): Promise<void> {
  const { client, clock, name } = node.options
  for (const gap of facts.gaps) node.log(`node ${name}: ${gap}`)
  await look()
  const registered = await registerNode(client, facts, { nowMs: clock.nowMs(), felt: felt() })
  node.registered = registered
  for (const gap of facts.gaps) record(registered, 'Warning', 'Limited', gap)
}

/** Simulated pods need nothing of the machine. A disk that becomes short loses the images that nobody needs. */
function watchNode(node: Node, record: Recorder): PressureWatch {
  const { options, driver } = node
  const isAsked = driver !== undefined && !driver.isSimulated
  const watch = watchPressure({
    measure: () => (isAsked ? measureMachine(options.stateDir) : Promise.reject(new Error('not measured'))),
    monotonicMs: () => options.clock.monotonicMs(),
    record,
    node: () => node.registered,
    onFull: () => void collect(node, { dryRun: false }).catch(() => undefined),
  })
  node.felt = watch.felt
  return watch
}

async function collect(node: Node, o: { readonly dryRun: boolean }): Promise<number | undefined> {
  return node.driver?.collectImages?.(await neededImages(node, node.driver), o)
}

function aliasesOf({ registry }: NodeOptions): Readonly<Record<string, string>> {
  return registry.url === '' ? {} : { [registry.alias]: registry.url }
}

/** What pods name, what they say they run, and what really runs. */
async function neededImages({ caches }: Node, driver: Driver): Promise<NeededImages> {
  const pods = caches.pods.list().flatMap((object) => parsePod(object) ?? [])
  const containers = pods.flatMap(({ spec }) => [
    ...spec.containers,
    ...(spec.initContainers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ])
  const statuses = pods.flatMap(({ status = {} }) => [
    ...(status.containerStatuses ?? []),
    ...(status.initContainerStatuses ?? []),
  ])
  const volumes = pods.flatMap(({ spec }) => (spec.volumes ?? []).flatMap(({ image }) => image?.reference ?? []))
  const running = (await driver.list()).containers
  return {
    names: new Set([...containers.map(({ image }) => image), ...volumes]),
    ids: [...statuses.map(({ imageID }) => imageID), ...running.map(({ imageId }) => imageId)],
  }
}

/** Pods speak TLS to the API server; one without it is not theirs to reach. */
async function relayTo(
  { apiServer, stateDir }: NodeOptions,
  log: (line: string) => void,
): Promise<ApiRelay | undefined> {
  if (apiServer?.startsWith('https:') !== true) return undefined
  return startApiRelay(socketOf(resolve(stateDir), 'api.sock'), apiServer, log)
}

function factsOf(name: string, chosen: Chosen, kubeletPort: number): NodeFacts {
  if ('why' in chosen)
    return {
      name,
      driver: 'none',
      isSimulated: false,
      kubeletPort,
      podNetworkAddress: undefined,
      notReady: `pods cannot run: ${chosen.why}`,
      gaps: [],
    }
  const { name: driver, isSimulated, gaps, dns, hostIp } = chosen.driver
  const podNetworkAddress = dns === undefined ? undefined : hostIp
  return { name, driver, isSimulated, kubeletPort, podNetworkAddress, notReady: undefined, gaps }
}

function openCaches({ client, clock, name, caches }: NodeOptions, log: (line: string) => void): Node['caches'] {
  const options = {
    clock,
    onFault: (error: unknown) => log(`node ${name}: ${error instanceof Error ? error.message : String(error)}`),
  }
  const { open } = caches ?? shareCaches(client, options)
  return {
    pods: open({ apiVersion: 'v1', kind: 'Pod', fieldSelector: `spec.nodeName=${name}` }),
    nodes: open({ apiVersion: 'v1', kind: 'Node', fieldSelector: `metadata.name=${name}` }),
    services: open({ apiVersion: 'v1', kind: 'Service' }),
    slices: open({ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' }),
    claims: open({ apiVersion: 'v1', kind: 'PersistentVolumeClaim' }),
    volumes: open({ apiVersion: 'v1', kind: 'PersistentVolume' }),
  }
}

/** Folders of this machine for the claims that ask for one. */
function makeFolders({ options, caches, log }: Node): { readonly close: () => void } {
  const { client, clock, name, stateDir } = options
  const record = makeRecorder({ client, clock, node: name, log, component: PROVISIONER })
  return startProvisioner({ ...caches, client, clock, node: name, folder: join(stateDir, 'volumes'), record, log })
}

/** One worker a pod bound to this node; also ends what is left of pods that exist no more. */
function runPods(node: Node, record: Recorder): { readonly close: () => void } {
  const { client, clock, name } = node.options
  // of simulated pods nothing was pulled, created or started
  const recordTrue: typeof record = (object, type, ...said) => {
    if (type === 'Warning' || node.driver?.isSimulated !== true) record(object, type, ...said)
  }
  const context = {
    client,
    clock,
    driver: () => node.driver ?? fail(),
    record: recordTrue,
    services: (namespace: string) => servicesFor(node.caches.services, namespace),
    tokens: keepTokens(client, clock),
    certificates: keepCertificates(client, clock, Math.random),
    registryAs: (login: Credentials) =>
      createRegistryClient({ aliases: aliasesOf(node.options), credentials: () => login }),
    log: node.log,
  }
  const begin = (pod: Pod): void => {
    const uid = uidOf(pod)
    const finished = (): void => {
      node.workers.delete(uid)
      context.certificates.forget(uid)
      context.tokens.forget(uid)
    }
    node.workers.set(uid, startPodWorker(context, pod, finished))
  }
  const take = (object: KubeObject, type: string): void => {
    const pod = parsePod(object)
    if (pod === undefined || pod.spec.nodeName !== name) return
    const uid = uidOf(pod)
    const worker = node.workers.get(uid)
    if (type === 'DELETED') return worker?.gone()
    if (worker) return worker.see(pod)
    if (node.doubted.has(uid)) return
    if (whyNotTaken(node, pod, node.caches.nodes.get('', name)) === undefined) return begin(pod)
    node.doubted.add(uid)
    void judgeAgain(node, pod, record, begin)
  }
  for (const object of inTurn(node.caches.pods.list())) take(object, 'ADDED')
  const isKnown = (uid: string): boolean =>
    node.workers.has(uid) || node.caches.pods.list().some(({ metadata }) => metadata.uid === uid)
  if (node.driver !== undefined) void endLeftovers(node.driver, isKnown, node.log)
  return { close: node.caches.pods.onChange(take) }
}

/** Those first that have begun already: they have their room. Then the oldest. */
function inTurn(pods: readonly KubeObject[]): readonly KubeObject[] {
  const key = (object: KubeObject): string =>
    `${parsePod(object)?.status?.startTime ?? '~'} ${object.metadata.creationTimestamp ?? ''}`
  return [...pods].sort((a, b) => (key(a) < key(b) ? -1 : 1))
}

/** Why the node does not take a pod; undefined when it does. Those that it has begun with stay. */
function whyNotTaken(
  { caches, registered, workers, felt }: Node,
  pod: Pod,
  seen: KubeObject | undefined,
): Refusal | undefined {
  if (pod.status?.startTime !== undefined || pod.metadata.deletionTimestamp !== undefined) return undefined
  const taken = [...workers.values()].map((worker) => worker.pod())
  const others = stillThere(taken, caches.pods.get)
  const object = newestNode(seen, registered)
  if (object === undefined) return undefined
  return whyRefused({ pod, node: object, others, pressures: felt().map(({ pressure }) => pressure) })
}

/** A refusal is for good: it is judged by the Node as the API has it now, which what was watched may be behind. One that is refused is over before it begins. */
async function judgeAgain(node: Node, { metadata }: Pod, record: Recorder, begin: (pod: Pod) => void): Promise<void> {
  const { options, caches, doubted } = node
  const { client, clock, name } = options
  const uid = metadata.uid ?? ''
  const current = (): Pod | undefined => {
    const object = caches.pods.get(metadata.namespace ?? 'default', metadata.name)
    return object?.metadata.uid === metadata.uid ? object && parsePod(object) : undefined
  }
  const isOver = (): boolean => node.isClosing || current() === undefined
  const fresh = await askNode({ client, clock, name, log: node.log }, isOver)
  doubted.delete(uid)
  const pod = current()
  if (fresh === undefined || pod === undefined) return
  const refusal = whyNotTaken(node, pod, fresh)
  begin(refusal === undefined ? pod : refusedPod(pod, refusal, record))
}

function refusedPod(pod: Pod, { reason, message }: Refusal, record: Recorder): Pod {
  record(pod, 'Warning', reason, message)
  return { ...pod, status: { ...pod.status, phase: 'Failed', reason, message: `Pod was rejected: ${message}` } }
}

/** What a pod's variables name: the API server, and the Services of its namespace. */
function servicesFor(services: WatchCache, namespace: string): readonly KubeObject[] {
  const api = namespace === 'default' ? undefined : services.get('default', 'kubernetes')
  return [...(api === undefined ? [] : [api]), ...services.list(namespace)]
}

/** The processes that keep the pods are gone, and the pods with them: start again. */
async function recover(node: Node, why: string, choose: () => ReturnType<typeof chooseDriver>): Promise<void> {
  if (node.isClosing) return
  node.log(`node ${node.options.name}: ${why}`)
  const chosen = await choose().catch((error: unknown) => ({ why: String(error) }))
  if ('why' in chosen) {
    node.log(`node ${node.options.name}: pods cannot run: ${chosen.why}`)
    node.options.clock.after(5_000, () => void recover(node, chosen.why, choose))
    return
  }
  node.driver = chosen.driver
  node.wakeNetwork?.()
  for (const worker of node.workers.values()) worker.wake()
}

function fail(): never {
  throw new Error('the node has no driver')
}
