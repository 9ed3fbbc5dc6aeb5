import { cpus, hostname, release, totalmem } from 'node:os'
import type { Clock } from '../../adapters/clock.ts'
import type { KubeClient } from '../../adapters/kube/types.ts'
import type { Felt } from './admission/pressure.ts'
import { ApiError } from '../../adapters/kube/api-error.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { conditionOf, readList, readText } from '../../lib/kube/read.ts'
import { keepPodsAway } from './not-ready.ts'

/** What the Node object says. */
export type NodeFacts = {
  readonly name: string
  /** The driver; `none` when no pod can run. */
  readonly driver: string
  readonly isSimulated: boolean
  readonly kubeletPort: number
  /** Its address in the network of its pods; undefined where they are on this machine's own. */
  readonly podNetworkAddress: string | undefined
  /** Why pods cannot run; undefined when they can. */
  readonly notReady: string | undefined
  readonly gaps: readonly string[]
}

const OPTIONS = { fieldManager: 'sluice-node' } as const
/** Labels that an earlier driver may have left. */
const GONE = { 'sluice.dev/simulated': null, simulated: null, 'sluice.dev/isolated': null } as const
const LEASE_SECONDS = 40
const ARCH = process.arch === 'x64' ? 'amd64' : process.arch

/** The moment of a status, and what the machine is short of. */
export type NodeNow = { readonly nowMs: number; readonly felt: readonly Felt[] }

/** Makes or updates the Node object. */
export async function registerNode(client: KubeClient, facts: NodeFacts, now: NodeNow): Promise<KubeObject> {
  const ref = { apiVersion: 'v1', kind: 'Node', namespace: '', name: facts.name }
  const metadata = {
    name: facts.name,
    labels: {
      'beta.kubernetes.io/arch': ARCH,
      'beta.kubernetes.io/os': 'linux',
      'kubernetes.io/arch': ARCH,
      'kubernetes.io/hostname': facts.name,
      'kubernetes.io/os': 'linux',
      'sluice.dev/driver': facts.driver,
      ...(facts.isSimulated ? { 'sluice.dev/simulated': 'true', simulated: 'true' } : {}),
      ...(facts.driver === 'process' ? { 'sluice.dev/isolated': 'false' } : {}),
    },
    annotations: { 'sluice.dev/gaps': facts.gaps.join('\n') },
  }
  const existing = await client.get(ref)
  // It is made with its status: a node that says nothing loses the taint with which the server makes it.
  const made = { apiVersion: 'v1', kind: 'Node', metadata, spec: {}, status: statusOf(facts, now, undefined) }
  if (existing === undefined) await client.create(made, OPTIONS)
  else await client.patch(ref, 'merge', { metadata: { ...metadata, labels: { ...GONE, ...metadata.labels } } }, OPTIONS)
  if (existing !== undefined && facts.notReady !== undefined) await keepPodsAway(client, existing)
  return writeNodeStatus(client, facts, now)
}

/** Writes capacity, conditions and addresses. */
export async function writeNodeStatus(client: KubeClient, facts: NodeFacts, now: NodeNow): Promise<KubeObject> {
  const ref = { apiVersion: 'v1', kind: 'Node', namespace: '', name: facts.name }
  const status = statusOf(facts, now, await client.get(ref))
  return client.patch(ref, 'merge', { status }, { ...OPTIONS, subresource: 'status' })
}

function statusOf(facts: NodeFacts, now: NodeNow, before: KubeObject | undefined): object {
  const amounts = {
    cpu: String(cpus().length || 1),
    memory: `${Math.floor(totalmem() / 1024)}Ki`,
    pods: '110',
    'ephemeral-storage': '100Gi',
  }
  return {
    capacity: amounts,
    allocatable: amounts,
    conditions: conditionsOf(facts, now, before),
    addresses: addressesOf(facts),
    daemonEndpoints: { kubeletEndpoint: { Port: facts.kubeletPort } },
    nodeInfo: {
      machineID: facts.name,
      systemUUID: facts.name,
      bootID: facts.name,
      kernelVersion: release(),
      osImage: `${hostname()} (sluice driver ${facts.driver})`,
      containerRuntimeVersion: `sluice-${facts.driver}://1`,
      kubeletVersion: 'v1.37.2',
      kubeProxyVersion: 'v1.37.2',
      operatingSystem: 'linux',
      architecture: ARCH,
    },
  }
}

/** Whether the object says of the node what the node itself does not: it was silent, and somebody noted it. */
export async function isDoubted(client: KubeClient, { name, notReady }: NodeFacts): Promise<boolean> {
  const node = await client.get({ apiVersion: 'v1', kind: 'Node', namespace: '', name })
  return node !== undefined && conditionOf(node, 'Ready')?.status !== (notReady === undefined ? 'True' : 'False')
}

/** Renews the node's Lease, which is the heartbeat. */
export async function renewLease(client: KubeClient, name: string, clock: Clock): Promise<void> {
  const ref = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'kube-node-lease', name }
  const renewTime = new Date(clock.nowMs()).toISOString().replace('Z', '000Z')
  const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime }
  try {
    await client.patch(ref, 'merge', { spec }, OPTIONS)
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error
    const metadata = { name, namespace: ref.namespace }
    await client.create({ apiVersion: ref.apiVersion, kind: 'Lease', metadata, spec }, OPTIONS)
  }
}

/** What pods reach, what this machine reaches, and where an API server, which prefers names, finds the kubelet. */
function addressesOf({ podNetworkAddress }: NodeFacts): object[] {
  if (podNetworkAddress === undefined) return [{ type: 'InternalIP', address: '127.0.0.1' }]
  return [
    { type: 'InternalIP', address: podNetworkAddress },
    { type: 'ExternalIP', address: '127.0.0.1' },
    { type: 'Hostname', address: 'localhost' },
  ]
}

/** What a kubelet says of the machine; a condition keeps the time since when it has been so. */
function conditionsOf(
  { notReady, isSimulated }: NodeFacts,
  { nowMs, felt }: NodeNow,
  before: KubeObject | undefined,
): object[] {
  const at = new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z')
  const condition = (type: string, status: 'True' | 'False', reason: string, message: string): object => {
    const old = readList(before, 'status', 'conditions').find((one) => readText(one, 'type') === type)
    const since = readText(old, 'status') === status ? readText(old, 'lastTransitionTime') : undefined
    return { type, status, reason, message, lastHeartbeatTime: at, lastTransitionTime: since || at }
  }
  const isUnder = (type: string): boolean => felt.some(({ pressure }) => pressure === type)
  const measured = (type: string, [bad, badWords]: Words, [good, goodWords]: Words): object => {
    if (isUnder(type)) return condition(type, 'True', bad, `kubelet has ${badWords}`)
    return condition(type, 'False', good, isSimulated ? NOT_MEASURED : `kubelet has ${goodWords}`)
  }
  return [
    measured(
      'MemoryPressure',
      ['KubeletHasInsufficientMemory', 'insufficient memory available'],
      ['KubeletHasSufficientMemory', 'sufficient memory available'],
    ),
    measured(
      'DiskPressure',
      ['KubeletHasDiskPressure', 'disk pressure'],
      ['KubeletHasNoDiskPressure', 'no disk pressure'],
    ),
    condition('PIDPressure', 'False', 'KubeletHasSufficientPID', NOT_MEASURED),
    notReady === undefined
      ? condition('Ready', 'True', 'KubeletReady', 'the node runs pods')
      : condition('Ready', 'False', 'NoDriver', notReady),
  ]
}

type Words = readonly [reason: string, what: string]

const NOT_MEASURED = 'not measured by this node'
