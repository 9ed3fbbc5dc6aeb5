import { randomUUID } from 'node:crypto'
import type { KubeObject } from '../../lib/kube/object.ts'
import { read, readText } from '../../lib/kube/read.ts'
import { type Clock, longestSince, type Moment, momentOf } from '../clock.ts'
import { ApiError } from './api-error.ts'
import type { KubeClient } from './types.ts'

const LEASE = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' }

/** A lease, and who holds it for how long. */
export type HeldLease = {
  readonly client: KubeClient
  readonly clock: Clock
  readonly namespace: string
  readonly name: string
  /** Who we are; the same after a restart, so that a lease of our own past need not run out first. */
  readonly identity: string
  /** After so long without a renewal others may take the lease. */
  readonly leaseMs: number
}

/** How a lease is held; times as client-go names them. */
export type LeaseOptions = HeldLease & {
  /** After so long without a renewal we stop leading; shorter than `leaseMs`, so that two never lead. */
  readonly renewMs: number
  readonly retryMs: number
  readonly log: (line: string) => void
}

/** A lease that is held, waited for, or lost. */
export type LeaderLease = {
  /** Resolves when we lead. */
  readonly whenLeading: () => Promise<void>
  /** Resolves when we lead no more. */
  readonly whenLost: () => Promise<void>
  /** Whether a write may be made now. */
  readonly isLeading: () => boolean
  /** Stops, and gives the lease back so that another leads at once. */
  readonly close: () => Promise<void>
}

/** What was last seen of the lease, and when: other machines' clocks are never compared with ours. */
type Observed = { version: string; atMs: number; holder: string; leaseMs: number }

type State = {
  readonly options: LeaseOptions
  observed: Observed
  /** Before the last request that renewed it; none while we do not hold it. */
  renewed: Moment | undefined
  isClosed: boolean
  cancel: () => void
  readonly waiting: { leading: (() => void)[]; lost: (() => void)[] }
  wasLeading: boolean
  tellAt: string
}

/** A new name for ourselves. */
export function newIdentity(host: string): string {
  return `${host}_${randomUUID()}`
}

/** Starts to ask for a Lease (coordination.k8s.io), as client-go's leader election does, and renews it while we have it. */
export function holdLease(options: LeaseOptions): LeaderLease {
  const state: State = {
    options,
    observed: { version: '', atMs: 0, holder: '', leaseMs: 0 },
    renewed: undefined,
    isClosed: false,
    cancel: () => undefined,
    waiting: { leading: [], lost: [] },
    wasLeading: false,
    tellAt: '',
  }
  void turn(state)
  return {
    whenLeading: () => waitFor(state, state.waiting.leading, isLeading(state)),
    whenLost: () => waitFor(state, state.waiting.lost, !isLeading(state)),
    isLeading: () => isLeading(state),
    async close() {
      const held = isLeading(state)
      state.isClosed = true
      state.cancel()
      for (const resolve of [...state.waiting.leading.splice(0), ...state.waiting.lost.splice(0)]) resolve()
      if (held) await release(state.options).catch(() => undefined)
    },
  }
}

/** So often a lease that others renew meanwhile is asked for. */
const MOST_TRIES = 10

/**
 * Takes a lease from whoever holds it, for `leaseMs`: for the one whose cluster it is. It is not renewed; who held it loses it at the next renewal.
 */
export async function takeLease(held: HeldLease): Promise<void> {
  const { client, namespace, name } = held
  for (let tries = 1; ; tries++) {
    const written = await write(held, await client.get({ ...LEASE, namespace, name }))
    if (written !== undefined) return
    if (tries === MOST_TRIES)
      throw new ApiError(409, 'Conflict', `lease ${namespace}/${name} is written by others all the time`)
  }
}

function isLeading(state: State): boolean {
  return !state.isClosed && leftMs(state) > 0
}

/** How long we lead without another renewal. */
function leftMs({ renewed, options: { clock, renewMs } }: State): number {
  return renewed === undefined ? 0 : renewMs - longestSince(clock, renewed)
}

function waitFor({ isClosed }: State, list: (() => void)[], isSo: boolean): Promise<void> {
  return isSo || isClosed ? Promise.resolve() : new Promise((resolve) => list.push(resolve))
}

/** One try, then the next: after `retryMs`, or when our time runs out. */
async function turn(state: State): Promise<void> {
  const { clock, retryMs, renewMs } = state.options
  // The request may take long; what it grants counts from before it was made.
  const started = momentOf(clock)
  // Of a clock that was set the answer tells whether the lease is lost; until then nothing is written.
  const runsOutMs = (state.renewed?.monotonicMs ?? -Infinity) + renewMs - started.monotonicMs
  const watchdog = clock.after(Math.max(runsOutMs, 1), () => note(state))
  const isHeld = await tryHold(state).catch((error: unknown) => {
    say(state, `cannot reach the lease: ${error instanceof Error ? error.message : String(error)}`)
    return false
  })
  watchdog()
  if (state.isClosed) return
  if (isHeld) state.renewed = started
  else if (state.observed.holder !== state.options.identity) state.renewed = undefined
  note(state)
  const left = leftMs(state)
  state.cancel = clock.after(left > 0 ? Math.min(retryMs, left) : retryMs, () => void turn(state))
}

/** Tells who waits when leading began or ended. */
function note(state: State): void {
  const now = isLeading(state)
  if (now === state.wasLeading) return
  state.wasLeading = now
  say(state, now ? 'leading' : 'the lease is lost: nothing is changed until it is held again')
  for (const resolve of (now ? state.waiting.leading : state.waiting.lost).splice(0)) resolve()
}

async function tryHold(state: State): Promise<boolean> {
  const { client, namespace, name, identity, clock } = state.options
  const lease = await client.get({ ...LEASE, namespace, name })
  const nowMs = clock.monotonicMs()
  if (!lease) return renew(state, undefined, nowMs)
  const version = lease.metadata.resourceVersion ?? ''
  if (version !== state.observed.version) observe(state, lease, nowMs)
  const { holder, atMs, leaseMs } = state.observed
  const isTaken = holder !== '' && holder !== identity && atMs + leaseMs > nowMs
  if (isTaken) {
    say(state, `waiting: ${holder} leads`)
    return false
  }
  return renew(state, lease, nowMs)
}

async function renew(state: State, before: KubeObject | undefined, nowMs: number): Promise<boolean> {
  const written = await write(state.options, before)
  if (written !== undefined) observe(state, written, nowMs)
  return written !== undefined
}

/** Writes the lease with the version that was read: of two who do so, one gets a conflict, and no answer here. */
async function write(held: HeldLease, before: KubeObject | undefined): Promise<KubeObject | undefined> {
  const { client, namespace, name, identity, leaseMs, clock } = held
  const isOwn = before !== undefined && readText(before, 'spec', 'holderIdentity') === identity
  const changes = read(before, 'spec', 'leaseTransitions')
  const time = microTime(clock.nowMs())
  const spec = {
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(leaseMs / 1000),
    acquireTime: isOwn ? readText(before, 'spec', 'acquireTime') || time : time,
    renewTime: time,
    leaseTransitions: before === undefined ? 0 : (typeof changes === 'number' ? changes : 0) + (isOwn ? 0 : 1),
  }
  const fresh = { ...LEASE, metadata: { namespace, name } }
  const by = { fieldManager: 'sluice' }
  try {
    return await (before ? client.replace({ ...before, spec }, by) : client.create({ ...fresh, spec }, by))
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) return undefined
    throw error
  }
}

function observe(state: State, lease: KubeObject, nowMs: number): void {
  const seconds = read(lease, 'spec', 'leaseDurationSeconds')
  state.observed = {
    version: lease.metadata.resourceVersion ?? '',
    atMs: nowMs,
    holder: readText(lease, 'spec', 'holderIdentity'),
    leaseMs: (typeof seconds === 'number' ? seconds : 0) * 1000,
  }
}

async function release({ client, namespace, name, identity, clock }: HeldLease): Promise<void> {
  const lease = await client.get({ ...LEASE, namespace, name })
  if (!lease || readText(lease, 'spec', 'holderIdentity') !== identity) return
  const time = microTime(clock.nowMs())
  const spec = {
    leaseDurationSeconds: 1,
    leaseTransitions: read(lease, 'spec', 'leaseTransitions'),
    acquireTime: time,
    renewTime: time,
  }
  await client.replace({ ...lease, spec: { ...spec, holderIdentity: '' } }, { fieldManager: 'sluice' })
}

/** Said once, not at every try. */
function say(state: State, line: string): void {
  if (state.tellAt === line) return
  state.tellAt = line
  state.options.log(`leader election: ${line}`)
}

function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z')
}
