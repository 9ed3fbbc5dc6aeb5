import type { Kustomization } from '../../../kinds/kustomization.ts'
import type { ObjectRef } from '../../../lib/kube/object.ts'
import type { KubeClient, WatchCache } from '../../kube/types.ts'
import type { EngineContext } from '../context.ts'

type ConfigKind = 'ConfigMap' | 'Secret'

/**
 * Watches the ConfigMaps and Secrets that carry the label `reconcile.fluxcd.io/watch: Enabled`; others are read when a reconcile is due, because nobody
 * can hold all Secrets of a cluster.
 *
 * @param onChange told the kind, namespace and name of one that changed
 * @see https://fluxcd.io/flux/components/kustomize/kustomizations/#reacting-immediately-to-configuration-dependencies
 */
export function watchConfigs(
  { caches, client }: Pick<EngineContext, 'caches' | 'client'>,
  onChange: (kind: ConfigKind, namespace: string, name: string) => void,
): readonly WatchCache[] {
  return (['ConfigMap', 'Secret'] as const).map((kind) => {
    const labelSelector = 'reconcile.fluxcd.io/watch=Enabled'
    const cache = caches.open({ apiVersion: 'v1', kind, labelSelector, metadataOnly: true })
    cache.onChange(({ metadata: { namespace = '', name } }, type) => {
      if (type === 'DELETED') void tellGone(client, { apiVersion: 'v1', kind, namespace, name }, onChange)
      else onChange(kind, namespace, name)
    })
    return cache
  })
}

/** Gone, or out of sight with its label? The latter is noticed at the next look only, as in Flux. */
async function tellGone(
  client: Pick<KubeClient, 'get'>,
  ref: ObjectRef & { readonly kind: ConfigKind },
  onChange: Parameters<typeof watchConfigs>[1],
): Promise<void> {
  const found = await client.get(ref).catch(() => undefined)
  if (!found) onChange(ref.kind, ref.namespace, ref.name)
}

/** Whether a Kustomization reads a ConfigMap or Secret: for its variables, its keys, or its cluster. */
export function readsConfig(kustomization: Kustomization, kind: ConfigKind, namespace: string, name: string): boolean {
  const { substituteFrom, decryption, kubeConfig } = kustomization
  if (kustomization.namespace !== namespace) return false
  return (
    substituteFrom.some((one) => one.kind === kind && one.name === name) ||
    (kind === 'Secret' && decryption?.secretName === name) ||
    (kubeConfig?.kind === kind && kubeConfig.name === name)
  )
}
