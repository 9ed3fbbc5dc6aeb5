import type { KubeObject } from '../../lib/kube/object.ts'
import type { RecordKeeper } from './record-keeper.ts'

/**
 * Reports the Kustomizations that the record holds and that are no more: they were deleted under a version that told of no deletion, or by
 * force while nothing ran, so that no engine saw it (docs/adr/0265).
 *
 * @param kustomizations all of the cluster
 */
export function reportDeleted(
  kustomizations: readonly KubeObject[],
  record: Pick<RecordKeeper, 'ledger' | 'report'>,
): void {
  const there = new Set(kustomizations.map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`))
  for (const kustomization of [...record.ledger().environments.keys()])
    if (!there.has(kustomization)) void record.report({ kind: 'deletion', kustomization })
}
