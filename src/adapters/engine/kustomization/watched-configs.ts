import type { Kustomization } from '../../../kinds/kustomization.ts'
import type { SharedCaches } from '../../kube/shared-caches.ts'
import type { WatchCache } from '../../kube/types.ts'

type ConfigKind = 'ConfigMap' | 'Secret'

/**
 * Watches the ConfigMaps and Secrets that carry the label `reconcile.fluxcd.io/watch: Enabled`; others are read when a reconcile is due, because nobody
 * can hold all Secrets of a cluster.
 *
 * @param onChange told the kind, namespace and name of one that changed
 * @see https://fluxcd.io/flux/components/kustomize/kustomizations/#reacting-immediately-to-configuration-dependencies
 */
export function watchConfigs(
  caches: SharedCaches,
  onChange: (kind: ConfigKind, namespace: string, name: string) => void,
): readonly WatchCache[] {
  return (['ConfigMap', 'Secret'] as const).map((kind) => {
    const labelSelector = 'reconcile.fluxcd.io/watch=Enabled'
    const cache = caches.open({ apiVersion: 'v1', kind, labelSelector, metadataOnly: true })
    cache.onChange(({ metadata }, type) => {
      // Taken away, or out of sight with its label: whoever reads it notices at the next look, as in Flux.
      if (type !== 'DELETED') onChange(kind, metadata.namespace ?? '', metadata.name)
    })
    return cache
  })
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
