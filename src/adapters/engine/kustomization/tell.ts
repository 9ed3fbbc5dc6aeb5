import type { KustomizationStatus } from '../../../controllers/kustomization.ts'
import type { Kustomization } from '../../../kinds/kustomization.ts'
import type { EngineContext } from '../context.ts'

/** Tells an event of a Kustomization with its revision, as Flux annotates it. Flux writes an event for a commit that changed nothing; safe, that is not worth a request. */
export function tellEvent(
  context: EngineContext,
  kustomization: Kustomization,
  event: NonNullable<KustomizationStatus['events']>[number],
): void {
  const { apiVersion, kind, namespace, name, uid, resourceVersion } = kustomization
  const { severity, reason, message, revision, isCommitStatus, isRoutine } = event
  context.tell({
    object: { apiVersion, kind, namespace, name, uid, resourceVersion },
    severity,
    reason,
    message,
    annotations: {
      ...(revision === '' ? {} : { 'kustomize.toolkit.fluxcd.io/revision': revision }),
      ...(isCommitStatus ? { 'kustomize.toolkit.fluxcd.io/commit_status': 'update' } : {}),
    },
    controller: 'kustomize-controller',
    atMs: context.clock.nowMs(),
    ...(isRoutine && context.traps === 'safe' ? { isRoutine } : {}),
  })
}
