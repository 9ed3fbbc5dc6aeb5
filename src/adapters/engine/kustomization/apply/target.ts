import { createHash } from 'node:crypto'
import type { Kustomization } from '../../../../kinds/kustomization.ts'
import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import { describeRef, refOf, type KubeObject } from '../../../../lib/kube/object.ts'
import { compareForApply } from '../../../../pipeline/apply/order.ts'
import { isRefusal } from '../../../kube/api-error.ts'
import { clientFromKubeconfig } from '../../../kube/client.ts'
import { shareCaches, type SharedCaches } from '../../../kube/shared-caches.ts'
import type { KubeClient } from '../../../kube/types.ts'
import { connectFault } from '../../../net/connect-fault.ts'
import type { EngineContext } from '../../context.ts'
import { openAccountTokens } from './account-tokens.ts'
import { createLiveObjects, type LiveObjects } from './live-objects.ts'
import { readRemoteConfig } from './remote-config.ts'

/** The cluster that a Kustomization applies to, with the rights it has there, and what is known of the objects in it. */
export type Target = {
  readonly context: EngineContext
  readonly live: LiveObjects
  /** Whose rights are used, `namespace/name`; '' for the engine's own. */
  readonly account: string
}

/** The clusters of all Kustomizations: this one, and those of `spec.kubeConfig`. */
export type Targets = {
  /** @throws SluiceError SECRET_MISSING, KUBE_CONFIG */
  readonly of: (key: string, kustomization: Kustomization) => Promise<Target>
  /** The Kustomization is gone: another cluster that nobody else uses is let go. */
  readonly release: (key: string) => void
  /** An owned object has changed, in any of them. */
  readonly onChange: (handler: (object: KubeObject) => void) => void
  readonly close: () => void
}

type Cluster = { readonly client: KubeClient; readonly caches: SharedCaches; readonly live: LiveObjects }

/** Opens the targets. Connections, knowledge of kinds and watches are shared by all who apply to a cluster, whosever rights they use. */
export function openTargets(context: EngineContext): Targets {
  const home: Cluster = { ...context, live: createLiveObjects(context.client, context.caches) }
  const tokens = openAccountTokens(context)
  const remotes = new Map<string, Cluster>()
  const used = new Map<string, string>()
  const handlers: ((object: KubeObject) => void)[] = []
  const tell = (object: KubeObject): void => handlers.forEach((handler) => handler(object))
  home.live.onChange(tell)

  const letGo = (key: string): void => {
    const id = used.get(key)
    used.delete(key)
    if (id === undefined || [...used.values()].includes(id)) return
    closeCluster(remotes.get(id))
    remotes.delete(id)
  }
  const remote = (key: string, config: string): Cluster => {
    const id = createHash('sha256').update(config).digest('hex')
    if (used.get(key) !== id) letGo(key)
    const found = remotes.get(id) ?? openCluster(context, config)
    if (!remotes.has(id)) found.live.onChange(tell)
    remotes.set(id, found)
    used.set(key, id)
    return found
  }
  return {
    async of(key, kustomization) {
      const { kubeConfig, namespace } = kustomization
      const account = accountOf(context, kustomization)
      const cluster = kubeConfig ? remote(key, await readRemoteConfig(context, namespace, kubeConfig, tokens)) : home
      if (!kubeConfig) letGo(key)
      const client =
        account !== '' ? cluster.client.as(`system:serviceaccount:${namespace}:${account}`) : cluster.client
      return {
        context: { ...context, client, caches: cluster.caches },
        live: cluster.live,
        account: account && `${namespace}/${account}`,
      }
    },
    release: letGo,
    onChange: (handler) => void handlers.push(handler),
    close() {
      home.live.close()
      for (const cluster of remotes.values()) closeCluster(cluster)
    },
  }
}

function openCluster({ clock, log }: EngineContext, config: string): Cluster {
  const client = clientFromKubeconfig(config, { clock })
  const caches = shareCaches(client, { clock, onFault: (error) => log(`watch of ${client.server}: ${String(error)}`) })
  return { client, caches, live: createLiveObjects(client, caches) }
}

function closeCluster(cluster: Cluster | undefined): void {
  cluster?.live.close()
  cluster?.caches.close()
  cluster?.client.close()
}

function accountOf({ flags }: EngineContext, { serviceAccountName }: Kustomization): string {
  return serviceAccountName ?? flags.defaultServiceAccount
}

/** Whether the account exists whose rights are to be used; a Kustomization that is deleted must not wait for one that is gone. */
export async function hasAccount(context: EngineContext, kustomization: Kustomization): Promise<boolean> {
  const name = accountOf(context, kustomization)
  if (name === '') return true
  const { namespace } = kustomization
  return (await context.client.get({ apiVersion: 'v1', kind: 'ServiceAccount', namespace, name })) !== undefined
}

/** A cluster that nothing answers for, or whose certificate nobody vouches for, as Go's client tells it of the first object. */
export function unreachableAsFlux(error: unknown, objects: readonly KubeObject[], { context }: Target): unknown {
  const cause =
    error instanceof SluiceError && error.code === 'KUBE_UNREACHABLE'
      ? (error.cause as NodeJS.ErrnoException)
      : undefined
  const [first] = objects.map(refOf).sort(compareForApply)
  if (!first || !cause || !/^ECONNREFUSED$|SELF_SIGNED|CERT|UNABLE_TO_/.test(cause.code ?? '')) return error
  const { server } = context.client
  const message = `failed to get server groups: Get "${server}/api?timeout=30s": ${connectFault(cause, { url: new URL(server) })}`
  return new SluiceError('KUBE_UNREACHABLE', `${describeRef(first)} dry-run failed: ${message}\n`, { cause: error })
}

/** The step failure for a cluster that cannot be reached by what the object says, in Flux's words. */
export function targetFailure(error: unknown): {
  readonly phase: 'Building manifests'
  readonly reason: string
  readonly message: string
  readonly eventMessage: string
} {
  if (!(error instanceof SluiceError) && !isRefusal(error)) throw error
  const { message } = error
  return {
    phase: 'Building manifests',
    reason: 'ReconciliationFailed',
    message,
    eventMessage: `failed to build kube client: ${message}`,
  }
}
