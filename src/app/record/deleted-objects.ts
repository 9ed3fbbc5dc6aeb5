import type { KubeObject } from '../../lib/kube/object.ts'
import type { Helpers } from '../../pipeline/record/wait.ts'
import type { RecordKeeper } from './record-keeper.ts'

/**
 * Reports what the record speaks of and what is no more, Kustomizations, ImagePolicies and ImageUpdateAutomations: they were deleted under a version
 * that told of no deletion, or by force while nothing ran, so that no engine saw it (docs/adr/0265).
 *
 * @param helpers all of the cluster
 */
export function reportDeleted(
  { kustomizations, policies, automations }: Pick<Helpers, 'kustomizations' | 'policies' | 'automations'>,
  { ledger, report }: Pick<RecordKeeper, 'ledger' | 'report'>,
): void {
  const { environments, policyCauses, markers } = ledger()
  for (const kustomization of goneFrom(kustomizations, environments.keys()))
    void report({ kind: 'deletion', kustomization })
  const stopped = new Set([...policyCauses.values()].map(({ policy }) => policy))
  for (const policy of goneFrom(policies, stopped)) void report({ kind: 'deletion', policy })
  for (const automation of goneFrom(automations, markers.keys()))
    void report({ kind: 'markers', automation, choices: [] })
}

/** Those keys of which there is no object. */
function goneFrom(objects: readonly KubeObject[], keys: Iterable<string>): readonly string[] {
  const there = new Set(objects.map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`))
  return [...keys].filter((key) => !there.has(key))
}
