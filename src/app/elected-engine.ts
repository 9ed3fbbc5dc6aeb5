import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import type { EngineFlags } from '../adapters/engine/flags.ts'
import { type Engine, type EngineAddresses, type EngineOptions, startEngine } from '../adapters/engine/start.ts'
import type { Clock } from '../adapters/clock.ts'
import { clientFromKubeconfig } from '../adapters/kube/client.ts'
import { holdLease, type LeaderLease, newIdentity, takeLease } from '../adapters/kube/leader-lease.ts'
import type { KubeClient } from '../adapters/kube/types.ts'
import { describeError, SluiceError } from '../lib/error/sluice-error.ts'
import { readText } from '../lib/kube/read.ts'
import { openTerm } from './engine-term.ts'
import type { StateFolder } from './state/state-folder.ts'

/** Whether engines of one cluster agree on a leader, and how long each step may take; Flux's own values by default. */
export type Election = {
  readonly isOn: boolean
  readonly leaseMs: number
  readonly renewMs: number
  readonly retryMs: number
}

/** Where a leader is elected, and by whom. */
export type Electorate = {
  readonly lead: Election
  /** The kubeconfig: the lease has a connection of its own, so that no load delays it. */
  readonly path: string
  readonly folder: StateFolder
  readonly namespace?: string | undefined
  readonly signal: AbortSignal
}

const LEASE = 'sluice-leader-election'
const NAMESPACE = 'kube-system'
/** Ten years: the cluster of `sluice up` is there while `sluice up` is, and each start takes the lease anew. */
const OWN_CLUSTER_MS = 10 * 365 * 86_400_000
const AGAIN_MS = 2_000

/**
 * Runs an engine while this process leads: waits for the lease, works, and when it is lost stops, writes nothing more, and waits again.
 *
 * @throws SluiceError KUBE_UNREACHABLE when the server is not there at the start, with or without an election
 * @param onReady called when the engine works for the first time
 * @param onEngine told of each engine that works
 */
export async function runElected(
  options: Omit<EngineOptions, 'client'>,
  electorate: Electorate,
  onReady: (server: string, addresses: EngineAddresses) => void,
  onEngine: (engine: Engine) => void,
): Promise<void> {
  const { signal, lead, path, namespace = NAMESPACE } = electorate
  const lease = lead.isOn ? openLease(options, electorate) : undefined
  const { stopped, letGo } = untilStopped(signal)
  let isFirst = true
  try {
    // A lease is waited for without end; a server that is not there at the start is a fault, and a service manager tries again.
    await Promise.race([stopped, lease?.whenReached()])
    while (!signal.aborted) {
      await Promise.race([stopped, lease?.whenLeading()])
      if (signal.aborted) return
      const term = openTerm(path, () => lease?.isLeading() ?? true)
      try {
        const running = await startEngine({ ...options, client: term.client, namespace })
        onEngine(running)
        if (isFirst) onReady(term.client.server, running.addresses)
        isFirst = false
        await Promise.race([stopped, lease?.whenLost() ?? stopped])
        await running.close()
      } catch (error) {
        // At the start a fault is an answer; later it passes, as the one did that took the lease away.
        if (isFirst || !(error instanceof SluiceError) || error.retry !== 'backoff') throw error
        options.log?.(describeError(error))
        await Promise.race([stopped, wait(AGAIN_MS, undefined, { ref: false })])
      } finally {
        term.end()
      }
    }
  } finally {
    letGo()
    await lease?.close()
  }
}

/**
 * Says in the cluster that `sluice up` brings along that its engine leads: one that is pointed at it from outside waits, instead of writing beside it.
 * It is never given back: who waits would lead when this process ends, and go on for some seconds beside its next start.
 *
 * A cluster that refuses the lease (a policy, a quota) is started nevertheless: how else could the policy be taken away?
 */
export async function leadOwnCluster(client: KubeClient, clock: Clock, log: (line: string) => void): Promise<void> {
  const identity = 'sluice up'
  try {
    await takeLease({ client, clock, namespace: NAMESPACE, name: LEASE, identity, leaseMs: OWN_CLUSTER_MS })
  } catch (error) {
    log(
      `the lease ${NAMESPACE}/${LEASE} is not held: a sluice engine that is pointed at this cluster would write beside this one; ${describeError(error)}`,
    )
  }
}

/** Shards lead side by side: the lease is of those who work on the same objects. */
function leaseName({ watchSelector = '', watchAllNamespaces = true }: Partial<EngineFlags>): string {
  if (watchSelector === '' && watchAllNamespaces) return LEASE
  const share = createHash('sha256')
    .update(JSON.stringify([watchSelector, watchAllNamespaces]))
    .digest('hex')
  return `${LEASE}-${share.slice(0, 10)}`
}

function openLease(
  { clock, log, flags = {} }: Pick<EngineOptions, 'clock' | 'log' | 'flags'>,
  { lead, path, folder, namespace = NAMESPACE }: Electorate,
): LeaderLease & { readonly whenReached: () => Promise<unknown> } {
  const { leaseMs, renewMs, retryMs } = lead
  const client = clientFromKubeconfig(path, { timeoutMs: retryMs })
  const known = readText(folder.read('identity.json'), 'identity')
  const identity = known === '' ? newIdentity(hostname()) : known
  if (known === '') folder.write('identity.json', { identity })
  const times = { leaseMs, renewMs, retryMs }
  const lease = holdLease({
    ...{ client, clock, namespace, name: leaseName(flags), identity },
    ...times,
    log: log ?? (() => undefined),
  })
  return {
    ...lease,
    whenReached: () => client.resource('coordination.k8s.io/v1', 'Lease'),
    async close() {
      await lease.close()
      client.close()
    },
  }
}

/** Resolves at the first Ctrl-C or SIGTERM; keeps the process alive until then, or until it is let go. */
function untilStopped(signal: AbortSignal): { readonly stopped: Promise<void>; readonly letGo: () => void } {
  const alive = setInterval(() => undefined, 1 << 30)
  const letGo = (): void => clearInterval(alive)
  const stopped = new Promise<void>((done) => {
    if (signal.aborted) return done()
    signal.addEventListener('abort', () => done(), { once: true })
  })
  return { stopped, letGo }
}
